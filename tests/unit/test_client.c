// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/client.h"

static struct client_rule make_rule(const char *prefix, uint16_t value)
{
    struct client_rule rule = {.value = value};
    assert_int_equal(prefix_parse(prefix, &rule.prefix), 0);
    return rule;
}

static void the_first_group_that_covers_an_address_wins(void **state)
{
    (void)state;
    const struct client_rule rules[] = {
        make_rule("10.1.2.0/24", 3),     make_rule("10.1.0.0/16", 1), make_rule("10.0.0.0/8", 2),
        make_rule("10.1.2.7", 0),        make_rule("10.9.0.0/16", 5), make_rule("2001:db8::/32", 4),
        make_rule("2001:db8:1::/48", 6), make_rule("10.8.0.0/16", 2), make_rule("10.8.0.0/16", 1),
    };
    static const struct {
        const char *behaviour, *address;
        uint16_t value;
    } rows[] = {
        {"a wider prefix of an earlier group", "10.1.2.9", 1},
        {"an address of its own", "10.1.2.7", 0},
        {"just behind it", "10.1.2.8", 1},
        {"the widest", "10.2.0.1", 2},
        {"a narrower prefix of a later group loses", "10.9.0.1", 2},
        {"the first address", "10.0.0.0", 2},
        {"the last address", "10.255.255.255", 2},
        {"just before", "9.255.255.255", CLIENT_NONE},
        {"just behind", "11.0.0.0", CLIENT_NONE},
        {"the same prefix twice", "10.8.1.1", 1},
        {"IPv6", "2001:db8::1", 4},
        {"nested IPv6 of a later group", "2001:db8:1::1", 4},
        {"IPv6 outside", "2001:db9::", CLIENT_NONE},
        {"IPv4 in IPv6 clothes", "::ffff:10.2.0.1", 2},
    };
    struct client_index *index = client_index_new(rules, sizeof(rules) / sizeof(rules[0]));
    assert_non_null(index);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct addr addr;
        print_message("%s\n", rows[i].behaviour);
        assert_int_equal(addr_parse(rows[i].address, &addr), 0);
        assert_int_equal(client_find(index, &addr), rows[i].value);
    }
    client_index_free(index);
}

static void families_stay_apart(void **state)
{
    (void)state;
    static const struct {
        const char *prefix, *inside, *outside;
    } rows[] = {
        {"::/0", "2001:db8::1", "10.0.0.1"},
        {"0.0.0.0/0", "255.255.255.255", "::1"},
        {"0.0.0.0/0", "0.0.0.0", "::"},
        {"ffff::/16", "ffff:ffff::1", "255.255.255.255"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct client_rule rule = make_rule(rows[i].prefix, 7);
        struct client_index *index = client_index_new(&rule, 1);
        struct addr inside, outside;
        assert_int_equal(addr_parse(rows[i].inside, &inside), 0);
        assert_int_equal(addr_parse(rows[i].outside, &outside), 0);
        assert_int_equal(client_find(index, &inside), 7);
        assert_int_equal(client_find(index, &outside), CLIENT_NONE);
        client_index_free(index);
    }
}

static void an_empty_index_covers_nothing(void **state)
{
    (void)state;
    struct client_index *index = client_index_new(NULL, 0);
    struct addr addr;
    assert_int_equal(addr_parse("10.0.0.1", &addr), 0);
    assert_int_equal(client_find(index, &addr), CLIENT_NONE);
    client_index_free(index);
}

/* The index against the plain definition, over random nested prefixes. */
static void it_agrees_with_asking_every_rule(void **state)
{
    (void)state;
    enum { RULES = 300, PROBES = 3000 };
    struct client_rule rules[RULES];
    unsigned dice = 1;
    for (int i = 0; i < RULES; i++) {
        char text[64];
        dice = dice * 1103515245 + 12345;
        unsigned bits = 8 + (dice >> 16) % 25;
        uint32_t address = (10u << 24 | (dice >> 8 & 0x00070707)) & ~0u << (32 - bits);
        snprintf(text, sizeof(text), "%u.%u.%u.%u/%u", address >> 24, address >> 16 & 255,
                 address >> 8 & 255, address & 255, bits);
        rules[i] = make_rule(text, (uint16_t)((dice >> 20) % 20));
    }
    struct client_index *index = client_index_new(rules, RULES);
    for (int i = 0; i < PROBES; i++) {
        dice = dice * 1103515245 + 12345;
        struct addr addr = {.family = AF_INET,
                            .bytes = {10, dice >> 24 & 7, dice >> 16 & 7, dice >> 8 & 7}};
        uint16_t expected = CLIENT_NONE;
        for (int k = 0; k < RULES; k++) {
            bool better = rules[k].value < expected && prefix_covers(&rules[k].prefix, &addr);
            expected = better ? rules[k].value : expected;
        }
        assert_int_equal(client_find(index, &addr), expected);
    }
    client_index_free(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_group_that_covers_an_address_wins),
        cmocka_unit_test(families_stay_apart),
        cmocka_unit_test(an_empty_index_covers_nothing),
        cmocka_unit_test(it_agrees_with_asking_every_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
