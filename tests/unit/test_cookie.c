// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <endian.h>
#include <string.h>

#include "dns/cookie.h"

static void unhex(const char *text, uint8_t *out)
{
    for (; *text; text += 2) {
        unsigned value = 0;
        for (int i = 0; i < 2; i++) {
            value = value << 4 | (unsigned)(text[i] <= '9' ? text[i] - '0' : text[i] - 'a' + 10);
        }
        *out++ = (uint8_t)value;
    }
}

static struct hash_key key_of(const char *text)
{
    uint8_t octets[16];
    struct hash_key key;
    unhex(text, octets);
    memcpy(&key, octets, 16);
    return (struct hash_key){le64toh(key.k0), le64toh(key.k1)};
}

static struct question holding(const char *cookie)
{
    struct question question = {.cookie_len = (uint8_t)(strlen(cookie) / 2)};
    unhex(cookie, question.cookie);
    return question;
}

/* RFC 9018 appendix A: what each answer gives, and whether its query's cookie holds. */
static const struct {
    const char *behaviour, *key, *before, *client, *asked;
    int64_t now;
    const char *given;
    bool ours;
} rows[] = {
    {"A.1 a new server cookie", "e5e973e5a6b2a43f48e7dc849e37bfcf",
     "00000000000000000000000000000000", "198.51.100.100", "2464c4abcf10c957", 1559731985,
     "2464c4abcf10c957010000005cf79f111f8130c3eee29480", false},
    {"A.2 the same client, 40 minutes later", "e5e973e5a6b2a43f48e7dc849e37bfcf",
     "00000000000000000000000000000000", "198.51.100.100",
     "2464c4abcf10c957010000005cf79f111f8130c3eee29480", 1559734385,
     "2464c4abcf10c957010000005cf7a871d4a564a1442aca77", true},
    {"A.3 reserved octets that are set", "e5e973e5a6b2a43f48e7dc849e37bfcf",
     "00000000000000000000000000000000", "203.0.113.203",
     "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", 1559728000, NULL, true},
    {"A.3 a cookie that is too old", "e5e973e5a6b2a43f48e7dc849e37bfcf",
     "00000000000000000000000000000000", "203.0.113.203",
     "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", 1559734700,
     "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e", false},
    {"A.4 IPv6, of the key before", "445536bcd2513298075a5d379663c962",
     "dd3bdf9344b678b185a6f5cb60fca715", "2001:db8:220:1:59de:d0f4:8769:82b8",
     "22681ab97d52c298010000005cf7c57926556bd0934c72f8", 1559741961,
     "22681ab97d52c298010000005cf7c609a6bb79d16625507a", true},
};

static void cookies_are_those_of_rfc_9018(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s\n", rows[i].behaviour);
        struct cookie_jar jar = {.keys = {key_of(rows[i].key), key_of(rows[i].before)},
                                 .now_s = rows[i].now};
        struct question question = holding(rows[i].asked);
        struct addr client;
        uint8_t given[QUESTION_COOKIE];
        assert_int_equal(addr_parse(rows[i].client, &client), 0);
        assert_int_equal(cookie_is_ours(&jar, &client, &question), rows[i].ours);
        if (rows[i].given) {
            cookie_bake(&jar, &client, question.cookie);
            unhex(rows[i].given, given);
            assert_memory_equal(question.cookie, given, sizeof(given));
        }
    }
}

/* A cookie baked at `then` and shown at `now`, by a client, with one bit flipped. */
static bool holds(int64_t then, int64_t now, const char *who, int flipped)
{
    struct cookie_jar jar;
    struct addr client, shower;
    const struct hash_key secret = {1, 2};
    struct question question = {.cookie = {1, 2, 3}, .cookie_len = QUESTION_COOKIE};
    assert_int_equal(addr_parse("192.0.2.1", &client), 0);
    assert_int_equal(addr_parse(who, &shower), 0);
    cookie_jar_init(&jar, &secret, then);
    cookie_bake(&jar, &client, question.cookie);
    if (flipped >= 0) {
        question.cookie[flipped / 8] ^= (uint8_t)(1 << flipped % 8);
    }
    cookie_jar_tick(&jar, now);
    return cookie_is_ours(&jar, &shower, &question);
}

static void a_cookie_holds_for_an_hour_and_for_its_client_alone(void **state)
{
    (void)state;
    const int64_t noon = 1800000000;
    for (int64_t at = noon; at < noon + COOKIE_KEY_S; at += 300) { /* wherever a key begins */
        assert_true(holds(at, at, "192.0.2.1", -1));
        assert_true(holds(at, at + COOKIE_OLD_S, "192.0.2.1", -1));
        assert_false(holds(at, at + COOKIE_OLD_S + 1, "192.0.2.1", -1));
        assert_false(holds(at, at - COOKIE_AHEAD_S - 1, "192.0.2.1", -1));
    }
    assert_true(holds(noon + 300, noon + 300 - COOKIE_AHEAD_S, "192.0.2.1", -1));
    assert_false(holds(noon, noon, "192.0.2.2", -1));
    for (int bit = 0; bit < QUESTION_COOKIE * 8; bit++) {
        assert_false(holds(noon, noon, "192.0.2.1", bit));
    }
}

static void keys_change_and_the_one_before_the_last_is_forgotten(void **state)
{
    (void)state;
    struct cookie_jar jar, other;
    const struct hash_key secret = {1, 2};
    cookie_jar_init(&jar, &secret, 1800000000);
    struct hash_key first = jar.keys[0];
    cookie_jar_tick(&jar, 1800000000 + COOKIE_KEY_S);
    assert_memory_equal(&jar.keys[1], &first, sizeof(first));
    assert_memory_not_equal(&jar.keys[0], &first, sizeof(first));
    cookie_jar_init(&other, &secret, 1800000000 + COOKIE_KEY_S);
    assert_memory_equal(jar.keys, other.keys, sizeof(jar.keys)); /* workers agree */
    cookie_jar_tick(&jar, 1800000000 + 2 * COOKIE_KEY_S);
    assert_memory_not_equal(&jar.keys[1], &first, sizeof(first));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cookies_are_those_of_rfc_9018),
        cmocka_unit_test(a_cookie_holds_for_an_hour_and_for_its_client_alone),
        cmocka_unit_test(keys_change_and_the_one_before_the_last_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
