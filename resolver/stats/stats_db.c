// SPDX-License-Identifier: Apache-2.0
#include "stats/stats_db.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stats/domains.h"

enum { SCHEMA = 2, BUSY_MS = 2000, ASIDE_MAX = 8, PATH_CAP = 4096 };

enum query { PUT_NAME, GET_NAME, ADD_SUM, ADD_PART, ADD_DOMAIN, QUERIES };

static const char *const query_sql[QUERIES] = {
    [PUT_NAME] = "INSERT INTO names(name) VALUES(?1) ON CONFLICT DO NOTHING",
    [GET_NAME] = "SELECT id FROM names WHERE name = ?1",
    [ADD_SUM] = "INSERT INTO sums VALUES(?1, ?2, ?3, ?4, ?5) "
                "ON CONFLICT DO UPDATE SET count = count + excluded.count",
    [ADD_PART] = "INSERT INTO parts VALUES(?1, ?2, ?3, ?4) "
                 "ON CONFLICT DO UPDATE SET count = count + excluded.count",
    [ADD_DOMAIN] = "INSERT INTO domains VALUES(?1, ?2, ?4, ?3) "
                   "ON CONFLICT DO UPDATE SET count = count + excluded.count",
};

/* The cache and the WAL are bounded: a router has little of either. */
static const char *const settings_sql =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 1048576;"
    "PRAGMA wal_autocheckpoint = 128; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -512;"
    "PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF;";

static const char *const schema_sql =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS names(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE IF NOT EXISTS sums(hour INTEGER NOT NULL, group_id INTEGER NOT NULL,"
    " category_id INTEGER NOT NULL, verdict INTEGER NOT NULL, count INTEGER NOT NULL,"
    " PRIMARY KEY(hour, group_id, category_id, verdict)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS parts(hour INTEGER NOT NULL, part INTEGER NOT NULL,"
    " value INTEGER NOT NULL, count INTEGER NOT NULL,"
    " PRIMARY KEY(hour, part, value)) WITHOUT ROWID;"
    "PRAGMA user_version = 1;"
    "COMMIT;";

/* The same by day and without groups, kept up by triggers: what a month needs is there in some
 * thousand rows. Filled from what a file of the first layout holds. */
static const char *const rollup_sql =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE days(day INTEGER NOT NULL, group_id INTEGER NOT NULL,"
    " category_id INTEGER NOT NULL, verdict INTEGER NOT NULL, count INTEGER NOT NULL,"
    " PRIMARY KEY(day, group_id, category_id, verdict)) WITHOUT ROWID;"
    "CREATE TABLE hours(hour INTEGER NOT NULL, verdict INTEGER NOT NULL, count INTEGER NOT NULL,"
    " PRIMARY KEY(hour, verdict)) WITHOUT ROWID;"
    "CREATE TABLE day_parts(day INTEGER NOT NULL, part INTEGER NOT NULL, value INTEGER NOT NULL,"
    " count INTEGER NOT NULL, PRIMARY KEY(day, part, value)) WITHOUT ROWID;"
    "CREATE TABLE domains(day INTEGER NOT NULL, blocked INTEGER NOT NULL, name TEXT NOT NULL,"
    " count INTEGER NOT NULL, PRIMARY KEY(day, blocked, name)) WITHOUT ROWID;"
    "INSERT INTO days SELECT hour / 24, group_id, category_id, verdict, SUM(count) FROM sums"
    " GROUP BY 1, 2, 3, 4;"
    "INSERT INTO hours SELECT hour, verdict, SUM(count) FROM sums GROUP BY 1, 2;"
    "INSERT INTO day_parts SELECT hour / 24, part, value, SUM(count) FROM parts GROUP BY 1, 2, 3;"
    "CREATE TRIGGER sums_new AFTER INSERT ON sums BEGIN"
    " INSERT INTO days VALUES(NEW.hour / 24, NEW.group_id, NEW.category_id, NEW.verdict,"
    " NEW.count) ON CONFLICT DO UPDATE SET count = count + excluded.count;"
    " INSERT INTO hours VALUES(NEW.hour, NEW.verdict, NEW.count)"
    " ON CONFLICT DO UPDATE SET count = count + excluded.count; END;"
    "CREATE TRIGGER sums_more AFTER UPDATE OF count ON sums BEGIN"
    " UPDATE days SET count = count + NEW.count - OLD.count WHERE day = NEW.hour / 24"
    " AND group_id = NEW.group_id AND category_id = NEW.category_id AND verdict = NEW.verdict;"
    " UPDATE hours SET count = count + NEW.count - OLD.count WHERE hour = NEW.hour"
    " AND verdict = NEW.verdict; END;"
    "CREATE TRIGGER parts_new AFTER INSERT ON parts BEGIN"
    " INSERT INTO day_parts VALUES(NEW.hour / 24, NEW.part, NEW.value, NEW.count)"
    " ON CONFLICT DO UPDATE SET count = count + excluded.count; END;"
    "CREATE TRIGGER parts_more AFTER UPDATE OF count ON parts BEGIN"
    " UPDATE day_parts SET count = count + NEW.count - OLD.count WHERE day = NEW.hour / 24"
    " AND part = NEW.part AND value = NEW.value; END;"
    "PRAGMA user_version = 2;"
    "COMMIT;";

struct stats_db {
    sqlite3 *handle;
    sqlite3_stmt *queries[QUERIES];
};

static int code_errno(int code)
{
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return -EBADMSG;
    case SQLITE_FULL: return -ENOSPC;
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
    case SQLITE_PERM: return -EACCES;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return -EBUSY;
    case SQLITE_NOMEM: return -ENOMEM;
    default: return -EIO;
    }
}

static int fail(struct stats_db *db, int code, struct diag *diag)
{
    const char *text = db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code);
    return diag_set(diag, code_errno(code), "%s", text);
}

static int run(struct stats_db *db, const char *sql, struct diag *diag)
{
    int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : fail(db, code, diag);
}

/* One statement's first column as text, compared with what it should be. */
static int check_says_ok(struct stats_db *db, struct diag *diag)
{
    sqlite3_stmt *query = NULL;
    int code = sqlite3_prepare_v2(db->handle, "PRAGMA quick_check(1)", -1, &query, NULL);
    if (code != SQLITE_OK) {
        return fail(db, code, diag);
    }
    int err = 0;
    code = sqlite3_step(query);
    if (code != SQLITE_ROW) {
        err = fail(db, code, diag);
    } else if (strcmp((const char *)sqlite3_column_text(query, 0), "ok") != 0) {
        err = diag_set(diag, -EBADMSG, "%s", (const char *)sqlite3_column_text(query, 0));
    }
    sqlite3_finalize(query);
    return err;
}

static int read_version(struct stats_db *db, int *ret_version, struct diag *diag)
{
    sqlite3_stmt *query = NULL;
    int code = sqlite3_prepare_v2(db->handle, "PRAGMA user_version", -1, &query, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(query);
    }
    int err = code == SQLITE_ROW ? 0 : fail(db, code, diag);
    if (err == 0) {
        *ret_version = sqlite3_column_int(query, 0);
    }
    sqlite3_finalize(query);
    return err;
}

/* Whole or not at all. Tables that are in the way or missing are not ours: as useless as a
 * damaged file. */
static int make_layout(struct stats_db *db, const char *sql, struct diag *diag)
{
    int err = run(db, sql, diag);
    bool strange = err < 0 && (sqlite3_errcode(db->handle) & 0xff) == SQLITE_ERROR;
    stats_db_rollback(db);
    return strange ? -EBADMSG : err;
}

static int set_up(struct stats_db *db, struct diag *diag)
{
    int version = 0;
    int err = check_says_ok(db, diag);
    if (err == 0) {
        err = read_version(db, &version, diag);
    }
    if (err == 0 && version > SCHEMA) {
        err = diag_set(diag, -EPROTO, "written by a later version (schema %d)", version);
    }
    if (err == 0) {
        err = run(db, settings_sql, diag);
    }
    if (err == 0 && version == 0) {
        err = make_layout(db, schema_sql, diag);
    }
    if (err == 0 && version < SCHEMA) {
        err = make_layout(db, rollup_sql, diag);
    }
    for (int i = 0; err == 0 && i < QUERIES; i++) {
        int code = sqlite3_prepare_v3(db->handle, query_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                                      &db->queries[i], NULL);
        /* A table that is not ours is as useless as a damaged one. */
        err = code == SQLITE_ERROR ? diag_set(diag, -EBADMSG, "%s", sqlite3_errmsg(db->handle))
              : code != SQLITE_OK  ? fail(db, code, diag)
                                   : 0;
    }
    return err;
}

/* SQLite gives the WAL the mode of the file; errors show when it opens. */
static void make_private(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd >= 0) {
        close(fd);
    }
}

int stats_db_open(const char *path, struct stats_db **ret_db, struct diag *diag)
{
    struct stats_db *db = calloc(1, sizeof(*db));
    if (!db) {
        return diag_set(diag, -ENOMEM, "no memory");
    }
    if (path) {
        make_private(path);
    }
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(path ? path : ":memory:", &db->handle, flags, NULL);
    int err = code == SQLITE_OK ? 0 : fail(db, code, diag);
    if (err == 0) {
        sqlite3_busy_timeout(db->handle, BUSY_MS);
        err = set_up(db, diag);
    }
    if (err < 0) {
        diag_at(diag, path, 0, 0);
        stats_db_close(db);
        return err;
    }
    *ret_db = db;
    return 0;
}

void stats_db_close(struct stats_db *db)
{
    if (!db) {
        return;
    }
    for (int i = 0; i < QUERIES; i++) {
        sqlite3_finalize(db->queries[i]);
    }
    sqlite3_close(db->handle);
    free(db);
}

int stats_db_begin(struct stats_db *db, struct diag *diag)
{
    return run(db, "BEGIN IMMEDIATE", diag);
}

int stats_db_commit(struct stats_db *db, struct diag *diag)
{
    return run(db, "COMMIT", diag);
}

void stats_db_rollback(struct stats_db *db)
{
    /* Some errors (disk full) have rolled back already. */
    if (!sqlite3_get_autocommit(db->handle)) {
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    }
}

/* Bind whole numbers, run and reset. */
static int add_row(struct stats_db *db, enum query which, const int64_t *values, struct diag *diag)
{
    sqlite3_stmt *query = db->queries[which];
    int count = sqlite3_bind_parameter_count(query);
    for (int i = 0; i < count; i++) {
        sqlite3_bind_int64(query, i + 1, values[i]);
    }
    int code = sqlite3_step(query);
    int err = code == SQLITE_DONE ? 0 : fail(db, code, diag);
    sqlite3_reset(query);
    return err;
}

static int name_id(struct stats_db *db, const char *name, int64_t *ret_id, struct diag *diag)
{
    sqlite3_stmt *put = db->queries[PUT_NAME];
    sqlite3_stmt *get = db->queries[GET_NAME];
    sqlite3_bind_text(put, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_text(get, 1, name, -1, SQLITE_STATIC);
    int code = sqlite3_step(put);
    int err = code == SQLITE_DONE ? 0 : fail(db, code, diag);
    sqlite3_reset(put);
    if (err == 0) {
        code = sqlite3_step(get);
        err = code == SQLITE_ROW ? 0 : fail(db, code, diag);
    }
    if (err == 0) {
        *ret_id = sqlite3_column_int64(get, 0);
    }
    sqlite3_reset(get);
    return err;
}

/* The verdicts of one group and category. */
static int add_cell(struct stats_db *db, const struct stats_batch *batch, const unsigned at[2],
                    struct diag *diag)
{
    const stats_counter *verdicts = batch->counts->sums[at[0]][at[1]];
    int64_t group = 0, category = 0;
    int err = 0;
    for (unsigned v = 0; err == 0 && v < STATS_VERDICTS; v++) {
        int64_t count = (int64_t)stats_value(&verdicts[v]);
        if (count == 0) {
            continue;
        }
        if (group == 0) {
            err = name_id(db, batch->groups->items[at[0]], &group, diag);
        }
        if (err == 0 && category == 0) {
            err = name_id(db, batch->categories->items[at[1]], &category, diag);
        }
        if (err == 0) {
            const int64_t row[] = {batch->hour, group, category, v, count};
            err = add_row(db, ADD_SUM, row, diag);
        }
    }
    return err;
}

static int add_part(struct stats_db *db, const struct stats_batch *batch, enum stats_part part,
                    struct diag *diag)
{
    unsigned count = 0;
    const stats_counter *counters = stats_part_counters(batch->counts, part, &count);
    for (unsigned i = 0; i < count; i++) {
        const int64_t row[] = {batch->hour, part, i, (int64_t)stats_value(&counters[i])};
        int err = row[3] ? add_row(db, ADD_PART, row, diag) : 0;
        if (err < 0) {
            return err;
        }
    }
    return 0;
}

int stats_db_add(struct stats_db *db, const struct stats_batch *batch, struct diag *diag)
{
    int err = 0;
    for (unsigned group = 0; group < batch->group_count; group++) {
        for (unsigned category = 0; err == 0 && category < batch->category_count; category++) {
            err = add_cell(db, batch, (const unsigned[2]){group, category}, diag);
        }
    }
    for (int part = STATS_PART_TYPE; err == 0 && part < STATS_PARTS; part++) {
        err = add_part(db, batch, (enum stats_part)part, diag);
    }
    return err;
}

int stats_db_add_domains(struct stats_db *db, const struct domains *domains, struct diag *diag)
{
    unsigned count = 0;
    const struct domains_row *rows = domains_rows(domains, &count);
    sqlite3_stmt *query = db->queries[ADD_DOMAIN];
    int err = 0;
    for (unsigned i = 0; err == 0 && i < count; i++) {
        sqlite3_bind_int64(query, 1, rows[i].day);
        sqlite3_bind_int64(query, 2, rows[i].blocked);
        sqlite3_bind_int64(query, 3, (int64_t)rows[i].count);
        sqlite3_bind_text(query, 4, rows[i].name, -1, SQLITE_STATIC);
        int code = sqlite3_step(query);
        err = code == SQLITE_DONE ? 0 : fail(db, code, diag);
        sqlite3_reset(query);
    }
    return err;
}

int stats_db_purge(struct stats_db *db, int64_t hour, struct diag *diag)
{
    char sql[384];
    long long day = hour / 24;
    snprintf(sql, sizeof(sql),
             "DELETE FROM sums WHERE hour < %lld; DELETE FROM parts WHERE hour < %lld;"
             "DELETE FROM hours WHERE hour < %lld; DELETE FROM days WHERE day < %lld;"
             "DELETE FROM day_parts WHERE day < %lld; DELETE FROM domains WHERE day < %lld",
             day * 24, day * 24, day * 24, day, day, day);
    return run(db, sql, diag);
}

static bool aside_too_often(const char *path)
{
    char pattern[PATH_CAP];
    glob_t found = {0};
    snprintf(pattern, sizeof(pattern), "%s.damaged-*Z", path);
    bool often = glob(pattern, GLOB_NOSORT, NULL, &found) == 0 && found.gl_pathc >= ASIDE_MAX;
    globfree(&found);
    return often;
}

int stats_db_set_aside(const char *path, int64_t now, char *out, size_t cap)
{
    static const char *const beside[] = {"-wal", "-shm"};
    char date[32], from[PATH_CAP], to[PATH_CAP];
    time_t when = (time_t)now;
    struct tm tm;
    if (aside_too_often(path)) {
        return -ENOSPC;
    }
    gmtime_r(&when, &tm);
    strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &tm);
    int len = snprintf(out, cap, "%s.damaged-%s", path, date);
    if (len < 0 || (size_t)len >= cap) {
        return -ENAMETOOLONG;
    }
    if (rename(path, out) < 0) {
        return -errno;
    }
    /* SQLite finds the WAL of the moved file under these names. */
    for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
        snprintf(from, sizeof(from), "%s%s", path, beside[i]);
        snprintf(to, sizeof(to), "%s%s", out, beside[i]);
        if (rename(from, to) < 0 && errno != ENOENT) {
            return -errno;
        }
    }
    return 0;
}

int stats_db_each(struct stats_db *db, const struct stats_db_rows *rows, struct diag *diag)
{
    sqlite3_stmt *query = NULL;
    int code = sqlite3_prepare_v2(db->handle, rows->sql, -1, &query, NULL);
    if (code != SQLITE_OK) {
        return fail(db, code, diag);
    }
    int64_t first_day = rows->first / 24 + (rows->first % 24 != 0), end_day = rows->end / 24;
    bool whole = first_day < end_day;
    sqlite3_bind_int64(query, 1, rows->first);
    sqlite3_bind_int64(query, 2, rows->end);
    if (sqlite3_bind_parameter_count(query) == 4) {
        sqlite3_bind_int64(query, 3, whole ? first_day * 24 : rows->end);
        sqlite3_bind_int64(query, 4, whole ? end_day * 24 : rows->end);
    }
    int err = 0;
    while (err == 0 && (code = sqlite3_step(query)) == SQLITE_ROW) {
        const int64_t numbers[3] = {sqlite3_column_int64(query, 1), sqlite3_column_int64(query, 2),
                                    sqlite3_column_int64(query, 3)};
        err = rows->each(rows->owner, (const char *)sqlite3_column_text(query, 0), numbers);
    }
    if (err == 0 && code != SQLITE_DONE) {
        err = fail(db, code, diag);
    }
    sqlite3_finalize(query);
    return err;
}
