// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "listen/turns.h"

enum { MANY = 2 * TURN_ALL / TURN_EACH };

/* One who asks, and how much of it is left. */
struct asker {
    struct turn turn;
    struct world *world;
    unsigned left;
};

struct world {
    uv_loop_t loop;
    struct turns turns;
    struct asker askers[MANY];
    struct asker *order[8]; /* who went on, from the first */
    unsigned went_on, closed;
};

static void ask(struct asker *asker)
{
    while (asker->left > 0 && turns_may(&asker->world->turns, &asker->turn)) {
        turns_count(&asker->world->turns, &asker->turn);
        asker->left--;
    }
}

static void go_on(struct turn *turn)
{
    struct asker *asker = turn->owner;
    struct world *world = asker->world;
    if (world->went_on < sizeof(world->order) / sizeof(*world->order)) {
        world->order[world->went_on] = asker;
    }
    world->went_on++;
    ask(asker);
}

static void on_closed(struct turns *turns)
{
    struct world *world = turns->owner;
    world->closed++;
}

static int set_up(void **state)
{
    static struct world world;
    world = (struct world){0};
    assert_int_equal(uv_loop_init(&world.loop), 0);
    turns_init(&world.turns, &world.loop, go_on);
    world.turns.owner = &world;
    for (unsigned i = 0; i < MANY; i++) {
        world.askers[i].turn.owner = &world.askers[i];
        world.askers[i].world = &world;
    }
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    turns_stop(&world->turns, on_closed);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_int_equal(world->closed, 1);
    return uv_loop_close(&world->loop);
}

static void one_has_its_share_of_each_turn(void **state)
{
    struct world *world = *state;
    struct asker *asker = world->askers;
    asker->left = 3 * TURN_EACH;
    for (unsigned turn = 0; turn < 3; turn++) {
        assert_int_equal(asker->left, (3 - turn) * TURN_EACH);
        turn ? (void)uv_run(&world->loop, UV_RUN_NOWAIT) : ask(asker);
    }
    assert_int_equal(asker->left, 0);
    assert_false(turn_rests(&asker->turn));
}

static void all_have_no_more_than_theirs_together(void **state)
{
    struct world *world = *state;
    for (unsigned i = 0; i < MANY; i++) {
        world->askers[i].left = TURN_EACH;
        ask(&world->askers[i]);
    }
    assert_int_equal(world->askers[MANY / 2 - 1].left, 0);
    assert_int_equal(world->askers[MANY / 2].left, TURN_EACH);
    uv_run(&world->loop, UV_RUN_NOWAIT);
    assert_int_equal(world->went_on, MANY / 2);
    assert_int_equal(world->askers[MANY - 1].left, 0);
}

static void who_has_rested_longest_goes_on_first(void **state)
{
    struct world *world = *state;
    static const unsigned order[] = {2, 0, 1};
    for (unsigned i = 0; i < 3; i++) {
        world->askers[order[i]].left = 2 * TURN_EACH + 1;
        ask(&world->askers[order[i]]);
    }
    uv_run(&world->loop, UV_RUN_NOWAIT);
    uv_run(&world->loop, UV_RUN_NOWAIT);
    assert_int_equal(world->went_on, 6);
    for (unsigned i = 0; i < 6; i++) {
        assert_ptr_equal(world->order[i], &world->askers[order[i % 3]]);
    }
}

static void who_is_gone_has_no_turn(void **state)
{
    struct world *world = *state;
    for (unsigned i = 0; i < 3; i++) {
        world->askers[i].left = TURN_EACH + 1;
        ask(&world->askers[i]);
    }
    turns_wake(&world->turns, &world->askers[1].turn);
    turns_wake(&world->turns, &world->askers[2].turn);
    turns_wake(&world->turns, &world->askers[2].turn);
    uv_run(&world->loop, UV_RUN_NOWAIT);
    assert_int_equal(world->went_on, 1);
    assert_int_equal(world->askers[0].left, 0);
}

static void no_turn_used_leaves_the_loop_asleep(void **state)
{
    struct world *world = *state;
    world->askers[0].left = TURN_EACH + 1;
    ask(&world->askers[0]);
    for (unsigned i = 0; i < 3; i++) {
        uv_run(&world->loop, UV_RUN_NOWAIT);
    }
    assert_false(uv_loop_alive(&world->loop));
}

static void the_end_knows_no_limits(void **state)
{
    struct world *world = *state;
    world->askers[0].left = world->askers[1].left = 4 * TURN_ALL;
    ask(&world->askers[0]);
    ask(&world->askers[1]);
    turns_stop(&world->turns, on_closed);
    assert_int_equal(world->askers[0].left + world->askers[1].left, 0);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_int_equal(world->closed, 1);
    assert_int_equal(uv_loop_close(&world->loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_has_its_share_of_each_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_have_no_more_than_theirs_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_has_rested_longest_goes_on_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_gone_has_no_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_turn_used_leaves_the_loop_asleep, set_up, tear_down),
        cmocka_unit_test_setup(the_end_knows_no_limits, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
