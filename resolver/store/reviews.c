// SPDX-License-Identifier: Apache-2.0
#include "store/reviews.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/code.h"
#include "base/hash.h"
#include "store/database.h"

enum { DAY_S = 86400, HOUR_S = 3600, SCHEMA = 1, CODE_TRIES = 8 };

struct reviews {
    struct database file;
    int64_t hour; /* of the hashes below */
    struct hash_key key;
    unsigned admitted;
    uint64_t clients[REVIEWS_HOURLY_ALL];
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

int reviews_open(const char *path, struct reviews **ret_reviews)
{
    struct reviews *reviews = calloc(1, sizeof(*reviews));
    if (!reviews) {
        return -ENOMEM;
    }
    reviews->file.schema = schema_sql;
    reviews->file.version = SCHEMA;
    reviews->file.mode = 0640;
    snprintf(reviews->file.path, sizeof(reviews->file.path), "%s", path);
    *ret_reviews = reviews;
    return 0;
}

void reviews_close(struct reviews *reviews)
{
    if (reviews) {
        database_close(&reviews->file);
        free(reviews);
    }
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
    sqlite3_stmt *query = database_prepare(
        &reviews->file, "DELETE FROM reviews WHERE max(last_day, answered_day) < ?1", diag);
    if (query) {
        sqlite3_bind_int64(query, 1, day - REVIEW_KEEP_DAYS);
    }
    int changed = database_run(&reviews->file, query, diag);
    return changed < 0 ? changed : 0;
}

/* Count one that waits up; 0 when there is none. */
static int count_up(struct reviews *reviews, const struct review *wish, struct diag *diag)
{
    sqlite3_stmt *query = database_prepare(&reviews->file,
                                           "UPDATE reviews SET times = times + 1, last_day = ?3 "
                                           "WHERE name = ?1 AND for_group = ?2 AND state = 0",
                                           diag);
    if (query) {
        database_bind(query, 1, wish->name);
        database_bind(query, 2, wish->group);
        sqlite3_bind_int64(query, 3, wish->last_day);
    }
    return database_run(&reviews->file, query, diag);
}

static int insert(struct reviews *reviews, const struct review *wish, struct diag *diag)
{
    char code[REVIEW_CODE_LEN + 1];
    int changed = 0;
    for (int i = 0; i < CODE_TRIES && changed == 0; i++) {
        sqlite3_stmt *query = database_prepare(&reviews->file,
                                               "INSERT INTO reviews(" COLUMNS ") "
                                               "VALUES(?1, ?2, ?3, ?4, ?5, 0, 1, ?6, ?6, 0, 0, '') "
                                               "ON CONFLICT(code) DO NOTHING",
                                               diag);
        if (!query) {
            return -EIO;
        }
        make_code(code);
        database_bind(query, 1, code);
        database_bind(query, 2, wish->name);
        database_bind(query, 3, wish->group);
        database_bind(query, 4, wish->category);
        database_bind(query, 5, wish->reason);
        sqlite3_bind_int64(query, 6, wish->last_day);
        changed = database_run(&reviews->file, query, diag);
    }
    return changed == 0 ? -EEXIST : changed < 0 ? changed : 0;
}

/* A text that is there already is not kept twice. */
static int add_text(struct reviews *reviews, const char *code, const char *text, struct diag *diag)
{
    sqlite3_stmt *query =
        database_prepare(&reviews->file,
                         "INSERT INTO texts SELECT id, ?2 FROM reviews WHERE code = ?1 AND "
                         "(SELECT count(*) FROM texts WHERE review_id = id) < ?3 AND "
                         "NOT EXISTS (SELECT 1 FROM texts WHERE review_id = id AND text = ?2)",
                         diag);
    if (query) {
        database_bind(query, 1, code);
        database_bind(query, 2, text);
        sqlite3_bind_int(query, 3, REVIEW_TEXTS_MAX);
    }
    int changed = database_run(&reviews->file, query, diag);
    return changed < 0 ? changed : 0;
}

static int find_waiting(struct reviews *reviews, struct review *review, struct diag *diag)
{
    sqlite3_stmt *query = database_prepare(
        &reviews->file, "SELECT code FROM reviews WHERE name = ?1 AND for_group = ?2 AND state = 0",
        diag);
    if (!query) {
        return -EIO;
    }
    database_bind(query, 1, review->name);
    database_bind(query, 2, review->group);
    if (sqlite3_step(query) != SQLITE_ROW) {
        sqlite3_finalize(query);
        return database_fail(&reviews->file, diag);
    }
    snprintf(review->code, sizeof(review->code), "%s", (const char *)sqlite3_column_text(query, 0));
    sqlite3_finalize(query);
    return 0;
}

static int64_t count_waiting(struct reviews *reviews, struct diag *diag)
{
    return database_number(
        &reviews->file,
        database_prepare(&reviews->file, "SELECT count(*) FROM reviews WHERE state = 0", diag),
        diag);
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
    int err = database_ready(&reviews->file, diag);
    if (err == 0) {
        err = database_command(&reviews->file, "BEGIN IMMEDIATE", diag);
    }
    if (err == 0) {
        err = add(reviews, review, text, diag);
        if (err == 0) {
            err = database_command(&reviews->file, "COMMIT", diag);
        } else if (reviews->file.handle) { /* else closing it has rolled back */
            (void)sqlite3_exec(reviews->file.handle, "ROLLBACK", NULL, NULL, NULL);
        }
    }
    return err;
}

int reviews_expire(struct reviews *reviews, int64_t now, struct diag *diag)
{
    /* Nothing is made only to be looked at. */
    if (!database_exists(&reviews->file)) {
        return 0;
    }
    int err = database_ready(&reviews->file, diag);
    return err == 0 ? forget_old(reviews, now / DAY_S, diag) : err;
}

static void read_row(sqlite3_stmt *query, struct review *review)
{
    int state = sqlite3_column_int(query, 5);
    database_copy(query, 0, review->code, sizeof(review->code));
    database_copy(query, 1, review->name, sizeof(review->name));
    database_copy(query, 2, review->group, sizeof(review->group));
    database_copy(query, 3, review->category, sizeof(review->category));
    database_copy(query, 4, review->reason, sizeof(review->reason));
    review->state = state >= 0 && state <= REVIEW_DENIED ? (enum review_state)state : REVIEW_DENIED;
    review->times = (unsigned)sqlite3_column_int(query, 6);
    review->first_day = sqlite3_column_int64(query, 7);
    review->last_day = sqlite3_column_int64(query, 8);
    review->answered_day = sqlite3_column_int64(query, 9);
    review->until = sqlite3_column_int64(query, 10);
    database_copy(query, 11, review->answer, sizeof(review->answer));
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
    int err = take_code(code, plain) ? database_ready(&reviews->file, diag)
                                     : diag_set(diag, -ENOENT, "no request has this code");
    sqlite3_stmt *query = NULL;
    if (err == 0) {
        query = database_prepare(&reviews->file, "SELECT " COLUMNS " FROM reviews WHERE code = ?1",
                                 diag);
        err = query ? 0 : -EIO;
    }
    if (err < 0) {
        return err;
    }
    database_bind(query, 1, plain);
    int code_of_step = sqlite3_step(query);
    if (code_of_step == SQLITE_ROW) {
        read_row(query, ret_review);
    }
    sqlite3_finalize(query);
    return code_of_step == SQLITE_ROW    ? 0
           : code_of_step == SQLITE_DONE ? diag_set(diag, -ENOENT, "no request has this code")
                                         : database_fail(&reviews->file, diag);
}

static void read_texts(struct reviews *reviews, const char *code, char **texts)
{
    size_t count = 0;
    sqlite3_stmt *query = NULL;
    (void)sqlite3_prepare_v2(reviews->file.handle,
                             "SELECT text FROM texts JOIN reviews ON review_id = id "
                             "WHERE code = ?1 ORDER BY texts.rowid",
                             -1, &query, NULL);
    database_bind(query, 1, code);
    while (count < REVIEW_TEXTS_MAX && sqlite3_step(query) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(query, 0);
        texts[count] = text ? strdup(text) : NULL;
        count += texts[count] != NULL;
    }
    sqlite3_finalize(query);
}

int reviews_walk(struct reviews *reviews, const struct review_visitor *visitor, struct diag *diag)
{
    int err = database_ready(&reviews->file, diag);
    sqlite3_stmt *query = NULL;
    if (err == 0) {
        query = database_prepare(
            &reviews->file,
            visitor->all ? "SELECT " COLUMNS " FROM reviews ORDER BY state, id DESC"
                         : "SELECT " COLUMNS " FROM reviews WHERE state = 0 ORDER BY id DESC",
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
    return code == SQLITE_DONE ? 0 : database_fail(&reviews->file, diag);
}

int reviews_answer(struct reviews *reviews, const struct review *review, int64_t now,
                   struct diag *diag)
{
    int err = database_ready(&reviews->file, diag);
    if (err < 0) {
        return err;
    }
    sqlite3_stmt *query =
        database_prepare(&reviews->file,
                         "UPDATE reviews SET state = ?2, until = ?3, answer = ?4, "
                         "answered_day = ?5 WHERE code = ?1",
                         diag);
    if (query) {
        database_bind(query, 1, review->code);
        sqlite3_bind_int(query, 2, (int)review->state);
        sqlite3_bind_int64(query, 3, review->until);
        database_bind(query, 4, review->answer);
        sqlite3_bind_int64(query, 5, now / DAY_S);
    }
    int changed = database_run(&reviews->file, query, diag);
    return changed == 0  ? diag_set(diag, -ENOENT, "no request has this code")
           : changed < 0 ? changed
                         : 0;
}

int reviews_waiting(struct reviews *reviews, struct diag *diag)
{
    if (!reviews || !database_exists(&reviews->file)) {
        return 0;
    }
    int err = database_ready(&reviews->file, diag);
    return err == 0 ? (int)count_waiting(reviews, diag) : err;
}
