// SPDX-License-Identifier: Apache-2.0
/* Expired answers that stand in (RFC 8767), failures that are remembered (RFC 9520),
 * negative answers (RFC 2308), through the real stages of a query. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "cache/failure.h"
#include "query/waiting.h"
#include "world.h"

static const char config[] = "cache: {serve_stale_s: 3600}\n"
                             "block: {page_ipv4: 192.0.2.80, ttl_s: 10}\n"
                             "groups: [{name: pupils, clients: [], block: [adult]}]\n";
static const struct world_list lists[] = {
    {"sites", "adult", FORMAT_DOMAINS, MATCH_SUBTREE, "bad.example\n"},
};
static const struct world_list more_lists[] = {
    {"sites", "adult", FORMAT_DOMAINS, MATCH_SUBTREE, "bad.example\nwww.example\n"},
};
static const struct world_setup setup = {config, lists, 1, NULL, 0};
static const struct world_setup blocks_www = {config, more_lists, 1, NULL, 0};

static void ask_type(struct world *world, const char *name, uint16_t type)
{
    const struct world_question question = {"10.0.0.7", NULL, name, type, true};
    world_ask(world, &question);
}

static void ask(struct world *world, const char *name)
{
    ask_type(world, name, TYPE_A);
}

static void pass_ms(struct world *world, uint64_t ms)
{
    world->mono_us += ms * 1000;
    query_tick(&world->worker);
    query_serve_stale(&world->worker);
}

/* www.example in the cache with a TTL of 300, expired since 100 s. */
static struct world *expired_world(void)
{
    struct world *world = world_new(&setup);
    ask(world, "www.example");
    assert_string_equal(world_record(world, 0), "A 192.0.2.1 300");
    pass_ms(world, 400000);
    return world;
}

static void stale_data_is_sent_after_1800_ms_while_the_exchange_goes_on(void **state)
{
    (void)state;
    struct world *world = expired_world();
    world->upstream = WORLD_SILENT;
    ask(world, "www.example");
    assert_int_equal(world->reply_len, 0);
    assert_int_equal(query_stale_due_ms(&world->worker), 1800);
    pass_ms(world, 1799);
    assert_int_equal(world->reply_len, 0);
    pass_ms(world, 1);
    assert_string_equal(world_record(world, 0), "A 192.0.2.1 30");
    assert_int_equal(world_ede(world), EDE_STALE);
    assert_int_equal(load_u16(world->reply), 0x1234);
    assert_int_equal(world->held, 0);
    assert_int_equal(world->worker.waiting_count, 0);
    assert_int_equal(query_stale_due_ms(&world->worker), -1);
    world->reply_len = 0;
    world->upstream = WORLD_ADDRESS;
    assert_int_equal(addr_parse("192.0.2.2", &world->upstream_address), 0);
    world_upstream_speaks(world); /* refreshes the cache, and nothing is sent twice */
    assert_int_equal(world->reply_len, 0);
    unsigned before = world->asked;
    ask(world, "www.example");
    assert_string_equal(world_record(world, 0), "A 192.0.2.2 300");
    assert_int_equal(world->asked, before);
    world_free(world);
}

static void an_answer_in_time_is_sent_instead(void **state)
{
    (void)state;
    struct world *world = expired_world();
    world->upstream = WORLD_SILENT;
    ask(world, "www.example");
    pass_ms(world, 1799);
    world->upstream = WORLD_ADDRESS;
    world_upstream_speaks(world);
    assert_string_equal(world_record(world, 0), "A 192.0.2.1 300");
    assert_int_equal(world_ede(world), -1);
    assert_int_equal(query_stale_due_ms(&world->worker), -1);
    world->reply_len = 0;
    pass_ms(world, 10);
    assert_int_equal(world->reply_len, 0);
    world_free(world);
}

/* RFC 8914 section 4.20 */
static void a_stale_denial_says_that_it_is_one(void **state)
{
    (void)state;
    struct world *world = world_new(&setup);
    world->upstream = WORLD_NXDOMAIN;
    ask(world, "gone.example");
    assert_int_equal(world_rcode(world), RCODE_NXDOMAIN);
    pass_ms(world, 400000);
    world->upstream = WORLD_FAILS;
    ask(world, "gone.example");
    assert_int_equal(world_rcode(world), RCODE_NXDOMAIN);
    assert_int_equal(world_ede(world), EDE_STALE_NXDOMAIN);
    world_free(world);
}

static void without_stale_data_the_query_waits_on(void **state)
{
    (void)state;
    struct world *world = world_new(&setup);
    world->upstream = WORLD_SILENT;
    ask(world, "www.example");
    assert_int_equal(query_stale_due_ms(&world->worker), -1);
    pass_ms(world, 2000);
    assert_int_equal(world->reply_len, 0);
    world->upstream = WORLD_ADDRESS;
    world_upstream_speaks(world);
    assert_string_equal(world_record(world, 0), "A 192.0.2.1 300");
    world_free(world);
}

static void stale_data_of_a_name_blocked_since_is_never_sent(void **state)
{
    (void)state;
    struct world *world = expired_world();
    world->upstream = WORLD_SILENT;
    ask(world, "www.example");
    world_change(world, &blocks_www);
    pass_ms(world, 1800);
    assert_string_equal(world_record(world, 0), "A 192.0.2.80 10");
    assert_int_equal(world_ede(world), 17);
    world->upstream = WORLD_FAILS;
    world_upstream_speaks(world);
    ask(world, "www.example");
    assert_string_equal(world_record(world, 0), "A 192.0.2.80 10");
    world_free(world);
}

static void after_a_failure_stale_data_is_sent_at_once(void **state)
{
    (void)state;
    struct world *world = expired_world();
    world->upstream = WORLD_FAILS;
    ask(world, "www.example");
    assert_int_equal(world_ede(world), EDE_STALE);
    unsigned before = world->asked;
    for (int i = 0; i < 50; i++) {
        ask(world, "www.example");
        assert_string_equal(world_record(world, 0), "A 192.0.2.1 30");
    }
    assert_int_equal(world->asked, before); /* RFC 9520 section 3.2 */
    pass_ms(world, 1250);                   /* the failure is over: asked again */
    ask(world, "www.example");
    assert_int_equal(world->asked, before + 1);
    world_free(world);
}

static void stale_data_has_an_end(void **state)
{
    (void)state;
    struct world *world = world_new(&setup);
    ask(world, "www.example");
    world->upstream = WORLD_FAILS;
    pass_ms(world, (300 + 3599) * 1000);
    for (int i = 0; i < 3; i++) { /* sending it does not make it younger */
        ask(world, "www.example");
        assert_int_equal(world_ede(world), EDE_STALE);
    }
    pass_ms(world, 1000);
    ask(world, "www.example");
    assert_int_equal(world_rcode(world), RCODE_SERVFAIL);
    world_free(world);
}

static void a_question_that_failed_is_not_asked_by_every_client(void **state)
{
    (void)state;
    struct world *world = world_new(&setup);
    ask(world, "other.example"); /* there is no outage */
    world->upstream = WORLD_FAILS;
    for (int i = 0; i < 100; i++) {
        ask(world, "dead.example");
        assert_int_equal(world_rcode(world), RCODE_SERVFAIL);
        assert_int_equal(world_ede(world), EDE_NO_REACHABLE_AUTHORITY);
    }
    assert_int_equal(world->asked, 2);
    ask_type(world, "dead.example", TYPE_AAAA); /* another question */
    assert_int_equal(world->asked, 3);
    pass_ms(world, 1250);
    world->upstream = WORLD_ADDRESS;
    ask(world, "dead.example");
    assert_string_equal(world_record(world, 0), "A 192.0.2.1 300");
    world_free(world);
}

static struct failure_table table;
enum { HASH = 1 };
#define HASHED ((uint64_t)HASH << 40 | 5)

static uint64_t ms(uint32_t seconds)
{
    return seconds * (uint64_t)1000;
}

static void failures_back_off_from_1_to_30_s(void **state)
{
    (void)state;
    static const uint32_t expected[] = {1, 2, 4, 8, 16, 30, 30};
    uint32_t now = 1000;
    memset(&table, 0, sizeof(table));
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        failure_clear(&table, 77, now); /* others are answered: no outage */
        failure_note(&table, HASHED, ms(now), -EREMOTEIO);
        failure_note(&table, HASHED, ms(now), -ETIMEDOUT); /* of the same exchange */
        for (uint32_t at = 0; at < expected[i]; at++, now++) {
            failure_clear(&table, 77, now);
            assert_int_equal(failure_find(&table, HASHED, ms(now)), -EREMOTEIO);
        }
        assert_int_equal(failure_find(&table, HASHED, ms(now)), -EREMOTEIO);
        now++;
        assert_int_equal(failure_find(&table, HASHED, ms(now)), 0);
    }
    now += 61; /* and begin anew after a minute without */
    failure_clear(&table, 77, now);
    failure_note(&table, HASHED, ms(now), -ETIMEDOUT);
    assert_int_equal(failure_find(&table, HASHED, ms(now)), -ETIMEDOUT);
    assert_int_equal(failure_find(&table, HASHED, ms(now + 2)), 0);
    failure_note(&table, HASHED, ms(now + 2), -ETIMEDOUT);
    failure_clear(&table, HASHED, now + 2);
    assert_int_equal(failure_find(&table, HASHED, ms(now + 2)), 0);
}

static void in_an_outage_one_question_a_second_is_let_through(void **state)
{
    (void)state;
    memset(&table, 0, sizeof(table));
    failure_clear(&table, 77, 1000);
    for (uint32_t i = 0; i < 5; i++) { /* at 1010, 1012, 1015, 1020, 1029: until 1045 */
        failure_note(&table, HASHED, ms(1009 + (1U << i) + i), -ETIMEDOUT);
    }
    unsigned through = 0;
    for (unsigned i = 0; i < 1000; i++) {
        through += failure_find(&table, HASHED, ms(1031)) == 0;
    }
    assert_int_equal(through, 1);
    assert_int_equal(failure_find(&table, HASHED, ms(1032)), 0);
    assert_int_equal(failure_find(&table, HASHED, ms(1032)), -ETIMEDOUT);
    failure_note(&table, (uint64_t)9 << 40, ms(1032), -ETIMEDOUT);
    failure_clear(&table, 77, 1032); /* the outage is over: what is old is asked again */
    assert_int_equal(failure_find(&table, HASHED, ms(1032)), 0);
    assert_int_equal(failure_find(&table, (uint64_t)9 << 40, ms(1032)), -ETIMEDOUT); /* RFC 9520 */
}

/* RFC 9520 section 3.2: "Resolvers MUST cache resolution failures for at least 1 second." */
static void a_failure_rests_for_a_second_in_an_outage_too(void **state)
{
    (void)state;
    for (unsigned part = 0; part < 1000; part += 90) {
        uint64_t now = ms(1010) + part;
        memset(&table, 0, sizeof(table));
        failure_clear(&table, 77, 1000);
        failure_note(&table, HASHED, now, -ETIMEDOUT);
        for (unsigned i = 0; i <= 1000; i += 50) {
            assert_int_equal(failure_find(&table, HASHED, now + i), -ETIMEDOUT);
        }
        assert_int_equal(failure_find(&table, HASHED, now + 1250), 0);
    }
}

static void the_table_of_failures_is_bounded(void **state)
{
    (void)state;
    unsigned held = 0;
    memset(&table, 0, sizeof(table));
    failure_clear(&table, 77, 1000);
    for (uint64_t i = 1; i <= 100000; i++) {
        failure_note(&table, i << 32 | i, ms(1000), -ETIMEDOUT);
    }
    for (uint64_t i = 1; i <= 100000; i++) {
        held += failure_find(&table, i << 32 | i, ms(1000)) != 0;
    }
    assert_int_equal(held, FAILURE_SETS * FAILURE_WAYS);
}

static void a_name_that_does_not_exist_has_no_type_at_all(void **state)
{
    (void)state;
    struct world *world = world_new(&setup);
    world->upstream = WORLD_NXDOMAIN;
    ask(world, "no.example");
    world->upstream = WORLD_ADDRESS;
    ask_type(world, "no.example", TYPE_AAAA);
    assert_int_equal(world_rcode(world), RCODE_NXDOMAIN);
    assert_int_equal(load_u16(world->reply + world->reply_len - 4), 0); /* an OPT at the end */
    assert_int_equal(world->asked, 1);
    pass_ms(world, 60000); /* the SOA's MINIMUM is 60, its TTL 300: the least counts */
    ask_type(world, "no.example", TYPE_AAAA);
    assert_int_equal(world_rcode(world), RCODE_NOERROR);
    assert_int_equal(world->asked, 2);
    world_free(world);
}

static void the_ttl_of_an_answer_never_grows_from_its_own_copy(void **state)
{
    (void)state;
    struct world *world = world_new(&setup);
    world->upstream_ttl = 100;
    ask(world, "ghost.example");
    for (uint32_t left = 90; left > 10; left -= 10) {
        char expected[64];
        pass_ms(world, 10000);
        ask(world, "ghost.example");
        snprintf(expected, sizeof(expected), "A 192.0.2.1 %u", left);
        assert_string_equal(world_record(world, 0), expected);
    }
    world->upstream = WORLD_NXDOMAIN; /* the name was taken away meanwhile */
    pass_ms(world, 20000);
    ask(world, "ghost.example");
    assert_int_equal(world_rcode(world), RCODE_NXDOMAIN);
    world->upstream = WORLD_FAILS;
    for (int i = 0; i < 2; i++) { /* nor does the older answer come back, fresh or stale */
        ask(world, "ghost.example");
        assert_int_equal(world_rcode(world), RCODE_NXDOMAIN);
        pass_ms(world, 100000);
    }
    world_free(world);
}

static void ttl_0_is_passed_on_and_not_kept(void **state)
{
    (void)state;
    struct world *world = world_new(&setup);
    world->upstream_ttl = 0;
    for (unsigned i = 1; i <= 2; i++) {
        ask(world, "zero.example");
        assert_string_equal(world_record(world, 0), "A 192.0.2.1 0");
        assert_int_equal(world->asked, i);
    }
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stale_data_is_sent_after_1800_ms_while_the_exchange_goes_on),
        cmocka_unit_test(an_answer_in_time_is_sent_instead),
        cmocka_unit_test(a_stale_denial_says_that_it_is_one),
        cmocka_unit_test(without_stale_data_the_query_waits_on),
        cmocka_unit_test(stale_data_of_a_name_blocked_since_is_never_sent),
        cmocka_unit_test(after_a_failure_stale_data_is_sent_at_once),
        cmocka_unit_test(stale_data_has_an_end),
        cmocka_unit_test(a_question_that_failed_is_not_asked_by_every_client),
        cmocka_unit_test(failures_back_off_from_1_to_30_s),
        cmocka_unit_test(in_an_outage_one_question_a_second_is_let_through),
        cmocka_unit_test(a_failure_rests_for_a_second_in_an_outage_too),
        cmocka_unit_test(the_table_of_failures_is_bounded),
        cmocka_unit_test(a_name_that_does_not_exist_has_no_type_at_all),
        cmocka_unit_test(the_ttl_of_an_answer_never_grows_from_its_own_copy),
        cmocka_unit_test(ttl_0_is_passed_on_and_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
