// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "blocklists/schedule.h"

static struct config config;
static struct config_source source;

static int set_up(void **state)
{
    (void)state;
    config = (struct config){.lists = {.update_every_h = 6, .update_window = ""}};
    source = (struct config_source){.id = "a", .update_window = ""};
    return 0;
}

/* 2026-07-01, a Wednesday, 00:00 UTC */
enum { DAY = 1782864000 };

static int64_t at(int hour, int minute)
{
    return DAY + (int64_t)hour * 3600 + minute * 60;
}

static void windows(void **state)
{
    (void)state;
    static const struct {
        const char *window;
        int hour, minute;
        bool allowed;
    } rows[] = {
        {"", 12, 0, true},
        {"19:00-07:00 UTC", 18, 59, false},
        {"19:00-07:00 UTC", 19, 0, true},
        {"19:00-07:00 UTC", 23, 59, true},
        {"19:00-07:00 UTC", 0, 0, true},
        {"19:00-07:00 UTC", 6, 59, true},
        {"19:00-07:00 UTC", 7, 0, false},
        {"02:00-02:05 UTC", 1, 59, false},
        {"02:00-02:05 UTC", 2, 4, true},
        {"02:00-02:05 UTC", 2, 5, false},
        {"00:00-24:00 UTC", 23, 59, true},
        {"12:00-24:00 UTC", 11, 59, false},
        {"12:00-24:00 UTC", 23, 59, true},
        {"24:00-01:00 UTC", 0, 30, true},
        {"24:00-01:00 UTC", 1, 0, false},
        {"09:00-10:00", 0, 30, true}, /* Seoul is nine hours ahead */
        {"09:00-10:00", 9, 30, false},
        {"09:00-10:00 UTC", 9, 30, true},
    };
    setenv("TZ", "Asia/Seoul", 1);
    tzset();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        config.lists.update_window = (char *)(uintptr_t)rows[i].window;
        if (schedule_allows(&config, &source, at(rows[i].hour, rows[i].minute)) !=
            rows[i].allowed) {
            fail_msg("%s at %d:%02d UTC", rows[i].window, rows[i].hour, rows[i].minute);
        }
    }
}

static void a_source_has_its_own_window_and_interval(void **state)
{
    (void)state;
    config.lists.update_window = "19:00-07:00 UTC";
    source.update_window = "08:00-09:00 UTC";
    assert_true(schedule_allows(&config, &source, at(8, 30)));
    assert_false(schedule_allows(&config, &source, at(20, 0)));
    source.update_every_h = 100;
    assert_in_range(schedule_interval(&config, &source, 1), 100 * 3600, 110 * 3600);
}

/* Never less than the interval, at most a tenth more, the same each time, and not the
 * same for all. */
static void lots_are_spread(void **state)
{
    (void)state;
    enum { ROUNDS = 1000, SHARES = 10 };
    unsigned shares[SHARES] = {0};
    char id[16];
    source.id = id;
    for (unsigned i = 0; i < ROUNDS; i++) {
        snprintf(id, sizeof(id), "list-%u", i % 10);
        int64_t interval = schedule_interval(&config, &source, i / 10);
        assert_in_range(interval, 6 * 3600, 6 * 3600 + 2160);
        assert_int_equal(interval, schedule_interval(&config, &source, i / 10));
        shares[(interval - (int64_t)6 * 3600) * SHARES / 2161]++;
    }
    for (unsigned i = 0; i < SHARES; i++) {
        assert_in_range(shares[i], 60, 140);
    }
}

static void pauses_double_within_bounds(void **state)
{
    (void)state;
    static const struct {
        uint64_t failures;
        int64_t asked, want;
    } rows[] = {
        {0, 0, 900},     {1, 0, 900},       {2, 0, 1800},           {3, 0, 3600},
        {7, 0, 57600},   {8, 0, 86400},     {UINT64_MAX, 0, 86400}, {1, 60, 900},
        {1, 3600, 3600}, {1, 86401, 86400}, {1, INT64_MAX, 86400},  {5, 3600, 14400},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(schedule_pause(rows[i].failures, rows[i].asked), rows[i].want);
    }
}

static void the_salt_stays(void **state)
{
    (void)state;
    assert_true(schedule_salt() == schedule_salt());
}

#define ROW(test) cmocka_unit_test_setup(test, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(windows),         ROW(a_source_has_its_own_window_and_interval),
        ROW(lots_are_spread), ROW(pauses_double_within_bounds),
        ROW(the_salt_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
