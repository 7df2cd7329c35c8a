// SPDX-License-Identifier: Apache-2.0
/* What is dropped when there is too much, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "world.h"

static const char config[] = "dns: {trusted_forwarders: [10.9.9.9], rate_limit_qps: 0}\n"
                             "groups: [{name: pupils, clients: [], block: [adult]}]\n";
static const struct world_list lists[] = {
    {"sites", "adult", FORMAT_DOMAINS, MATCH_SUBTREE, "bad.example\n"},
};
static const struct world_setup setup = {config, lists, 1, NULL, 0};

static void ask(struct world *world, const char *client, const char *name)
{
    const struct world_question question = {client, NULL, name, TYPE_A, true};
    world_ask(world, &question);
}

static unsigned serial;

/* Ask for new names until one is dropped, at most `most`; returns how many wait. */
static unsigned fill(struct world *world, const char *client, unsigned most)
{
    char name[64];
    unsigned before = world->asked;
    for (unsigned i = 0; i < most; i++) {
        snprintf(name, sizeof(name), "n%u.example", serial++);
        ask(world, client, name);
    }
    return world->asked - before;
}

/* A world in which www.example is cached, old.example has expired, and the upstream
 * has become silent. */
static struct world *silent_world(void)
{
    struct world *world = world_new(&setup);
    world->upstream_ttl = 10;
    ask(world, "10.0.0.7", "old.example");
    world->upstream_ttl = 3600;
    ask(world, "10.0.0.7", "www.example");
    world->mono_us += 20 * 1000000ULL;
    world->upstream = WORLD_SILENT;
    return world;
}

static void assert_the_known_is_answered(struct world *world, const char *client)
{
    ask(world, client, "www.example");
    assert_string_equal(world_record(world, 0), "A 192.0.2.1 3580");
    ask(world, client, "bad.example");
    assert_int_equal(world_ede(world), 17);
    ask(world, client, "old.example"); /* stale, rather than nothing */
    assert_string_equal(world_record(world, 0), "A 192.0.2.1 30");
    assert_int_equal(world_ede(world), EDE_STALE);
}

static void one_client_may_have_a_quarter_of_the_places(void **state)
{
    (void)state;
    struct world *world = silent_world();
    assert_int_equal(fill(world, "10.0.0.7", WAITING_CLIENT_MAX), WAITING_CLIENT_MAX);
    assert_int_equal(world->worker.drops[DROP_WAITING_CLIENT], 0);
    assert_int_equal(fill(world, "10.0.0.7", 100), 0);
    assert_int_equal(world->worker.drops[DROP_WAITING_CLIENT], 100);
    assert_the_known_is_answered(world, "10.0.0.7");
    assert_int_equal(fill(world, "10.0.0.8", 10), 10);
    world->upstream = WORLD_ADDRESS;
    world_upstream_speaks(world); /* a place of the other's is free again, not of this one */
    world->upstream = WORLD_SILENT;
    assert_int_equal(fill(world, "10.0.0.7", 1), 0);
    world_free(world);
}

static void an_ipv6_network_may_have_half_of_the_places(void **state)
{
    (void)state;
    struct world *world = silent_world();
    assert_int_equal(fill(world, "fd00::1", WAITING_CLIENT_MAX + 9), WAITING_CLIENT_MAX);
    assert_int_equal(fill(world, "fd00::2", WAITING_CLIENT_MAX), WAITING_CLIENT_MAX);
    assert_int_equal(fill(world, "fd00::3", 1), 0);
    assert_int_equal(fill(world, "fd00:0:0:1::1", 1), 1);
    world_free(world);
}

static void a_place_comes_back_with_the_answer(void **state)
{
    (void)state;
    struct world *world = silent_world();
    fill(world, "10.0.0.7", WAITING_CLIENT_MAX);
    world->upstream = WORLD_ADDRESS;
    world_upstream_speaks(world);
    world->upstream = WORLD_SILENT;
    assert_int_equal(fill(world, "10.0.0.7", 2), 1);
    world_free(world);
}

static void when_all_places_are_taken_what_is_known_is_answered(void **state)
{
    (void)state;
    struct world *world = silent_world();
    assert_int_equal(fill(world, "10.9.9.9", WAITING_MAX - 5), WAITING_MAX - 5); /* a forwarder */
    assert_int_equal(fill(world, "127.0.0.1", 5), 5);
    assert_int_equal(world->worker.waiting_count, WAITING_MAX);
    assert_int_equal(fill(world, "10.0.0.7", 10), 0);
    assert_int_equal(world->worker.drops[DROP_WAITING_FULL], 10);
    assert_int_equal(world->worker.drops[DROP_WAITING_CLIENT], 0);
    assert_the_known_is_answered(world, "10.0.0.7");
    world_free(world);
}

static void a_worker_that_is_behind_asks_little_and_answers_what_it_knows(void **state)
{
    (void)state;
    struct world *world = silent_world();
    query_batch(&world->worker, true);
    assert_int_equal(fill(world, "10.0.0.7", 64), ASKS_BEHIND);
    assert_int_equal(world->worker.drops[DROP_OVERLOAD], 64 - ASKS_BEHIND);
    assert_the_known_is_answered(world, "10.0.0.7");
    query_batch(&world->worker, false);
    assert_int_equal(fill(world, "10.0.0.7", 64), 64);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_client_may_have_a_quarter_of_the_places),
        cmocka_unit_test(an_ipv6_network_may_have_half_of_the_places),
        cmocka_unit_test(a_place_comes_back_with_the_answer),
        cmocka_unit_test(when_all_places_are_taken_what_is_known_is_answered),
        cmocka_unit_test(a_worker_that_is_behind_asks_little_and_answers_what_it_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
