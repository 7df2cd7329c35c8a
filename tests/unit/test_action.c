// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zonelist.h"

static const char config[] = "groups:\n  - {name: all, block: [adult]}\n";
static const struct world_list zone[] = {
    {"zone", "adult", FORMAT_ZONELIST, 0,
     "moved.example CNAME garden.example.\nself.example CNAME self.example.\n"
     "*.long.example CNAME *.garden.example.\ngone.example CNAME rpz-drop.\n"
     "own.example A 192.0.2.9\nown.example A 192.0.2.10\n"}};
static const struct world_list other[] = {
    {"other", "adult", FORMAT_ZONELIST, 0, "bad.example CNAME .\n"}};
static const struct world_setup with = {config, zone, 1, NULL, 0};
static const struct world_setup without = {config, other, 1, NULL, 0};

static void ask(struct world *world, uint16_t type, const char *name)
{
    const struct world_question question = {
        .client = "10.0.0.7", .name = name, .type = type, .edns = true};
    world_ask(world, &question);
}

static const char *asked_name(const struct world *world)
{
    static char text[DNAME_TEXT_MAX];
    return dname_print(&world->asked_name, text);
}

/* While the upstream is asked for the CNAME's target, a reload takes the entry away:
 * the target's records must not be given for the name asked. */
static void a_reload_while_a_target_is_asked(void **state)
{
    (void)state;
    struct world *world = world_new(&with);
    world->upstream = WORLD_SILENT;
    ask(world, 1, "moved.example");
    assert_string_equal(asked_name(world), "garden.example");
    assert_int_equal(world->reply_len, 0);
    world_change(world, &without);
    struct upstream_waiter *first = world->silent;
    world->upstream = WORLD_ADDRESS;
    world_upstream_speaks(world);
    assert_non_null(first);
    assert_string_equal(asked_name(world), "moved.example");
    assert_int_equal(world->asked, 2);
    assert_string_equal(world_record(world, 0), "A 192.0.2.1 300");
    assert_string_equal(world_record(world, 1), "");
    assert_int_equal(world->held, 0);
    world_free(world);
}

/* And the other way round: the entry comes while the name itself is asked. */
static void a_reload_that_sends_a_name_elsewhere(void **state)
{
    (void)state;
    struct world *world = world_new(&without);
    world->upstream = WORLD_SILENT;
    ask(world, 1, "moved.example");
    assert_string_equal(asked_name(world), "moved.example");
    world_change(world, &with);
    world->upstream = WORLD_ADDRESS;
    world_upstream_speaks(world);
    assert_string_equal(asked_name(world), "garden.example");
    assert_string_equal(world_record(world, 0), "CNAME garden.example 120");
    assert_string_equal(world_record(world, 1), "A 192.0.2.1 300");
    assert_int_equal(world->held, 0);
    world_free(world);
}

/* An upstream that fails is not asked without end, and what was kept of the name itself
 * does not stand in for the target. */
static void a_target_that_fails(void **state)
{
    (void)state;
    struct world *world = world_new(&without);
    ask(world, 1, "moved.example"); /* kept */
    world_change(world, &with);
    world->upstream = WORLD_FAILS;
    world->mono_us += 400 * 1000000ULL; /* expired, but good as stale */
    ask(world, 1, "moved.example");
    assert_int_equal(world->asked, 2);
    assert_int_equal(world_rcode(world), RCODE_SERVFAIL);
    assert_int_equal(world->held, 0);
    world_free(world);
}

static void answers_of_a_target_age(void **state)
{
    (void)state;
    struct world *world = world_new(&with);
    ask(world, 1, "moved.example");
    world->mono_us += 100 * 1000000ULL;
    ask(world, 1, "moved.example");
    assert_int_equal(world->asked, 1);
    assert_string_equal(world_record(world, 0), "CNAME garden.example 120");
    assert_string_equal(world_record(world, 1), "A 192.0.2.1 200");
    ask(world, 1, "garden.example"); /* the same entry of the cache */
    assert_int_equal(world->asked, 1);
    /* A target that is an alias itself: all of its chain is given. */
    world->upstream = WORLD_ALIAS;
    assert_int_equal(dname_parse("far.example", &world->upstream_alias), 0);
    world->mono_us += 300 * 1000000ULL;
    ask(world, 1, "moved.example");
    assert_string_equal(world_record(world, 1), "CNAME far.example 300");
    assert_string_equal(world_record(world, 2), "A 192.0.2.1 300");
    assert_int_equal(load_u16(world->reply + 6), 3);
    world_free(world);
}

static void odd_targets_end(void **state)
{
    (void)state;
    char longest[256];
    struct world *world = world_new(&with);
    ask(world, 1, "self.example");
    assert_int_equal(world->asked, 0);
    assert_string_equal(world_record(world, 0), "CNAME self.example 120");
    /* 63 + 63 + 63 + 49 + "long.example": with the target's it is no name any more. */
    memset(longest, 'a', sizeof(longest));
    longest[63] = longest[127] = longest[191] = '.';
    strcpy(longest + 235, ".long.example");
    ask(world, 1, longest);
    assert_int_equal(world_rcode(world), RCODE_NOERROR);
    assert_string_equal(world_record(world, 0), "");
    assert_int_equal(world->asked, 0);
    ask(world, 1, longest + 200); /* a shorter one is */
    assert_int_equal(world->asked, 1);
    world_free(world);
}

static void several_records_are_all_given(void **state)
{
    (void)state;
    struct world *world = world_new(&with);
    ask(world, 1, "own.example");
    assert_int_equal(load_u16(world->reply + 6), 2);
    ask(world, 255, "own.example");
    assert_int_equal(world->asked, 0);
    world_free(world);
}

static void silence_is_counted(void **state)
{
    (void)state;
    struct world *world = world_new(&with);
    ask(world, 1, "gone.example");
    assert_int_equal(world->reply_len, 0);
    assert_int_equal(world->worker.drops[DROP_POLICY], 1);
    assert_int_equal(world->worker.stats->rcodes[STATS_RCODE_NONE], 1);
    assert_int_equal(world->worker.stats->transports[STATS_UDP], 1);
    ask(world, 1, "www.example");
    assert_int_equal(world->worker.drops[DROP_POLICY], 1);
    assert_int_equal(world->worker.stats->transports[STATS_UDP], 2);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reload_while_a_target_is_asked),
        cmocka_unit_test(a_reload_that_sends_a_name_elsewhere),
        cmocka_unit_test(a_target_that_fails),
        cmocka_unit_test(answers_of_a_target_age),
        cmocka_unit_test(odd_targets_end),
        cmocka_unit_test(several_records_are_all_given),
        cmocka_unit_test(silence_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
