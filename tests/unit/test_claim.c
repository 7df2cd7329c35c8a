// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "upstream/claim.h"

static unsigned woken;

static void on_wake(uv_async_t *wake)
{
    (void)wake;
    woken++;
}

static void one_asks_and_the_others_are_woken(void **state)
{
    (void)state;
    uv_loop_t loop;
    uv_async_t wake;
    struct claim_table *table = claim_table_new();
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(uv_async_init(&loop, &wake, on_wake), 0);
    claim_table_join(table, &wake);
    assert_int_equal(claim_take(table, 0x1234), CLAIM_MINE);
    claim_give_back(table, 0x1234);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(woken, 0); /* nobody waited */
    assert_int_equal(claim_take(table, 0x1234), CLAIM_MINE);
    assert_int_equal(claim_take(table, 0x1234), CLAIM_OTHERS);
    assert_int_equal(claim_take(table, 0x1234), CLAIM_OTHERS);
    assert_true(claim_wait_on(table, 0x1234));
    claim_give_back(table, 0x1234);
    assert_false(claim_wait_on(table, 0x1234));
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(woken, 1);
    uv_close((uv_handle_t *)&wake, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    claim_table_free(table);
}

static void who_waits_is_woken_by_the_next_owner_too(void **state)
{
    (void)state;
    uv_loop_t loop;
    uv_async_t wake;
    struct claim_table *table = claim_table_new();
    woken = 0;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(uv_async_init(&loop, &wake, on_wake), 0);
    claim_table_join(table, &wake);
    assert_int_equal(claim_take(table, 0x1234), CLAIM_MINE);
    assert_int_equal(claim_take(table, 0x1234), CLAIM_OTHERS);
    claim_give_back(table, 0x1234);
    assert_int_equal(claim_take(table, 0x1234), CLAIM_MINE); /* before anybody looked */
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(woken, 1);
    assert_true(claim_wait_on(table, 0x1234)); /* what the woken one does */
    claim_give_back(table, 0x1234);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(woken, 2);
    uv_close((uv_handle_t *)&wake, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    claim_table_free(table);
}

static void another_question_in_the_same_place_is_asked_without(void **state)
{
    (void)state;
    struct claim_table *table = claim_table_new();
    const uint64_t other = 0x1234 + ((uint64_t)1 << 40);
    assert_int_equal(claim_take(table, 0x1234), CLAIM_MINE);
    assert_int_equal(claim_take(table, other), CLAIM_NOWHERE);
    assert_false(claim_wait_on(table, other));
    claim_give_back(table, 0x1234);
    assert_int_equal(claim_take(table, other), CLAIM_MINE);
    claim_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_asks_and_the_others_are_woken),
        cmocka_unit_test(who_waits_is_woken_by_the_next_owner_too),
        cmocka_unit_test(another_question_in_the_same_place_is_asked_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
