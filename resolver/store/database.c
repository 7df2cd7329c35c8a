// SPDX-License-Identifier: Apache-2.0
#include "store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BUSY_MS = 200 };

/* secure_delete: people wrote what is deleted here, and secrets are. */
static const char *const settings_sql =
    "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;"
    "PRAGMA cache_size = -256; PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF;"
    "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;";

int database_fail(struct database *database, struct diag *diag)
{
    int err = -EIO;
    switch (sqlite3_errcode(database->handle) & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: err = -EBADMSG; break;
    case SQLITE_FULL: err = -ENOSPC; break;
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM: err = -EACCES; break;
    default: break;
    }
    diag_at(diag, database->path, 0, 0);
    diag_set(diag, err, "%s", sqlite3_errmsg(database->handle));
    /* The next time it is opened anew: the file may have been mended or moved away. */
    sqlite3_close_v2(database->handle);
    database->handle = NULL;
    return err == -ENOSPC ? -EIO : err;
}

sqlite3_stmt *database_prepare(struct database *database, const char *sql, struct diag *diag)
{
    sqlite3_stmt *query = NULL;
    if (sqlite3_prepare_v2(database->handle, sql, -1, &query, NULL) != SQLITE_OK) {
        (void)database_fail(database, diag);
    }
    return query;
}

void database_bind(sqlite3_stmt *query, int at, const char *text)
{
    sqlite3_bind_text(query, at, text, -1, SQLITE_TRANSIENT);
}

int database_run(struct database *database, sqlite3_stmt *query, struct diag *diag)
{
    if (!query) {
        return -EIO;
    }
    int code = sqlite3_step(query);
    sqlite3_finalize(query);
    return code == SQLITE_DONE ? sqlite3_changes(database->handle) : database_fail(database, diag);
}

int64_t database_number(struct database *database, sqlite3_stmt *query, struct diag *diag)
{
    int64_t number = -EIO;
    if (query && sqlite3_step(query) == SQLITE_ROW) {
        number = sqlite3_column_int64(query, 0);
        sqlite3_finalize(query);
    } else if (query) {
        sqlite3_finalize(query);
        number = database_fail(database, diag);
    }
    return number;
}

int database_command(struct database *database, const char *sql, struct diag *diag)
{
    return sqlite3_exec(database->handle, sql, NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : database_fail(database, diag);
}

/* The file, made with its mode when it is missing. */
static int connect_file(struct database *database, struct diag *diag)
{
    int fd = open(database->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, database->mode);
    if (fd < 0) {
        int err = -errno;
        diag_at(diag, database->path, 0, 0);
        return diag_set(diag, err, "%s", strerror(-err));
    }
    close(fd);
    /* Not SQLITE_OPEN_NOFOLLOW: it minds links of folders too, as /var is one on OpenWrt. */
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(database->path, &database->handle, flags, NULL) != SQLITE_OK) {
        return database_fail(database, diag);
    }
    sqlite3_busy_timeout(database->handle, BUSY_MS);
    return 0;
}

int database_ready(struct database *database, struct diag *diag)
{
    if (database->handle) {
        return 0;
    }
    int err = connect_file(database, diag);
    if (err < 0) {
        return err;
    }
    err = database_command(database, settings_sql, diag);
    if (err < 0) {
        return err;
    }
    int64_t version =
        database_number(database, database_prepare(database, "PRAGMA user_version", diag), diag);
    if (version < 0 || !database->handle) {
        return -EIO;
    }
    if (version > database->version) {
        sqlite3_close_v2(database->handle);
        database->handle = NULL;
        diag_at(diag, database->path, 0, 0);
        return diag_set(diag, -EPROTO, "written by a later version (schema %d)", (int)version);
    }
    return version == 0 ? database_command(database, database->schema, diag) : 0;
}

void database_close(struct database *database)
{
    sqlite3_close_v2(database->handle);
    database->handle = NULL;
}

bool database_exists(const struct database *database)
{
    return database->handle || access(database->path, F_OK) == 0;
}

void database_copy(sqlite3_stmt *query, int column, char *out, size_t cap)
{
    const char *text = (const char *)sqlite3_column_text(query, column);
    snprintf(out, cap, "%s", text ? text : "");
}
