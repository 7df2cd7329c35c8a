// SPDX-License-Identifier: Apache-2.0
/* Popular answers are asked anew before they expire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "query/refresh.h"
#include "world.h"

static const char config[] = "groups: [{name: pupils, clients: [], block: [adult]}]\n";
static const struct world_setup setup = {config, NULL, 0, NULL, 0};

static void ask(struct world *world, const char *name)
{
    const struct world_question question = {"10.0.0.7", NULL, name, TYPE_A, true};
    world_ask(world, &question);
}

static void pass_s(struct world *world, uint64_t seconds)
{
    world->mono_us += seconds * 1000000;
}

static uint64_t counted(const struct world *world)
{
    return world->worker.stats->transports[STATS_UDP];
}

static void what_is_asked_often_is_refreshed_in_the_last_tenth(void **state)
{
    (void)state;
    struct world *world = world_new(&setup);
    ask(world, "www.example");
    pass_s(world, 100);
    ask(world, "www.example");
    pass_s(world, 169); /* 31 of 300 s are left */
    ask(world, "www.example");
    assert_int_equal(world->asked, 1);
    pass_s(world, 1);
    uint64_t before = counted(world);
    ask(world, "www.example");
    assert_string_equal(world_record(world, 0), "A 192.0.2.1 30"); /* nobody waits */
    assert_int_equal(world->asked, 2);
    assert_int_equal(counted(world), before + 1);
    ask(world, "www.example");
    assert_string_equal(world_record(world, 0), "A 192.0.2.1 300");
    assert_int_equal(world->asked, 2);
    world_free(world);
}

static void what_is_asked_seldom_just_expires(void **state)
{
    (void)state;
    struct world *world = world_new(&setup);
    ask(world, "www.example");
    pass_s(world, 290);
    ask(world, "www.example"); /* again, but once only */
    assert_int_equal(world->asked, 1);
    pass_s(world, 10);
    ask(world, "www.example");
    assert_int_equal(world->asked, 2);
    world_free(world);
}

static void one_refresh_is_enough_and_a_failed_one_costs_nothing(void **state)
{
    (void)state;
    struct world *world = world_new(&setup);
    ask(world, "www.example");
    ask(world, "www.example");
    pass_s(world, 280);
    world->upstream = WORLD_SILENT;
    for (int i = 0; i < 10; i++) {
        ask(world, "www.example");
        assert_string_equal(world_record(world, 0), "A 192.0.2.1 20");
    }
    assert_int_equal(world->asked, 2);
    world->upstream = WORLD_FAILS;
    world_upstream_speaks(world);
    ask(world, "www.example");
    assert_string_equal(world_record(world, 0), "A 192.0.2.1 20");
    assert_int_equal(world->asked, 2);
    world_free(world);
}

static void so_many_and_no_more_are_on_their_way(void **state)
{
    (void)state;
    struct world *world = world_new(&setup);
    char name[64];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 2 * REFRESHES_MAX; i++) {
            snprintf(name, sizeof(name), "www%d.example", i);
            ask(world, name);
        }
    }
    unsigned before = world->asked;
    pass_s(world, 280);
    world->upstream = WORLD_SILENT;
    for (int i = 0; i < 2 * REFRESHES_MAX; i++) {
        snprintf(name, sizeof(name), "www%d.example", i);
        ask(world, name);
        assert_string_equal(world_record(world, 0), "A 192.0.2.1 20");
    }
    assert_int_equal(world->asked, before + REFRESHES_MAX);
    world->upstream = WORLD_ADDRESS;
    world_upstream_speaks(world); /* the last of them is done: one more may go */
    ask(world, "www50.example");
    assert_int_equal(world->asked, before + REFRESHES_MAX + 1);
    world_free(world);
}

static void a_blocked_name_is_not_refreshed(void **state)
{
    (void)state;
    static const struct world_list lists[] = {
        {"sites", "adult", FORMAT_DOMAINS, MATCH_SUBTREE, "www.example\n"},
    };
    static const struct world_setup blocks = {config, lists, 1, NULL, 0};
    struct world *world = world_new(&setup);
    for (int i = 0; i < 3; i++) {
        ask(world, "www.example");
    }
    pass_s(world, 290);
    world_change(world, &blocks);
    ask(world, "www.example");
    assert_int_equal(world_ede(world), 17);
    assert_int_equal(world->asked, 1);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_often_is_refreshed_in_the_last_tenth),
        cmocka_unit_test(what_is_asked_seldom_just_expires),
        cmocka_unit_test(one_refresh_is_enough_and_a_failed_one_costs_nothing),
        cmocka_unit_test(so_many_and_no_more_are_on_their_way),
        cmocka_unit_test(a_blocked_name_is_not_refreshed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
