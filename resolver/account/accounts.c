// SPDX-License-Identifier: Apache-2.0
#include "account/accounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/database.h"

enum { SCHEMA = 1 };

struct accounts {
    struct database file;
};

#define ACCOUNT_COLUMNS "name, role, salt, passes, kib, verifier, changed_day"
#define TOKEN_COLUMNS   "id, label, made_by, role, verifier, made_day, used_day, expires_at"

static const char *const schema_sql =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE accounts(name TEXT PRIMARY KEY, role TEXT NOT NULL, salt BLOB NOT NULL,"
    " passes INTEGER NOT NULL, kib INTEGER NOT NULL, verifier BLOB NOT NULL,"
    " changed_day INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE tokens(id TEXT PRIMARY KEY, label TEXT NOT NULL, made_by TEXT NOT NULL,"
    " role TEXT NOT NULL, verifier BLOB NOT NULL, made_day INTEGER NOT NULL,"
    " used_day INTEGER NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;"
    "PRAGMA user_version = 1;"
    "COMMIT;";

int accounts_open(const char *path, struct accounts **ret_accounts)
{
    struct accounts *accounts = calloc(1, sizeof(*accounts));
    if (!accounts) {
        return -ENOMEM;
    }
    accounts->file.schema = schema_sql;
    accounts->file.version = SCHEMA;
    accounts->file.mode = 0600;
    snprintf(accounts->file.path, sizeof(accounts->file.path), "%s", path);
    *ret_accounts = accounts;
    return 0;
}

void accounts_close(struct accounts *accounts)
{
    if (accounts) {
        database_close(&accounts->file);
        free(accounts);
    }
}

bool account_is_name(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len <= ACCOUNT_NAME_MAX && name[0] != '.' && name[0] != '-' &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-")] == '\0';
}

/* A blob of just this size; else all zero, which fits nothing. */
static void copy_blob(sqlite3_stmt *query, int column, uint8_t *out, size_t len)
{
    const void *blob = sqlite3_column_blob(query, column);
    bool fits = blob && sqlite3_column_bytes(query, column) == (int)len;
    memset(out, 0, len);
    memcpy(out, fits ? blob : out, fits ? len : 0);
}

/* What is not known may the least. */
static enum account_role read_role(sqlite3_stmt *query, int column)
{
    char word[16];
    database_copy(query, column, word, sizeof(word));
    int role = account_role_find(word);
    return role < 0 ? ACCOUNT_METRICS : (enum account_role)role;
}

static void read_account(sqlite3_stmt *query, void *out)
{
    struct account *account = out;
    database_copy(query, 0, account->name, sizeof(account->name));
    account->role = read_role(query, 1);
    copy_blob(query, 2, account->recipe.salt, RECIPE_SALT);
    account->recipe.passes = (uint32_t)sqlite3_column_int64(query, 3);
    account->recipe.kib = (uint32_t)sqlite3_column_int64(query, 4);
    copy_blob(query, 5, account->verifier.octets, SECRET_OCTETS);
    account->changed_day = sqlite3_column_int64(query, 6);
}

static void read_token(sqlite3_stmt *query, void *out)
{
    struct token *token = out;
    database_copy(query, 0, token->id, sizeof(token->id));
    database_copy(query, 1, token->label, sizeof(token->label));
    database_copy(query, 2, token->made_by, sizeof(token->made_by));
    token->role = read_role(query, 3);
    copy_blob(query, 4, token->verifier.octets, SECRET_OCTETS);
    token->made_day = sqlite3_column_int64(query, 5);
    token->used_day = sqlite3_column_int64(query, 6);
    token->expires_at = sqlite3_column_int64(query, 7);
}

/* A statement about one row, by its key. */
static sqlite3_stmt *prepare_for(struct accounts *accounts, const char *sql, const char *key,
                                 struct diag *diag)
{
    sqlite3_stmt *query = NULL;
    if (database_ready(&accounts->file, diag) == 0) {
        query = database_prepare(&accounts->file, sql, diag);
    }
    if (query) {
        database_bind(query, 1, key);
    }
    return query;
}

struct reader {
    void (*read)(sqlite3_stmt *query, void *out);
    void *out;
};

/* The one row of a query into what the reader fills; -ENOENT. */
static int read_one(struct accounts *accounts, sqlite3_stmt *query, const struct reader *reader,
                    struct diag *diag)
{
    if (!query) {
        return -EIO;
    }
    int code = sqlite3_step(query);
    if (code == SQLITE_ROW) {
        reader->read(query, reader->out);
    }
    sqlite3_finalize(query);
    return code == SQLITE_ROW    ? 0
           : code == SQLITE_DONE ? -ENOENT
                                 : database_fail(&accounts->file, diag);
}

/* A change that has to find one row. */
static int change_one(struct accounts *accounts, sqlite3_stmt *query, struct diag *diag)
{
    int changed = database_run(&accounts->file, query, diag);
    return changed == 0  ? diag_set(diag, -ENOENT, "there is none of this name")
           : changed < 0 ? changed
                         : 0;
}

static int64_t count(struct accounts *accounts, const char *sql, const char *key, struct diag *diag)
{
    return database_number(&accounts->file, prepare_for(accounts, sql, key, diag), diag);
}

int accounts_find(struct accounts *accounts, const char *name, struct account *ret_account,
                  struct diag *diag)
{
    if (!database_exists(&accounts->file)) {
        return -ENOENT;
    }
    sqlite3_stmt *query = prepare_for(
        accounts, "SELECT " ACCOUNT_COLUMNS " FROM accounts WHERE name = ?1", name, diag);
    return read_one(accounts, query, &(struct reader){read_account, ret_account}, diag);
}

/* The others must keep an admin among them. */
static int keep_an_admin(struct accounts *accounts, const char *but, struct diag *diag)
{
    int64_t admins = count(
        accounts, "SELECT count(*) FROM accounts WHERE role = 'admin' AND name <> ?1", but, diag);
    if (admins < 0) {
        return (int)admins;
    }
    int64_t is_one = count(
        accounts, "SELECT count(*) FROM accounts WHERE role = 'admin' AND name = ?1", but, diag);
    if (is_one < 0) {
        return (int)is_one;
    }
    return admins == 0 && is_one > 0
               ? diag_set(diag, -EBUSY, "%s is the last admin: make another one first", but)
               : 0;
}

static int may_put(struct accounts *accounts, const struct account *account, struct diag *diag)
{
    int err = account->role == ACCOUNT_ADMIN ? 0 : keep_an_admin(accounts, account->name, diag);
    if (err < 0) {
        return err;
    }
    int64_t others =
        count(accounts, "SELECT count(*) FROM accounts WHERE name <> ?1", account->name, diag);
    return others >= ACCOUNTS_MAX ? diag_set(diag, -ENOSPC, "at most %d accounts", ACCOUNTS_MAX)
           : others < 0           ? (int)others
                                  : 0;
}

int accounts_put(struct accounts *accounts, const struct account *account, struct diag *diag)
{
    int err = may_put(accounts, account, diag);
    if (err < 0) {
        return err;
    }
    sqlite3_stmt *query = prepare_for(accounts,
                                      "INSERT OR REPLACE INTO accounts(" ACCOUNT_COLUMNS ") "
                                      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                                      account->name, diag);
    if (query) {
        database_bind(query, 2, account_role_words[account->role]);
        sqlite3_bind_blob(query, 3, account->recipe.salt, RECIPE_SALT, SQLITE_TRANSIENT);
        sqlite3_bind_int64(query, 4, account->recipe.passes);
        sqlite3_bind_int64(query, 5, account->recipe.kib);
        sqlite3_bind_blob(query, 6, account->verifier.octets, SECRET_OCTETS, SQLITE_TRANSIENT);
        sqlite3_bind_int64(query, 7, account->changed_day);
    }
    return change_one(accounts, query, diag);
}

int accounts_remove(struct accounts *accounts, const char *name, struct diag *diag)
{
    int err = keep_an_admin(accounts, name, diag);
    if (err < 0) {
        return err;
    }
    return change_one(
        accounts, prepare_for(accounts, "DELETE FROM accounts WHERE name = ?1", name, diag), diag);
}

int accounts_count(struct accounts *accounts, struct diag *diag)
{
    if (!database_exists(&accounts->file)) {
        return 0;
    }
    return (int)count(accounts, "SELECT count(*) FROM accounts WHERE name <> ?1", "", diag);
}

/* Rows after what was read of them. */
static int end_walk(struct accounts *accounts, sqlite3_stmt *query, int code, struct diag *diag)
{
    sqlite3_finalize(query);
    return code == SQLITE_DONE ? 0 : database_fail(&accounts->file, diag);
}

int accounts_walk(struct accounts *accounts,
                  void (*visit)(void *context, const struct account *account), void *context,
                  struct diag *diag)
{
    struct account account;
    sqlite3_stmt *query = prepare_for(
        accounts, "SELECT " ACCOUNT_COLUMNS " FROM accounts WHERE name <> ?1 ORDER BY name", "",
        diag);
    if (!query) {
        return -EIO;
    }
    int code = sqlite3_step(query);
    for (; code == SQLITE_ROW; code = sqlite3_step(query)) {
        read_account(query, &account);
        visit(context, &account);
    }
    return end_walk(accounts, query, code, diag);
}

int tokens_add(struct accounts *accounts, const struct token *token, struct diag *diag)
{
    int64_t others = count(accounts, "SELECT count(*) FROM tokens WHERE id <> ?1", "", diag);
    if (others < 0 || others >= TOKENS_MAX) {
        return others < 0 ? (int)others : diag_set(diag, -ENOSPC, "at most %d tokens", TOKENS_MAX);
    }
    sqlite3_stmt *query = prepare_for(accounts,
                                      "INSERT INTO tokens(" TOKEN_COLUMNS ") "
                                      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, 0, ?7)",
                                      token->id, diag);
    if (query) {
        database_bind(query, 2, token->label);
        database_bind(query, 3, token->made_by);
        database_bind(query, 4, account_role_words[token->role]);
        sqlite3_bind_blob(query, 5, token->verifier.octets, SECRET_OCTETS, SQLITE_TRANSIENT);
        sqlite3_bind_int64(query, 6, token->made_day);
        sqlite3_bind_int64(query, 7, token->expires_at);
    }
    return change_one(accounts, query, diag);
}

int tokens_find(struct accounts *accounts, const char *id, struct token *ret_token,
                struct diag *diag)
{
    if (!database_exists(&accounts->file)) {
        return -ENOENT;
    }
    sqlite3_stmt *query =
        prepare_for(accounts, "SELECT " TOKEN_COLUMNS " FROM tokens WHERE id = ?1", id, diag);
    return read_one(accounts, query, &(struct reader){read_token, ret_token}, diag);
}

int tokens_remove(struct accounts *accounts, const char *id, struct diag *diag)
{
    return change_one(accounts, prepare_for(accounts, "DELETE FROM tokens WHERE id = ?1", id, diag),
                      diag);
}

int tokens_touch(struct accounts *accounts, const char *id, int64_t day, struct diag *diag)
{
    sqlite3_stmt *query =
        prepare_for(accounts, "UPDATE tokens SET used_day = ?2 WHERE id = ?1", id, diag);
    if (query) {
        sqlite3_bind_int64(query, 2, day);
    }
    return change_one(accounts, query, diag);
}

int tokens_walk(struct accounts *accounts, void (*visit)(void *context, const struct token *token),
                void *context, struct diag *diag)
{
    struct token token;
    sqlite3_stmt *query = prepare_for(
        accounts, "SELECT " TOKEN_COLUMNS " FROM tokens WHERE id <> ?1 ORDER BY label, id", "",
        diag);
    if (!query) {
        return -EIO;
    }
    int code = sqlite3_step(query);
    for (; code == SQLITE_ROW; code = sqlite3_step(query)) {
        read_token(query, &token);
        visit(context, &token);
    }
    return end_walk(accounts, query, code, diag);
}
