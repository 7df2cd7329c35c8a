// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "cache/cache.h"

/* A whole message with one A record whose address is `mark`. */
struct sample {
    struct dname name;
    uint8_t wire[512];
    uint16_t ttl_at[1];
    struct answer answer;
};

static void make_sample(struct sample *sample, const char *name, uint32_t mark, uint32_t ttl)
{
    struct wire out;
    assert_int_equal(dname_parse(name, &sample->name), 0);
    wire_init(&out, sample->wire, sizeof(sample->wire));
    wire_put_u16(&out, 0);
    wire_put_u16(&out, FLAG_QR | FLAG_RD | FLAG_RA);
    wire_put_u32(&out, 0x00010001);
    wire_put_u32(&out, 0);
    wire_put(&out, sample->name.wire, sample->name.len);
    wire_put_u32(&out, 0x00010001);
    wire_put_u16(&out, 0xc00c);
    wire_put_u32(&out, 0x00010001);
    sample->ttl_at[0] = (uint16_t)out.len;
    wire_put_u32(&out, ttl);
    wire_put_u16(&out, 4);
    wire_put_u32(&out, mark);
    sample->answer =
        (struct answer){sample->wire, out.len, sample->ttl_at, 1, ttl, RCODE_NOERROR, false};
}

static uint8_t buffer[DNS_MESSAGE_MAX + 1 + ANSWER_RECORDS_MAX * 2];

static uint32_t stale_s; /* what get() allows */

static bool get(struct cache *cache, const struct dname *name, uint32_t now,
                struct cache_copy *copy)
{
    const struct cache_key key = {.name = name, .type = TYPE_A};
    const struct cache_want want = {buffer, sizeof(buffer), now, stale_s};
    return cache_get(cache, &key, &want, copy);
}

static void put(struct cache *cache, const struct sample *sample, uint32_t now)
{
    const struct cache_key key = {.name = &sample->name, .type = TYPE_A};
    const struct cache_mark mark = {1, 0, now};
    cache_put(cache, &key, &sample->answer, &mark);
}

static uint32_t marked(const struct cache_copy *copy)
{
    return load_u32(buffer + copy->len - 4);
}

static void finds_what_was_put_until_it_expires(void **state)
{
    (void)state;
    struct cache *cache = cache_new(1 << 20);
    struct sample sample;
    struct cache_copy copy;
    make_sample(&sample, "www.example.com", 42, 60);
    assert_false(get(cache, &sample.name, 100, &copy));
    put(cache, &sample, 100);
    assert_true(get(cache, &sample.name, 130, &copy));
    assert_int_equal(copy.len, sample.answer.len);
    assert_memory_equal(buffer, sample.wire, copy.len);
    assert_int_equal(copy.ttl_count, 1);
    assert_int_equal(copy.ttl_at[0], sample.ttl_at[0]);
    assert_int_equal(copy.age_s, 30);
    assert_int_equal(copy.left_s, 30);
    assert_false(get(cache, &sample.name, 160, &copy));
    stale_s = 10;
    assert_true(get(cache, &sample.name, 160, &copy));
    assert_int_equal(copy.left_s, 0);
    assert_false(get(cache, &sample.name, 170, &copy));
    stale_s = 0;
    cache_free(cache);
}

static void keeps_types_and_flags_apart(void **state)
{
    (void)state;
    struct cache *cache = cache_new(1 << 20);
    struct sample sample;
    struct cache_copy copy;
    const struct cache_want want = {buffer, sizeof(buffer), 1, 0};
    make_sample(&sample, "a.example", 1, 60);
    put(cache, &sample, 1);
    const struct cache_key others[] = {
        {&sample.name, TYPE_AAAA, false, false},
        {&sample.name, TYPE_A, true, false},
        {&sample.name, TYPE_A, false, true},
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_false(cache_get(cache, &others[i], &want, &copy));
    }
    cache_free(cache);
}

static void a_newer_answer_replaces_the_older(void **state)
{
    (void)state;
    struct cache *cache = cache_new(1 << 20);
    struct sample sample;
    struct cache_copy copy;
    struct cache_use use;
    for (uint32_t i = 1; i <= 5; i++) {
        make_sample(&sample, "a.example", i, 60);
        put(cache, &sample, i);
    }
    assert_true(get(cache, &sample.name, 5, &copy));
    assert_int_equal(marked(&copy), 5);
    cache_measure(cache, &use);
    assert_int_equal(use.entries, 1);
    cache_free(cache);
}

static void a_tag_stays_until_the_entry_is_replaced(void **state)
{
    (void)state;
    struct cache *cache = cache_new(1 << 20);
    struct sample sample;
    struct cache_copy copy;
    make_sample(&sample, "a.example", 1, 60);
    put(cache, &sample, 1);
    assert_true(get(cache, &sample.name, 1, &copy));
    cache_tag(cache, &copy, 77, 3);
    assert_true(get(cache, &sample.name, 1, &copy));
    assert_int_equal(copy.generation, 77);
    assert_int_equal(copy.tag, 3);
    put(cache, &sample, 1);
    cache_tag(cache, &copy, 99, 9); /* the copy is of the entry that went */
    assert_true(get(cache, &sample.name, 1, &copy));
    assert_int_equal(copy.generation, 1);
    cache_free(cache);
}

static void stays_within_its_bytes_and_keeps_what_is_asked_for(void **state)
{
    (void)state;
    struct cache *cache = cache_new(1 << 20);
    struct sample hot, sample;
    struct cache_copy copy;
    struct cache_use use;
    unsigned kept = 0;
    make_sample(&hot, "hot.example", 7, 86400);
    put(cache, &hot, 1);
    for (uint32_t i = 0; i < 200000; i++) {
        char name[64];
        snprintf(name, sizeof(name), "n%u.random.example", i);
        make_sample(&sample, name, i, 86400);
        put(cache, &sample, 1);
        if (i % 50 == 0) {
            kept += get(cache, &hot.name, 1, &copy) && marked(&copy) == 7;
        }
        if (i % 1000 == 0) {
            assert_true(get(cache, &sample.name, 1, &copy));
            assert_int_equal(marked(&copy), i);
        }
    }
    cache_measure(cache, &use);
    assert_true(use.bytes <= use.bytes_max);
    assert_true(use.entries > 2000);
    assert_true(kept >= 3900);
    cache_free(cache);
}

static void too_large_answers_and_ttl_0_are_not_kept(void **state)
{
    (void)state;
    struct cache *cache = cache_new(1 << 20);
    static uint8_t wire[65000];
    struct sample sample;
    struct cache_copy copy;
    make_sample(&sample, "a.example", 1, 0);
    put(cache, &sample, 1);
    assert_false(get(cache, &sample.name, 1, &copy));
    make_sample(&sample, "a.example", 1, 60);
    memcpy(wire, sample.wire, sample.answer.len);
    sample.answer.wire = wire;
    sample.answer.len = sizeof(wire);
    put(cache, &sample, 1);
    assert_false(get(cache, &sample.name, 1, &copy));
    cache_free(cache);
}

struct race {
    struct cache *cache;
    unsigned seed;
    unsigned wrong, found;
};

/* Every name has one right mark, its own number: whatever is read must say so. */
static void *run_race(void *argument)
{
    struct race *race = argument;
    static _Thread_local uint8_t room[4096];
    for (unsigned i = 0; i < 60000; i++) {
        struct sample sample;
        struct cache_copy copy;
        char name[64];
        unsigned number = (race->seed = race->seed * 1103515245 + 12345) >> 16 & 0x3fff;
        snprintf(name, sizeof(name), "n%u.example", number);
        make_sample(&sample, name, number, 60);
        const struct cache_key key = {.name = &sample.name, .type = TYPE_A};
        const struct cache_want want = {room, sizeof(room), 1, 0};
        const struct cache_mark mark = {1, 0, 1};
        if (cache_get(race->cache, &key, &want, &copy)) {
            race->found++;
            race->wrong += load_u32(room + copy.len - 4) != number;
            cache_tag(race->cache, &copy, 1, number);
        } else {
            cache_put(race->cache, &key, &sample.answer, &mark);
        }
    }
    return NULL;
}

static void threads_never_read_a_torn_entry(void **state)
{
    (void)state;
    struct race races[4];
    pthread_t threads[4];
    struct cache *cache = cache_new(1 << 20);
    for (unsigned i = 0; i < 4; i++) {
        races[i] = (struct race){cache, i + 1, 0, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, run_race, &races[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(races[i].wrong, 0);
        assert_true(races[i].found > 1000);
    }
    cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_put_until_it_expires),
        cmocka_unit_test(keeps_types_and_flags_apart),
        cmocka_unit_test(a_newer_answer_replaces_the_older),
        cmocka_unit_test(a_tag_stays_until_the_entry_is_replaced),
        cmocka_unit_test(stays_within_its_bytes_and_keeps_what_is_asked_for),
        cmocka_unit_test(too_large_answers_and_ttl_0_are_not_kept),
        cmocka_unit_test(threads_never_read_a_torn_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
