// SPDX-License-Identifier: Apache-2.0
/* The tables of days and hours in stats.db say what the rows of hours say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stats/stats.h"
#include "stats/stats_query.h"

enum { HOURS = 200, FIRST = 497224, HOUR_S = 3600 };

static char folder[] = "/tmp/greengate-rollup-XXXXXX";
static char path[64];

static struct stats *begin(void)
{
    struct stats *stats = NULL;
    struct diag diag = {0};
    const struct stats_setup setup = {path, 4000, &clock_system};
    if (stats_start(&setup, &stats, &diag) < 0) {
        fail_msg("%s: %s", diag.file, diag.text);
    }
    return stats;
}

static void run(const char *sql)
{
    sqlite3 *db = NULL;
    char *error = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK) {
        fail_msg("%s: %.200s", error, sql);
    }
    sqlite3_close(db);
}

static uint64_t number(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *query = NULL;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &query, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(query), SQLITE_ROW);
    uint64_t value = (uint64_t)sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    sqlite3_close(db);
    return value;
}

/* Rows as flushes write them, some of them a second time. */
static const char fill_sql[] =
    "INSERT INTO names VALUES(101, 'pupils'), (102, 'staff'), (201, 'none'), (202, 'adult');"
    "WITH RECURSIVE h(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM h WHERE n < 199),"
    " g(id) AS (VALUES(101), (102)), c(id) AS (VALUES(201), (202)), v(id) AS (VALUES(0), (1))"
    "INSERT INTO sums SELECT 497224 + n, g.id, c.id, v.id, 1 + (n * 7 + g.id * c.id + v.id) % 91"
    " FROM h, g, c, v WHERE (n + g.id + c.id + v.id) % 3;"
    "UPDATE sums SET count = count + 5 WHERE hour % 4 = 0;"
    "WITH RECURSIVE h(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM h WHERE n < 199),"
    " p(id) AS (VALUES(1), (4), (5)), v(id) AS (VALUES(0), (1), (28))"
    "INSERT INTO parts SELECT 497224 + n, p.id, v.id, 1 + (n * p.id + v.id) % 17 FROM h, p, v;"
    "UPDATE parts SET count = count + 2 WHERE hour % 3 = 0;";

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(path, sizeof(path), "%s/stats.db", folder);
    stats_stop(begin());
    run(fill_sql);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

/* What stats says of some hours by something, all rows together. */
static uint64_t sum(struct stats *stats, const struct stats_query *query, uint64_t *ret_blocked)
{
    struct stats_result result;
    uint64_t all = 0;
    assert_int_equal(stats_query_run(stats, query, &result, NULL), 0);
    for (size_t i = 0; i < result.count; i++) {
        all += result.rows[i].total;
    }
    *ret_blocked = result.totals.verdicts[STATS_BLOCKED];
    stats_result_clear(&result);
    return all;
}

static void compare(struct stats *stats, int first, int last)
{
    char sql[256];
    uint64_t blocked = 0, expected[3];
    struct stats_query query = {.since = (int64_t)(FIRST + first) * HOUR_S,
                                .until = (int64_t)(FIRST + last) * HOUR_S};
    static const char *const counts[] = {"FROM sums WHERE", "FROM sums WHERE verdict = 1 AND",
                                         "FROM parts WHERE part = 1 AND"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(sql, sizeof(sql), "SELECT SUM(count) %s hour BETWEEN %d AND %d", counts[i],
                 FIRST + first, FIRST + last);
        expected[i] = number(sql);
    }
    for (query.by = STATS_BY_HOUR; query.by <= STATS_BY_VERDICT; query.by++) {
        assert_int_equal(sum(stats, &query, &blocked), expected[0]);
        assert_int_equal(blocked, expected[1]);
    }
    query.by = STATS_BY_TYPE;
    assert_int_equal(sum(stats, &query, &blocked), expected[2]);
}

static void every_range_of_hours_is_summed_right(void **state)
{
    (void)state;
    struct stats *stats = begin();
    for (int first = 0; first < HOURS; first += 13) {
        for (int last = first; last < HOURS; last += 11) {
            compare(stats, first, last);
        }
    }
    stats_stop(stats);
}

static void a_file_of_the_first_version_is_taken_over(void **state)
{
    (void)state;
    uint64_t all = number("SELECT SUM(count) FROM sums");
    run("DROP TRIGGER sums_new; DROP TRIGGER sums_more; DROP TRIGGER parts_new;"
        "DROP TRIGGER parts_more; DROP TABLE days; DROP TABLE hours; DROP TABLE day_parts;"
        "DROP TABLE domains; PRAGMA user_version = 1");
    struct stats *stats = begin();
    compare(stats, 5, 170);
    stats_stop(stats);
    assert_int_equal(number("PRAGMA user_version"), 2);
    assert_int_equal(number("SELECT SUM(count) FROM days"), all);
    run("INSERT INTO sums VALUES(600000, 101, 201, 0, 3)");
    assert_int_equal(number("SELECT SUM(count) FROM days"), all + 3);
}

/* Tables of somebody else in the way: the file is set aside, and statistics go on in a new one. */
static void a_file_of_somebody_else_is_set_aside(void **state)
{
    (void)state;
    char text[256];
    run("DROP TABLE hours; DROP TABLE day_parts; DROP TABLE domains; PRAGMA user_version = 1");
    struct stats *stats = begin();
    stats_flush(stats);
    assert_true(stats_degraded(stats, text, sizeof(text)));
    assert_non_null(strstr(text, "set aside"));
    stats_stop(stats);
    assert_int_equal(number("PRAGMA user_version"), 2);
    assert_int_equal(number("SELECT COUNT(*) FROM sums"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_range_of_hours_is_summed_right),
        cmocka_unit_test(a_file_of_the_first_version_is_taken_over),
        cmocka_unit_test(a_file_of_somebody_else_is_set_aside),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
