// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "query/bucket.h"
#include "world.h"

static struct addr addr_of(const char *text)
{
    struct addr addr;
    assert_int_equal(addr_parse(text, &addr), 0);
    return addr;
}

/* How many of `tries` queries at once pass. */
static unsigned passing(struct bucket_table *table, const char *who, uint64_t now_us)
{
    struct addr client = addr_of(who);
    const struct bucket_claim claim = {&client, 1, false, 50};
    unsigned passed = 0;
    for (unsigned i = 0; i < 200; i++) {
        passed += bucket_take(table, &claim, now_us);
    }
    return passed;
}

static void a_bucket_holds_one_second_and_fills_at_its_rate(void **state)
{
    (void)state;
    struct bucket_table *table = bucket_table_new();
    uint64_t now = (1ULL << 44) - 500000; /* its time wraps on the way */
    assert_non_null(table);
    assert_int_equal(passing(table, "192.0.2.1", now), 50);
    assert_int_equal(passing(table, "192.0.2.1", now), 0);
    assert_int_equal(passing(table, "192.0.2.1", now + 100000), 5);
    assert_int_equal(passing(table, "192.0.2.1", now + 600000), 25);
    assert_int_equal(passing(table, "192.0.2.1", now + 9000000), 50);
    assert_int_equal(passing(table, "192.0.2.1", now + (1ULL << 43)), 50);
    assert_int_equal(passing(table, "192.0.2.1", now + 7 * (1ULL << 42)), 50);
    bucket_table_free(table);
}

static void addresses_and_kinds_have_buckets_of_their_own(void **state)
{
    (void)state;
    struct bucket_table *table = bucket_table_new();
    struct addr client = addr_of("192.0.2.1");
    const struct bucket_claim other_kind = {&client, 2, false, 50};
    assert_int_equal(passing(table, "192.0.2.1", 1), 50);
    assert_int_equal(passing(table, "192.0.2.2", 1), 50);
    assert_int_equal(passing(table, "2001:db8:0:1::1", 1), 50);
    assert_int_equal(passing(table, "2001:db8:0:1:ffff::2", 1), 50);
    assert_int_equal(passing(table, "fe80::1", 1), 50);
    assert_int_equal(passing(table, "fe80::2", 1), 50);
    assert_int_equal(passing(table, "fe80::1", 1), 0);
    assert_true(bucket_take(table, &other_kind, 1));
    bucket_table_free(table);
}

/* A device that takes one address after the other does not get on for ever, and does not
 * spend what its neighbours have before its own is spent. */
static void an_ipv6_network_has_a_bucket_for_all(void **state)
{
    (void)state;
    struct bucket_table *table = bucket_table_new();
    unsigned passed = 0;
    for (unsigned i = 1; i <= 100; i++) {
        char who[40];
        snprintf(who, sizeof(who), "2001:db8:0:1::%x", i);
        passed += passing(table, who, 1);
    }
    assert_int_equal(passed, 50 * BUCKET_NETWORK);
    assert_int_equal(passing(table, "2001:db8:0:2::1", 1), 50);
    bucket_table_free(table);
}

static void an_ipv6_network_may_be_one_client(void **state)
{
    (void)state;
    struct bucket_table *table = bucket_table_new();
    struct addr one = addr_of("2001:db8:0:1::1"), near = addr_of("2001:db8:0:1::2");
    struct addr far = addr_of("2001:db8:0:2::1");
    const struct bucket_claim first = {&one, 1, true, 1}, second = {&near, 1, true, 1};
    const struct bucket_claim third = {&far, 1, true, 1};
    assert_true(bucket_take(table, &first, 1));
    assert_false(bucket_take(table, &second, 1));
    assert_true(bucket_take(table, &third, 1));
    bucket_table_free(table);
}

static void too_many_clients_make_the_limit_looser_never_stricter(void **state)
{
    (void)state;
    struct bucket_table *table = bucket_table_new();
    for (unsigned i = 0; i < 100000; i++) {
        char who[32];
        snprintf(who, sizeof(who), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        struct addr client = addr_of(who);
        const struct bucket_claim claim = {&client, 1, false, 50};
        assert_true(bucket_take(table, &claim, 1));
    }
    bucket_table_free(table);
}

static const char config[] = "dns: {rate_limit_qps: 10, trusted_forwarders: [10.9.0.0/16]}\n"
                             "groups:\n"
                             "  - {name: all, clients: [], block: [adult]}\n";
static const struct world_list lists[] = {
    {"sites", "adult", FORMAT_DOMAINS, MATCH_SUBTREE, "bad.example\n"},
};
static const struct world_setup setup = {config, lists, 1, NULL, 0};

struct tally {
    unsigned answered, cut, refused, silent, asked;
};

static struct tally ask_often(struct world *world, const char *client, uint8_t transport)
{
    struct tally tally = {0};
    unsigned before = world->asked;
    for (unsigned i = 0; i < 30; i++) {
        const struct world_question question = {client, NULL, "www.example",
                                                TYPE_A, true, .tcp = transport == STATS_TCP};
        world_ask(world, &question);
        bool cut = world->reply_len && load_u16(world->reply + 2) & FLAG_TC;
        tally.silent += world->reply_len == 0;
        tally.cut += cut;
        tally.refused += world->reply_len && world_rcode(world) == RCODE_REFUSED;
        tally.answered += world->reply_len && !cut && world_rcode(world) == RCODE_NOERROR;
    }
    tally.asked = world->asked - before;
    return tally;
}

static void queries_over_the_limit_are_dropped_and_half_of_them_told_to_use_tcp(void **state)
{
    (void)state;
    struct world *world = world_new(&setup);
    struct tally udp = ask_often(world, "10.1.0.1", STATS_UDP);
    assert_int_equal(udp.answered, 10);
    assert_int_equal(udp.cut, 10);
    assert_int_equal(udp.silent, 10);
    assert_int_equal(world->worker.drops[DROP_RATE], 10);
    assert_int_equal(world->worker.drops[DROP_SLIPPED], 10);
    /* Over TCP the address is its own, whatever others sent in its name. */
    struct tally tcp = ask_often(world, "10.1.0.1", STATS_TCP);
    assert_int_equal(tcp.answered, 10);
    assert_int_equal(tcp.refused, 20);
    assert_int_equal(ask_often(world, "10.1.0.2", STATS_UDP).answered, 10);
    world->mono_us += 500000;
    assert_int_equal(ask_often(world, "10.1.0.1", STATS_UDP).answered, 5);
    world_free(world);
}

static void loopback_and_trusted_forwarders_have_no_limit(void **state)
{
    (void)state;
    struct world *world = world_new(&setup);
    assert_int_equal(ask_often(world, "127.0.0.1", STATS_UDP).answered, 30);
    assert_int_equal(ask_often(world, "::1", STATS_UDP).answered, 30);
    assert_int_equal(ask_often(world, "10.9.1.1", STATS_UDP).answered, 30);
    world_free(world);
}

static void no_limit_when_it_is_0(void **state)
{
    (void)state;
    const struct world_setup off = {
        "dns: {rate_limit_qps: 0}\ngroups: [{name: all, clients: [], block: []}]\n", NULL, 0, NULL,
        0};
    struct world *world = world_new(&off);
    assert_int_equal(ask_often(world, "10.1.0.1", STATS_UDP).answered, 30);
    world_free(world);
}

static void strangers_are_refused_five_times_a_second_then_left_alone(void **state)
{
    (void)state;
    struct world *world = world_new(&setup);
    struct tally first = ask_often(world, "203.0.113.1", STATS_UDP);
    assert_int_equal(first.refused, 5);
    assert_int_equal(first.answered, 0);
    assert_int_equal(ask_often(world, "203.0.113.2", STATS_UDP).refused, 5);
    assert_int_equal(first.asked, 0);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_holds_one_second_and_fills_at_its_rate),
        cmocka_unit_test(addresses_and_kinds_have_buckets_of_their_own),
        cmocka_unit_test(an_ipv6_network_has_a_bucket_for_all),
        cmocka_unit_test(an_ipv6_network_may_be_one_client),
        cmocka_unit_test(too_many_clients_make_the_limit_looser_never_stricter),
        cmocka_unit_test(queries_over_the_limit_are_dropped_and_half_of_them_told_to_use_tcp),
        cmocka_unit_test(loopback_and_trusted_forwarders_have_no_limit),
        cmocka_unit_test(no_limit_when_it_is_0),
        cmocka_unit_test(strangers_are_refused_five_times_a_second_then_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
