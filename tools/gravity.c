// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "tools/foreign.h"

enum { STEPS_MAX = 200, STEP = 1000000, CELL_MAX = 4000 };

static const char *const tables[] = {
    "group",  "adlist",         "adlist_by_group", "domainlist", "domainlist_by_group",
    "client", "client_by_group"};

/* A schema can make a query endless. */
static int count_step(void *arg)
{
    unsigned *steps = arg;
    return ++*steps > STEPS_MAX;
}

static int open_database(const struct foreign_database *from, sqlite3 **ret_db)
{
    int code;
    if (from->data) {
        code = sqlite3_open_v2(":memory:", ret_db, SQLITE_OPEN_READWRITE, NULL);
        if (code == SQLITE_OK) {
            code = sqlite3_deserialize(*ret_db, "main", (unsigned char *)(uintptr_t)from->data,
                                       (sqlite3_int64)from->len, (sqlite3_int64)from->len,
                                       SQLITE_DESERIALIZE_READONLY);
        }
    } else {
        code = sqlite3_open_v2(from->path, ret_db, SQLITE_OPEN_READONLY, NULL);
    }
    if (code == SQLITE_OK) {
        sqlite3_db_config(*ret_db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(*ret_db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        sqlite3_limit(*ret_db, SQLITE_LIMIT_LENGTH, 1 << 20);
    }
    return code;
}

static cJSON *read_row(sqlite3_stmt *row)
{
    cJSON *object = cJSON_CreateObject();
    for (int i = 0; i < sqlite3_column_count(row); i++) {
        const char *name = sqlite3_column_name(row, i);
        if (sqlite3_column_type(row, i) == SQLITE_INTEGER) {
            cJSON_AddNumberToObject(object, name, (double)sqlite3_column_int64(row, i));
        } else if (sqlite3_column_type(row, i) == SQLITE_TEXT &&
                   sqlite3_column_bytes(row, i) <= CELL_MAX) {
            cJSON_AddStringToObject(object, name, (const char *)sqlite3_column_text(row, i));
        }
    }
    return object;
}

static int read_table(sqlite3 *db, const char *table, cJSON *rows)
{
    sqlite3_stmt *stmt = NULL;
    char *sql = sqlite3_mprintf("SELECT * FROM \"%w\" LIMIT %d", table, MOVING_ITEMS_MAX);
    int code = sql ? sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) : SQLITE_NOMEM;
    sqlite3_free(sql);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(stmt);
        if (code == SQLITE_ROW) {
            cJSON_AddItemToArray(rows, read_row(stmt));
        }
    }
    sqlite3_finalize(stmt);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* A view in a table's place would compute what somebody else thought of. */
static int has_table(sqlite3 *db, const char *table, bool *ret_has)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(
        db, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", -1, &stmt, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC);
        code = sqlite3_step(stmt);
        *ret_has = code == SQLITE_ROW;
        code = code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
    }
    sqlite3_finalize(stmt);
    return code;
}

static int read_tables(sqlite3 *db, cJSON *all)
{
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < sizeof(tables) / sizeof(tables[0]); i++) {
        bool has = false;
        code = has_table(db, tables[i], &has);
        if (code == SQLITE_OK && has) {
            code = read_table(db, tables[i], cJSON_AddArrayToObject(all, tables[i]));
        }
    }
    return code;
}

int foreign_read_tables(const struct foreign_database *from, cJSON **ret_tables, struct diag *diag)
{
    sqlite3 *db = NULL;
    unsigned steps = 0;
    cJSON *all = cJSON_CreateObject();
    int code = open_database(from, &db);
    if (code == SQLITE_OK) {
        sqlite3_progress_handler(db, STEP, count_step, &steps);
        code = read_tables(db, all);
    }
    int err = 0;
    if (code != SQLITE_OK) {
        err = diag_set(diag, -EBADMSG, "the database cannot be read: %s",
                       steps > STEPS_MAX ? "reading it does not end"
                       : db              ? sqlite3_errmsg(db)
                                         : sqlite3_errstr(code));
    } else if (!cJSON_GetObjectItemCaseSensitive(all, "adlist") ||
               !cJSON_GetObjectItemCaseSensitive(all, "domainlist")) {
        err = diag_set(diag, -EBADMSG,
                       "it is a database, but not Pi-hole's gravity.db: the tables adlist and "
                       "domainlist are not there");
    }
    sqlite3_close(db);
    if (err < 0) {
        cJSON_Delete(all);
        return err;
    }
    *ret_tables = all;
    return 0;
}
