// SPDX-License-Identifier: Apache-2.0
#include "store/reviews.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/code.h"
#include "base/hash.h"

enum { DAY_S = 86400, HOUR_S = 3600, BUSY_MS = 200, SCHEMA = 1, CODE_TRIES = 8 };

struct reviews {
    sqlite3 *handle; /* NULL: not opened yet */
    int64_t hour;    /* of the hashes below */
    struct hash_key key;
    unsigned admitted;
    uint64_t clients[REVIEWS_HOURLY_ALL];
    char path[4096];
};

#define COLUMNS                                                                                    \
    "code, name, for_group, category, reason, state, times, first_day, last_day, answered_day, "   \
    "until, answer"

static const char *const schema_sql =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS reviews(id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE,"
    " name TEXT NOT NULL, for_group TEXT NOT NULL, category TEXT NOT NULL, reason TEXT NOT NULL,"
    " state INTEGER NOT NULL, times INTEGER NOT NULL, first_day INTEGER NOT NULL,"
    " last_day INTEGER NOT NULL, answered_day INTEGER NOT NULL, until INTEGER NOT NULL,"
    " answer TEXT NOT NULL);"
    "CREATE UNIQUE INDEX IF NOT EXISTS waiting ON reviews(name, for_group) WHERE state = 0;"
    "CREATE TABLE IF NOT EXISTS texts(review_id INTEGER NOT NULL REFERENCES reviews"
    " ON DELETE CASCADE, text TEXT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS texts_of ON texts(review_id);"
    "PRAGMA user_version = 1;"
    "COMMIT;";

/* What is deleted is overwritten: people wrote it. */
static const char *const settings_sql =
    "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;"
    "PRAGMA cache_size = -256; PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF;"
    "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;";

static int fail(struct reviews *reviews, struct diag *diag)
{
    int err = -EIO;
    switch (sqlite3_errcode(reviews->handle) & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: err = -EBADMSG; break;
    case SQLITE_FULL: err = -ENOSPC; break;
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM: err = -EACCES; break;
    default: break;
    }
    diag_at(diag, reviews->path, 0, 0);
    diag_set(diag, err, "%s", sqlite3_errmsg(reviews->handle));
    /* The next time it is opened anew: the file may have been mended or moved away. */
    sqlite3_close_v2(reviews->handle);
    reviews->handle = NULL;
    return err == -ENOSPC ? -EIO : err;
}

int reviews_open(const char *path, struct reviews **ret_reviews)
{
    struct reviews *reviews = calloc(1, sizeof(*reviews));
    if (!reviews) {
        return -ENOMEM;
    }
    snprintf(reviews->path, sizeof(reviews->path), "%s", path);
    *ret_reviews = reviews;
    return 0;
}

void reviews_close(struct reviews *reviews)
{
    if (reviews) {
        sqlite3_close_v2(reviews->handle);
        free(reviews);
    }
}

/* A statement with its first parameters; NULL after fail(). */
static sqlite3_stmt *prepare(struct reviews *reviews, const char *sql, struct diag *diag)
{
    sqlite3_stmt *query = NULL;
    if (sqlite3_prepare_v2(reviews->handle, sql, -1, &query, NULL) != SQLITE_OK) {
        (void)fail(reviews, diag);
    }
    return query;
}

static void bind(sqlite3_stmt *query, int at, const char *text)
{
    sqlite3_bind_text(query, at, text, -1, SQLITE_TRANSIENT);
}

/* Run it to its end and finalize it; how many rows it changed, or a negative errno. */
static int run(struct reviews *reviews, sqlite3_stmt *query, struct diag *diag)
{
    if (!query) {
        return -EIO;
    }
    int code = sqlite3_step(query);
    sqlite3_finalize(query);
    return code == SQLITE_DONE ? sqlite3_changes(reviews->handle) : fail(reviews, diag);
}

/* The first column of the first row as a number, and finalize it; or a negative errno. */
static int64_t run_number(struct reviews *reviews, sqlite3_stmt *query, struct diag *diag)
{
    int64_t number = -EIO;
    if (query && sqlite3_step(query) == SQLITE_ROW) {
        number = sqlite3_column_int64(query, 0);
        sqlite3_finalize(query);
    } else if (query) {
        sqlite3_finalize(query);
        number = fail(reviews, diag);
    }
    return number;
}

static int command(struct reviews *reviews, const char *sql, struct diag *diag)
{
    return sqlite3_exec(reviews->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? 0
                                                                             : fail(reviews, diag);
}

/* The file, made with its mode when it is missing. */
static int connect_file(struct reviews *reviews, struct diag *diag)
{
    int fd = open(reviews->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) {
        int err = -errno;
        diag_at(diag, reviews->path, 0, 0);
        return diag_set(diag, err, "%s", strerror(-err));
    }
    close(fd);
    /* Not SQLITE_OPEN_NOFOLLOW: it minds links of folders too, as /var is one on OpenWrt. */
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(reviews->path, &reviews->handle, flags, NULL) != SQLITE_OK) {
        return fail(reviews, diag);
    }
    sqlite3_busy_timeout(reviews->handle, BUSY_MS);
    return 0;
}

static int ready(struct reviews *reviews, struct diag *diag)
{
    if (reviews->handle) {
        return 0;
    }
    int err = connect_file(reviews, diag);
    if (err < 0) {
        return err;
    }
    err = command(reviews, settings_sql, diag);
    if (err < 0) {
        return err;
    }
    int64_t version = run_number(reviews, prepare(reviews, "PRAGMA user_version", diag), diag);
    if (version < 0 || !reviews->handle) {
        return -EIO;
    }
    if (version > SCHEMA) {
        sqlite3_close_v2(reviews->handle);
        reviews->handle = NULL;
        diag_at(diag, reviews->path, 0, 0);
        return diag_set(diag, -EPROTO, "written by a later version (schema %d)", (int)version);
    }
    return version == 0 ? command(reviews, schema_sql, diag) : 0;
}

bool reviews_admit(struct reviews *reviews, const void *client, size_t len, int64_t now)
{
    unsigned own = 0;
    if (reviews->hour != now / HOUR_S) {
        reviews->hour = now / HOUR_S;
        reviews->admitted = 0;
        hash_key_random(&reviews->key);
    }
    uint64_t hash = hash_keyed(&reviews->key, client, len);
    for (unsigned i = 0; i < reviews->admitted; i++) {
        own += reviews->clients[i] == hash;
    }
    if (own >= REVIEWS_HOURLY || reviews->admitted == REVIEWS_HOURLY_ALL) {
        return false;
    }
    reviews->clients[reviews->admitted++] = hash;
    return true;
}

static void make_code(char out[REVIEW_CODE_LEN + 1])
{
    uint8_t octets[REVIEW_CODE_LEN];
    random_bytes(octets, sizeof(octets));
    for (int i = 0; i < REVIEW_CODE_LEN; i++) {
        out[i] = code_digits[octets[i] & 31];
    }
    out[REVIEW_CODE_LEN] = '\0';
}

static int forget_old(struct reviews *reviews, int64_t day, struct diag *diag)
{
    sqlite3_stmt *query =
        prepare(reviews, "DELETE FROM reviews WHERE max(last_day, answered_day) < ?1", diag);
    if (query) {
        sqlite3_bind_int64(query, 1, day - REVIEW_KEEP_DAYS);
    }
    int changed = run(reviews, query, diag);
    return changed < 0 ? changed : 0;
}

/* Count one that waits up; 0 when there is none. */
static int count_up(struct reviews *reviews, const struct review *wish, struct diag *diag)
{
    sqlite3_stmt *query = prepare(reviews,
                                  "UPDATE reviews SET times = times + 1, last_day = ?3 "
                                  "WHERE name = ?1 AND for_group = ?2 AND state = 0",
                                  diag);
    if (query) {
        bind(query, 1, wish->name);
        bind(query, 2, wish->group);
        sqlite3_bind_int64(query, 3, wish->last_day);
    }
    return run(reviews, query, diag);
}

static int insert(struct reviews *reviews, const struct review *wish, struct diag *diag)
{
    char code[REVIEW_CODE_LEN + 1];
    int changed = 0;
    for (int i = 0; i < CODE_TRIES && changed == 0; i++) {
        sqlite3_stmt *query = prepare(reviews,
                                      "INSERT INTO reviews(" COLUMNS ") "
                                      "VALUES(?1, ?2, ?3, ?4, ?5, 0, 1, ?6, ?6, 0, 0, '') "
                                      "ON CONFLICT(code) DO NOTHING",
                                      diag);
        if (!query) {
            return -EIO;
        }
        make_code(code);
        bind(query, 1, code);
        bind(query, 2, wish->name);
        bind(query, 3, wish->group);
        bind(query, 4, wish->category);
        bind(query, 5, wish->reason);
        sqlite3_bind_int64(query, 6, wish->last_day);
        changed = run(reviews, query, diag);
    }
    return changed == 0 ? -EEXIST : changed < 0 ? changed : 0;
}

/* A text that is there already is not kept twice. */
static int add_text(struct reviews *reviews, const char *code, const char *text, struct diag *diag)
{
    sqlite3_stmt *query =
        prepare(reviews,
                "INSERT INTO texts SELECT id, ?2 FROM reviews WHERE code = ?1 AND "
                "(SELECT count(*) FROM texts WHERE review_id = id) < ?3 AND "
                "NOT EXISTS (SELECT 1 FROM texts WHERE review_id = id AND text = ?2)",
                diag);
    if (query) {
        bind(query, 1, code);
        bind(query, 2, text);
        sqlite3_bind_int(query, 3, REVIEW_TEXTS_MAX);
    }
    int changed = run(reviews, query, diag);
    return changed < 0 ? changed : 0;
}

static int find_waiting(struct reviews *reviews, struct review *review, struct diag *diag)
{
    sqlite3_stmt *query = prepare(
        reviews, "SELECT code FROM reviews WHERE name = ?1 AND for_group = ?2 AND state = 0", diag);
    if (!query) {
        return -EIO;
    }
    bind(query, 1, review->name);
    bind(query, 2, review->group);
    if (sqlite3_step(query) != SQLITE_ROW) {
        sqlite3_finalize(query);
        return fail(reviews, diag);
    }
    snprintf(review->code, sizeof(review->code), "%s", (const char *)sqlite3_column_text(query, 0));
    sqlite3_finalize(query);
    return 0;
}

static int64_t count_waiting(struct reviews *reviews, struct diag *diag)
{
    return run_number(reviews,
                      prepare(reviews, "SELECT count(*) FROM reviews WHERE state = 0", diag), diag);
}

static int begin_one(struct reviews *reviews, const struct review *wish, struct diag *diag)
{
    int err = forget_old(reviews, wish->last_day, diag);
    int64_t waiting = err == 0 ? count_waiting(reviews, diag) : err;
    if (waiting >= REVIEWS_WAITING_MAX) {
        return diag_set(diag, -ENOSPC, "%d requests wait already", REVIEWS_WAITING_MAX);
    }
    return waiting < 0 ? (int)waiting : insert(reviews, wish, diag);
}

static int add(struct reviews *reviews, struct review *review, const char *text, struct diag *diag)
{
    int counted = count_up(reviews, review, diag);
    int err = counted == 0 ? begin_one(reviews, review, diag) : counted;
    if (err >= 0) {
        err = find_waiting(reviews, review, diag);
    }
    if (err == 0 && *text) {
        err = add_text(reviews, review->code, text, diag);
    }
    return err;
}

/* One transaction: one time that the disk is waited for. */
int reviews_add(struct reviews *reviews, struct review *review, const char *text, struct diag *diag)
{
    int err = ready(reviews, diag);
    if (err == 0) {
        err = command(reviews, "BEGIN IMMEDIATE", diag);
    }
    if (err == 0) {
        err = add(reviews, review, text, diag);
        if (err == 0) {
            err = command(reviews, "COMMIT", diag);
        } else if (reviews->handle) { /* else closing it has rolled back */
            (void)sqlite3_exec(reviews->handle, "ROLLBACK", NULL, NULL, NULL);
        }
    }
    return err;
}

int reviews_expire(struct reviews *reviews, int64_t now, struct diag *diag)
{
    /* Nothing is made only to be looked at. */
    if (!reviews->handle && access(reviews->path, F_OK) != 0) {
        return 0;
    }
    int err = ready(reviews, diag);
    return err == 0 ? forget_old(reviews, now / DAY_S, diag) : err;
}

static void copy_column(sqlite3_stmt *query, int column, char *out, size_t cap)
{
    const char *text = (const char *)sqlite3_column_text(query, column);
    snprintf(out, cap, "%s", text ? text : "");
}

static void read_row(sqlite3_stmt *query, struct review *review)
{
    int state = sqlite3_column_int(query, 5);
    copy_column(query, 0, review->code, sizeof(review->code));
    copy_column(query, 1, review->name, sizeof(review->name));
    copy_column(query, 2, review->group, sizeof(review->group));
    copy_column(query, 3, review->category, sizeof(review->category));
    copy_column(query, 4, review->reason, sizeof(review->reason));
    review->state = state >= 0 && state <= REVIEW_DENIED ? (enum review_state)state : REVIEW_DENIED;
    review->times = (unsigned)sqlite3_column_int(query, 6);
    review->first_day = sqlite3_column_int64(query, 7);
    review->last_day = sqlite3_column_int64(query, 8);
    review->answered_day = sqlite3_column_int64(query, 9);
    review->until = sqlite3_column_int64(query, 10);
    copy_column(query, 11, review->answer, sizeof(review->answer));
}

/* As people write codes down. False: it can be none. */
static bool take_code(const char *text, char out[REVIEW_CODE_LEN + 1])
{
    int len = 0;
    for (; code_digit(*text) >= 0 && len < REVIEW_CODE_LEN; text++) {
        out[len++] = code_digits[code_digit(*text)];
    }
    out[len] = '\0';
    return len == REVIEW_CODE_LEN && !*text;
}

int reviews_find(struct reviews *reviews, const char *code, struct review *ret_review,
                 struct diag *diag)
{
    char plain[REVIEW_CODE_LEN + 1];
    int err = take_code(code, plain) ? ready(reviews, diag)
                                     : diag_set(diag, -ENOENT, "no request has this code");
    sqlite3_stmt *query = NULL;
    if (err == 0) {
        query = prepare(reviews, "SELECT " COLUMNS " FROM reviews WHERE code = ?1", diag);
        err = query ? 0 : -EIO;
    }
    if (err < 0) {
        return err;
    }
    bind(query, 1, plain);
    int code_of_step = sqlite3_step(query);
    if (code_of_step == SQLITE_ROW) {
        read_row(query, ret_review);
    }
    sqlite3_finalize(query);
    return code_of_step == SQLITE_ROW    ? 0
           : code_of_step == SQLITE_DONE ? diag_set(diag, -ENOENT, "no request has this code")
                                         : fail(reviews, diag);
}

static void read_texts(struct reviews *reviews, const char *code, char **texts)
{
    size_t count = 0;
    sqlite3_stmt *query = NULL;
    (void)sqlite3_prepare_v2(reviews->handle,
                             "SELECT text FROM texts JOIN reviews ON review_id = id "
                             "WHERE code = ?1 ORDER BY texts.rowid",
                             -1, &query, NULL);
    bind(query, 1, code);
    while (count < REVIEW_TEXTS_MAX && sqlite3_step(query) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(query, 0);
        texts[count] = text ? strdup(text) : NULL;
        count += texts[count] != NULL;
    }
    sqlite3_finalize(query);
}

int reviews_walk(struct reviews *reviews, const struct review_visitor *visitor, struct diag *diag)
{
    int err = ready(reviews, diag);
    sqlite3_stmt *query = NULL;
    if (err == 0) {
        query = prepare(reviews,
                        visitor->all ? "SELECT " COLUMNS " FROM reviews ORDER BY state, id DESC"
                                     : "SELECT " COLUMNS
                                       " FROM reviews WHERE state = 0 ORDER BY id DESC",
                        diag);
        err = query ? 0 : -EIO;
    }
    if (err < 0) {
        return err;
    }
    int code = sqlite3_step(query);
    for (; code == SQLITE_ROW; code = sqlite3_step(query)) {
        struct review review;
        char *texts[REVIEW_TEXTS_MAX + 1] = {NULL};
        read_row(query, &review);
        read_texts(reviews, review.code, texts);
        visitor->visit(visitor->context, &review, (const char *const *)texts);
        for (size_t i = 0; i < REVIEW_TEXTS_MAX; i++) {
            free(texts[i]);
        }
    }
    sqlite3_finalize(query);
    return code == SQLITE_DONE ? 0 : fail(reviews, diag);
}

int reviews_answer(struct reviews *reviews, const struct review *review, int64_t now,
                   struct diag *diag)
{
    int err = ready(reviews, diag);
    if (err < 0) {
        return err;
    }
    sqlite3_stmt *query = prepare(reviews,
                                  "UPDATE reviews SET state = ?2, until = ?3, answer = ?4, "
                                  "answered_day = ?5 WHERE code = ?1",
                                  diag);
    if (query) {
        bind(query, 1, review->code);
        sqlite3_bind_int(query, 2, (int)review->state);
        sqlite3_bind_int64(query, 3, review->until);
        bind(query, 4, review->answer);
        sqlite3_bind_int64(query, 5, now / DAY_S);
    }
    int changed = run(reviews, query, diag);
    return changed == 0  ? diag_set(diag, -ENOENT, "no request has this code")
           : changed < 0 ? changed
                         : 0;
}

int reviews_waiting(struct reviews *reviews, struct diag *diag)
{
    if (!reviews || (!reviews->handle && access(reviews->path, F_OK) != 0)) {
        return 0;
    }
    int err = ready(reviews, diag);
    return err == 0 ? (int)count_waiting(reviews, diag) : err;
}
