// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <unistd.h>

#include "syncworld.h"

static void only_what_is_due_is_asked(void **state)
{
    (void)state;
    struct sync_result result;
    struct sync_options if_due = {.if_due = true};
    assert_int_equal(sync_with(if_due, &result), 0);
    expect(&result, SYNC_UPDATED, SYNC_UPDATED, 1);
    write_list(0, "a.example\nb.example\nz.example\n");
    assert_int_equal(sync_with(if_due, &result), 0);
    assert_true(result.current);
    expect(&result, SYNC_KEPT, SYNC_KEPT, 1);
    sources[1].category = "gambling"; /* the configuration changed: compiled, not fetched */
    assert_int_equal(sync_with(if_due, &result), 0);
    assert_false(result.current);
    expect(&result, SYNC_KEPT, SYNC_KEPT, 2);
    assert_false(blocks("z.example"));
    now += 6 * 3600 - 40; /* its age is short of the interval */
    assert_int_equal(sync_with(if_due, &result), 0);
    assert_true(result.current);
    expect(&result, SYNC_KEPT, SYNC_KEPT, 2);
    now += 40 * 60; /* and now it is past the latest lot, a tenth more */
    assert_int_equal(sync_with(if_due, &result), 0);
    expect(&result, SYNC_UPDATED, SYNC_UNCHANGED, 3);
    assert_true(blocks("z.example"));
}

/* 15 minutes, then 30, an hour ...; kept in the file; a success ends it. */
static void a_source_that_fails_is_left_alone_for_a_while(void **state)
{
    (void)state;
    struct sync_result result;
    struct sync_options if_due = {.if_due = true};
    assert_int_equal(sync_with(if_due, &result), 0);
    sync_clear(&result);
    unlink(urls[0] + 7);
    now += 7 * 3600;
    for (int64_t pause = 900; pause <= 24 * 3600; pause = pause * 2) {
        assert_int_equal(sync_with(if_due, &result), 0);
        assert_int_equal(result.sources[0].status, SYNC_FAILED);
        assert_int_equal(result.sources[0].meta.retry_at, now - 10 + pause);
        sync_clear(&result);
        now += pause - 20; /* sync_with() went on by 10 */
        assert_int_equal(sync_with(if_due, &result), 0);
        assert_int_equal(result.sources[0].status, SYNC_KEPT);
        sync_clear(&result);
    }
    write_list(0, "a.example\nb.example\nc.example\nnew.example\n");
    now += 48 * 3600;
    assert_int_equal(sync_with(if_due, &result), 0);
    assert_int_equal(result.sources[0].status, SYNC_UPDATED);
    assert_int_equal(result.sources[0].meta.failures, 0);
    assert_int_equal(result.sources[0].meta.retry_at, 0);
    sync_clear(&result);
}

/* Nothing is due and nothing is there: that is no failure. */
static void a_window_keeps_the_first_fetch_too(void **state)
{
    (void)state;
    struct sync_result result;
    struct sync_options if_due = {.if_due = true};
    config.lists.update_window = "19:00-07:00 UTC";
    now = 12 * 3600;
    assert_int_equal(sync_with(if_due, &result), 0);
    assert_true(result.current);
    expect(&result, SYNC_KEPT, SYNC_KEPT, 0);
    sources[1].update_window = "11:00-13:00 UTC";
    assert_int_equal(sync_with(if_due, &result), 0);
    expect(&result, SYNC_KEPT, SYNC_UPDATED, 1);
    assert_int_equal(sync_plain(&result), 0); /* asked for by hand: no window */
    expect(&result, SYNC_UPDATED, SYNC_UNCHANGED, 2);
}

/* A mistake in a URL, once mended, is no reason to wait. */
static void another_url_is_asked_at_once(void **state)
{
    (void)state;
    struct sync_result result;
    struct sync_options if_due = {.if_due = true};
    char *right = sources[0].url;
    sources[0].url = "file:///nonexistent";
    assert_int_equal(sync_with(if_due, &result), 0);
    expect(&result, SYNC_FAILED, SYNC_UPDATED, 1);
    assert_int_equal(sync_with(if_due, &result), 0);
    expect(&result, SYNC_KEPT, SYNC_KEPT, 1);
    sources[0].url = right;
    assert_int_equal(sync_with(if_due, &result), 0);
    expect(&result, SYNC_UPDATED, SYNC_KEPT, 2);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, syncworld_set_up, syncworld_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(only_what_is_due_is_asked),
        ROW(a_source_that_fails_is_left_alone_for_a_while),
        ROW(a_window_keeps_the_first_fetch_too),
        ROW(another_url_is_asked_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
