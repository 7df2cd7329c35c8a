// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stats/stats_db.h"
#include "stats/stats_query.h"

enum { KEEP_DAYS = 30, HOUR = 3600, START = 1790000000 / HOUR * HOUR + 600 };

struct fake_clock {
    struct clock clock;
    _Atomic int64_t now;
    _Atomic int64_t ahead_s; /* the wall clock alone */
};

static int64_t fake_wall(const struct clock *clock)
{
    const struct fake_clock *fake = (const struct fake_clock *)clock;
    return fake->now + fake->ahead_s;
}

static uint64_t fake_mono(const struct clock *clock)
{
    return (uint64_t)((const struct fake_clock *)clock)->now * 1000000;
}

struct bench {
    char folder[64];
    char path[128];
    struct fake_clock clock;
    struct stats *stats;
    struct stats_worker *worker;
    uint16_t pupils, adult;
};

static void start(struct bench *bench)
{
    struct diag diag = {0};
    const struct stats_setup setup = {bench->path, KEEP_DAYS, &bench->clock.clock};
    assert_int_equal(stats_start(&setup, &bench->stats, &diag), 0);
    stats_name_group(bench->stats, "staff");
    bench->pupils = stats_name_group(bench->stats, "pupils");
    bench->adult = stats_name_category(bench->stats, "adult");
    bench->worker = stats_worker_add(bench->stats);
    assert_non_null(bench->worker);
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    strcpy(bench->folder, "/tmp/gg-stats-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    snprintf(bench->path, sizeof(bench->path), "%s/stats.db", bench->folder);
    bench->clock = (struct fake_clock){{fake_wall, fake_mono}, START};
    start(bench);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    char command[128];
    stats_stop(bench->stats);
    snprintf(command, sizeof(command), "rm -rf %s", bench->folder);
    assert_int_equal(system(command), 0);
    free(bench);
    return 0;
}

static void count(struct bench *bench, unsigned times, uint8_t verdict)
{
    const struct stats_event event = {
        .group = bench->pupils,
        .category = verdict == STATS_BLOCKED ? bench->adult : 0,
        .type = 28,
        .verdict = verdict,
        .origin = verdict == STATS_BLOCKED ? STATS_POLICY : STATS_CACHE,
        .latency_us = 300,
    };
    for (unsigned i = 0; i < times; i++) {
        stats_count(bench->worker, &event);
    }
}

static struct stats_result ask(struct bench *bench, enum stats_by by)
{
    struct stats_result result;
    struct diag diag = {0};
    const struct stats_query query = {.since = 0, .by = by};
    assert_int_equal(stats_query_run(bench->stats, &query, &result, &diag), 0);
    return result;
}

static uint64_t total(struct bench *bench)
{
    struct stats_result result = ask(bench, STATS_BY_VERDICT);
    uint64_t sum = result.totals.total;
    stats_result_clear(&result);
    return sum;
}

static void restart(struct bench *bench)
{
    stats_stop(bench->stats);
    start(bench);
}

static int64_t file_number(struct bench *bench, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *query = NULL;
    assert_int_equal(sqlite3_open_v2(bench->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &query, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(query), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    sqlite3_close(db);
    return number;
}

static size_t set_aside_files(struct bench *bench)
{
    char pattern[160];
    glob_t found = {0};
    snprintf(pattern, sizeof(pattern), "%s.damaged-*Z", bench->path);
    glob(pattern, 0, NULL, &found);
    size_t files = found.gl_pathc;
    globfree(&found);
    return files;
}

static void unflushed_counts_are_included(void **state)
{
    struct bench *bench = *state;
    count(bench, 3, STATS_BLOCKED);
    count(bench, 4, STATS_ANSWERED);
    assert_int_equal(total(bench), 7);
    stats_flush(bench->stats);
    count(bench, 1, STATS_BLOCKED);
    assert_int_equal(total(bench), 8);
    /* 8 when the thread's own first flush comes this late. */
    assert_in_range(file_number(bench, "SELECT SUM(count) FROM sums"), 7, 8);
}

static void differences_are_written_once(void **state)
{
    struct bench *bench = *state;
    count(bench, 3, STATS_BLOCKED);
    stats_flush(bench->stats);
    stats_flush(bench->stats);
    count(bench, 2, STATS_BLOCKED);
    stats_flush(bench->stats);
    assert_int_equal(file_number(bench, "SELECT SUM(count) FROM sums"), 5);
    assert_int_equal(file_number(bench, "SELECT COUNT(*) FROM sums"), 1);
}

static void the_file_is_not_for_all(void **state)
{
    struct bench *bench = *state;
    struct stat info;
    stats_flush(bench->stats);
    assert_int_equal(stat(bench->path, &info), 0);
    assert_int_equal(info.st_mode & 07, 0);
}

static void a_second_worker_adds_up(void **state)
{
    struct bench *bench = *state;
    count(bench, 3, STATS_BLOCKED);
    bench->worker = stats_worker_add(bench->stats);
    count(bench, 2, STATS_BLOCKED);
    assert_int_equal(total(bench), 5);
}

static void sums_survive_a_restart(void **state)
{
    struct bench *bench = *state;
    count(bench, 3, STATS_BLOCKED);
    restart(bench);
    count(bench, 2, STATS_BLOCKED);
    assert_int_equal(total(bench), 5);
}

static void rows_say_what_they_stand_for(void **state)
{
    static const struct {
        const char *name;
        enum stats_by by;
        const char *label;
        uint64_t total, blocked;
    } rows[] = {
        {"a category holds its blocks", STATS_BY_CATEGORY, "adult", 3, 3},
        {"what no list names is none", STATS_BY_CATEGORY, "none", 4, 0},
        {"a group holds all it asked", STATS_BY_GROUP, "pupils", 7, 3},
        {"a verdict is counted", STATS_BY_VERDICT, "blocked", 3, 3},
        {"a category's hour holds its blocks", STATS_BY_CATEGORY_HOUR, "adult", 3, 3},
        {"an hour is UTC", STATS_BY_HOUR, "2026-09-21T14:00:00Z", 7, 3},
        {"a type has its mnemonic", STATS_BY_TYPE, "AAAA", 7, 0},
        {"an rcode has its mnemonic", STATS_BY_RCODE, "NOERROR", 7, 0},
        {"the transport is told", STATS_BY_TRANSPORT, "udp", 7, 0},
        {"the origin is told", STATS_BY_ORIGIN, "policy", 3, 0},
        {"latency falls into its bucket", STATS_BY_LATENCY, "<= 0.5 ms", 7, 0},
    };
    struct bench *bench = *state;
    count(bench, 3, STATS_BLOCKED);
    count(bench, 4, STATS_ANSWERED);
    for (int flushed = 0; flushed < 2; flushed++) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct stats_result result = ask(bench, rows[i].by);
            const struct stats_row *found = NULL;
            for (size_t r = 0; r < result.count; r++) {
                found = strcmp(result.rows[r].label, rows[i].label) ? found : &result.rows[r];
            }
            if (!found || found->total != rows[i].total ||
                found->verdicts[STATS_BLOCKED] != rows[i].blocked || result.totals.total != 7) {
                fail_msg("%s (flushed %d)", rows[i].name, flushed);
            }
            assert_int_equal(result.latency_sum_us, 2100);
            assert_int_equal(result.from_cache, 4);
            stats_result_clear(&result);
        }
        stats_flush(bench->stats);
    }
}

static void hours_are_kept_apart_and_in_order(void **state)
{
    struct bench *bench = *state;
    count(bench, 1, STATS_BLOCKED);
    stats_flush(bench->stats);
    bench->clock.now += HOUR;
    stats_flush(bench->stats);
    count(bench, 2, STATS_BLOCKED);
    bench->clock.now += 60;
    struct stats_result result = ask(bench, STATS_BY_HOUR);
    assert_int_equal(result.count, 2);
    assert_int_equal(result.rows[0].total, 1);
    assert_int_equal(result.rows[1].total, 2);
    assert_int_equal(result.rows[1].key - result.rows[0].key, 1);
    stats_result_clear(&result);
    const struct stats_query query = {.since = bench->clock.now, .by = STATS_BY_HOUR};
    assert_int_equal(stats_query_run(bench->stats, &query, &result, NULL), 0);
    assert_int_equal(result.totals.total, 2);
    stats_result_clear(&result);
}

static void old_rows_are_deleted(void **state)
{
    struct bench *bench = *state;
    count(bench, 3, STATS_BLOCKED);
    stats_flush(bench->stats);
    bench->clock.now += (int64_t)KEEP_DAYS * 86400;
    stats_flush(bench->stats);
    assert_int_equal(total(bench), 3);
    bench->clock.now += 24 * HOUR; /* whole days go together */
    count(bench, 1, STATS_BLOCKED);
    stats_flush(bench->stats);
    assert_int_equal(file_number(bench, "SELECT SUM(count) FROM sums"), 1);
    assert_int_equal(file_number(bench, "SELECT SUM(count) FROM days"), 1);
    assert_int_equal(file_number(bench, "SELECT SUM(count) FROM hours"), 1);
    assert_int_equal(file_number(bench, "SELECT COUNT(DISTINCT hour) FROM parts"), 1);
    assert_int_equal(file_number(bench, "SELECT COUNT(DISTINCT day) FROM day_parts"), 1);
}

static void a_clock_that_is_ahead_for_a_while_deletes_nothing(void **state)
{
    struct bench *bench = *state;
    count(bench, 3, STATS_BLOCKED);
    stats_flush(bench->stats);
    bench->clock.now += 2 * HOUR;
    bench->clock.ahead_s = (int64_t)500 * 86400;
    for (int minute = 0; minute < 50; minute++) {
        bench->clock.now += 60;
        stats_flush(bench->stats);
    }
    bench->clock.ahead_s = 0;
    stats_flush(bench->stats);
    assert_int_equal(file_number(bench, "SELECT SUM(count) FROM sums"), 3);
    bench->clock.ahead_s = (int64_t)500 * 86400; /* and stays so: then it is the time */
    stats_flush(bench->stats);
    bench->clock.now += HOUR;
    stats_flush(bench->stats);
    assert_int_equal(file_number(bench, "SELECT COUNT(*) FROM sums"), 0);
}

static void overwrite(struct bench *bench)
{
    FILE *file = fopen(bench->path, "w");
    assert_non_null(file);
    for (int i = 0; i < 2000; i++) {
        fputs("this is not a database\n", file);
    }
    fclose(file);
}

static void a_damaged_file_is_set_aside_at_start(void **state)
{
    struct bench *bench = *state;
    char text[256];
    stats_stop(bench->stats);
    overwrite(bench);
    start(bench);
    count(bench, 2, STATS_BLOCKED);
    stats_flush(bench->stats);
    assert_int_equal(set_aside_files(bench), 1);
    assert_true(stats_degraded(bench->stats, text, sizeof(text)));
    assert_non_null(strstr(text, "set aside"));
    assert_int_equal(file_number(bench, "SELECT SUM(count) FROM sums"), 2);
    bench->clock.now += 86401;
    assert_false(stats_degraded(bench->stats, text, sizeof(text)));
}

static void only_a_file_that_fails_is_named(void **state)
{
    struct bench *bench = *state;
    struct stats_db *db = NULL;
    struct diag diag = {0};
    stats_stop(bench->stats);
    bench->stats = NULL;
    assert_int_equal(stats_db_open(bench->path, &db, &diag), 0);
    assert_string_equal(diag.file, "");
    stats_db_close(db);
    overwrite(bench);
    assert_int_equal(stats_db_open(bench->path, &db, &diag), -EBADMSG);
    assert_string_equal(diag.file, bench->path);
}

static void a_file_damaged_while_running_is_set_aside(void **state)
{
    struct bench *bench = *state;
    char text[256];
    sqlite3 *db = NULL;
    count(bench, 2, STATS_BLOCKED);
    stats_flush(bench->stats);
    /* Another writer makes ours read its pages again. */
    assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "INSERT INTO names(name) VALUES('x');"
                                  "PRAGMA wal_checkpoint(TRUNCATE)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    overwrite(bench);
    count(bench, 5, STATS_BLOCKED);
    stats_flush(bench->stats);
    assert_int_equal(set_aside_files(bench), 1);
    assert_true(stats_degraded(bench->stats, text, sizeof(text)));
    assert_int_equal(file_number(bench, "SELECT SUM(count) FROM sums"), 5);
}

static void an_unwritable_place_leaves_the_counts_in_memory(void **state)
{
    struct bench *bench = *state;
    char text[256], away[160];
    stats_stop(bench->stats);
    snprintf(away, sizeof(away), "%s.away", bench->folder);
    assert_int_equal(rename(bench->folder, away), 0);
    start(bench);
    count(bench, 2, STATS_BLOCKED);
    stats_flush(bench->stats);
    assert_true(stats_degraded(bench->stats, text, sizeof(text)));
    assert_non_null(strstr(text, "cannot be written"));
    struct stats_result result = ask(bench, STATS_BY_CATEGORY);
    assert_true(result.partial);
    assert_int_equal(result.totals.total, 2);
    stats_result_clear(&result);
    bench->clock.now += HOUR;
    count(bench, 1, STATS_BLOCKED);
    /* When the place is back, nothing was lost and hours are still apart. */
    assert_int_equal(rename(away, bench->folder), 0);
    stats_flush(bench->stats);
    assert_false(stats_degraded(bench->stats, text, sizeof(text)));
    assert_int_equal(file_number(bench, "SELECT SUM(count) FROM sums"), 3);
    assert_int_equal(file_number(bench, "SELECT COUNT(DISTINCT hour) FROM sums"), 2);
}

static void a_removed_file_is_begun_anew(void **state)
{
    struct bench *bench = *state;
    count(bench, 2, STATS_BLOCKED);
    stats_flush(bench->stats);
    assert_int_equal(unlink(bench->path), 0);
    count(bench, 3, STATS_BLOCKED);
    stats_flush(bench->stats);
    assert_int_equal(file_number(bench, "SELECT SUM(count) FROM sums"), 3);
}

static void a_full_disk_is_told_and_loses_nothing(void **state)
{
    struct bench *bench = *state;
    char text[256];
    struct rlimit before, none;
    count(bench, 2, STATS_BLOCKED);
    stats_flush(bench->stats);
    /* No file may grow: for SQLite the same as a full disk. */
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    count(bench, 3, STATS_BLOCKED);
    stats_flush(bench->stats);
    bool degraded = stats_degraded(bench->stats, text, sizeof(text));
    uint64_t sum = total(bench);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(degraded);
    assert_int_equal(sum, 5);
    stats_flush(bench->stats);
    assert_false(stats_degraded(bench->stats, text, sizeof(text)));
    assert_int_equal(file_number(bench, "SELECT SUM(count) FROM sums"), 5);
    assert_int_equal(set_aside_files(bench), 0);
}

static void a_file_of_a_later_version_is_left_alone(void **state)
{
    struct bench *bench = *state;
    char text[256];
    sqlite3 *db = NULL;
    stats_stop(bench->stats);
    assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    start(bench);
    stats_flush(bench->stats);
    assert_true(stats_degraded(bench->stats, text, sizeof(text)));
    assert_non_null(strstr(text, "later version"));
    assert_int_equal(set_aside_files(bench), 0);
}

static void a_full_table_of_names_ends_in_other(void **state)
{
    struct bench *bench = *state;
    char name[16];
    for (int i = 0; i < 2 * STATS_GROUPS_MAX; i++) {
        snprintf(name, sizeof(name), "g%d", i);
        bench->pupils = stats_name_group(bench->stats, name);
    }
    assert_int_equal(bench->pupils, STATS_GROUPS_MAX - 1);
    count(bench, 1, STATS_ANSWERED);
    struct stats_result result = ask(bench, STATS_BY_GROUP);
    assert_string_equal(result.rows[0].label, "other");
    stats_result_clear(&result);
}

static void equal_names_have_equal_ids(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(stats_name_group(bench->stats, "pupils"), bench->pupils);
    assert_int_equal(stats_name_category(bench->stats, "none"), 0);
    assert_int_equal(stats_by_find("rcode"), STATS_BY_RCODE);
    assert_true(stats_by_find("client") < 0);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(unflushed_counts_are_included),
        ROW(differences_are_written_once),
        ROW(the_file_is_not_for_all),
        ROW(a_second_worker_adds_up),
        ROW(sums_survive_a_restart),
        ROW(rows_say_what_they_stand_for),
        ROW(hours_are_kept_apart_and_in_order),
        ROW(old_rows_are_deleted),
        ROW(a_clock_that_is_ahead_for_a_while_deletes_nothing),
        ROW(a_damaged_file_is_set_aside_at_start),
        ROW(only_a_file_that_fails_is_named),
        ROW(a_file_damaged_while_running_is_set_aside),
        ROW(an_unwritable_place_leaves_the_counts_in_memory),
        ROW(a_removed_file_is_begun_anew),
        ROW(a_full_disk_is_told_and_loses_nothing),
        ROW(a_file_of_a_later_version_is_left_alone),
        ROW(a_full_table_of_names_ends_in_other),
        ROW(equal_names_have_equal_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
