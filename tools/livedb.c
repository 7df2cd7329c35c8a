// SPDX-License-Identifier: Apache-2.0
#include "tools/livedb.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

enum { BUSY_MS = 5000, PAGES = 1000 };

static int explain(sqlite3 *db, int code, struct diag *diag)
{
    int err = code == SQLITE_BUSY || code == SQLITE_LOCKED                                ? -EBUSY
              : code == SQLITE_NOMEM                                                      ? -ENOMEM
              : code == SQLITE_CANTOPEN || code == SQLITE_READONLY || code == SQLITE_PERM ? -EACCES
              : code == SQLITE_FULL || code == SQLITE_IOERR                               ? -EIO
                                                            : -EBADMSG;
    return diag_set(diag, err, "the database: %s", db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
}

int livedb_read(const char *path, uint8_t **ret_data, size_t *ret_len, struct diag *diag)
{
    sqlite3 *db = NULL;
    sqlite3_int64 len = 0;
    diag_at(diag, path, 0, 0);
    if (access(path, R_OK) < 0) {
        return diag_set(diag, -errno, "%s", strerror(errno));
    }
    int code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL);
    uint8_t *data = NULL;
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(db, BUSY_MS);
        code = sqlite3_exec(db, "BEGIN; SELECT count(*) FROM sqlite_master", NULL, NULL, NULL);
    }
    if (code == SQLITE_OK) {
        data = sqlite3_serialize(db, "main", &len, 0);
        code = data ? SQLITE_OK : SQLITE_NOMEM;
    }
    int err = code == SQLITE_OK ? 0 : explain(db, code, diag);
    sqlite3_close(db);
    if (err == 0) {
        *ret_data = data;
        *ret_len = (size_t)len;
    }
    return err;
}

void livedb_free(uint8_t *data)
{
    sqlite3_free(data);
}

/* Octets as a database in memory. One that was in WAL mode is told that it is not: there is
 * no log beside octets (file format, section 1.3.3). */
static int open_octets(const uint8_t *data, size_t len, sqlite3 **ret_db)
{
    unsigned char *copy = len >= 100 ? sqlite3_malloc64(len) : NULL;
    if (!copy) {
        return len < 100 ? SQLITE_NOTADB : SQLITE_NOMEM;
    }
    memcpy(copy, data, len);
    copy[18] = copy[19] = 1;
    int code = sqlite3_open_v2(":memory:", ret_db, SQLITE_OPEN_READWRITE, NULL);
    if (code != SQLITE_OK) {
        sqlite3_free(copy);
        return code;
    }
    return sqlite3_deserialize(*ret_db, "main", copy, (sqlite3_int64)len, (sqlite3_int64)len,
                               SQLITE_DESERIALIZE_FREEONCLOSE);
}

static int copy_all(sqlite3 *from, sqlite3 *to)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (!backup) {
        return sqlite3_errcode(to);
    }
    int code, busy = 0;
    do {
        code = sqlite3_backup_step(backup, -1);
        busy += code == SQLITE_BUSY || code == SQLITE_LOCKED;
        if (busy && code != SQLITE_OK && code != SQLITE_DONE) {
            sqlite3_sleep(BUSY_MS / 50);
        }
    } while (code == SQLITE_OK ||
             ((code == SQLITE_BUSY || code == SQLITE_LOCKED) && busy < BUSY_MS / 100));
    int end = sqlite3_backup_finish(backup);
    return code == SQLITE_DONE ? end : code;
}

int livedb_write(const char *path, const uint8_t *data, size_t len, struct diag *diag)
{
    sqlite3 *from = NULL, *to = NULL;
    diag_at(diag, path, 0, 0);
    int code = open_octets(data, len, &from);
    int err = code == SQLITE_OK ? 0 : explain(from, code, diag);
    if (err == 0) {
        code = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
        if (code == SQLITE_OK) {
            sqlite3_busy_timeout(to, BUSY_MS);
            code = copy_all(from, to);
        }
        err = code == SQLITE_OK ? 0 : explain(to, code, diag);
    }
    sqlite3_close(to);
    sqlite3_close(from);
    return err;
}

static int read_verdict(void *arg, int columns, char **values, char **names)
{
    (void)names;
    int *good = arg;
    *good = columns == 1 && values[0] && strcmp(values[0], "ok") == 0;
    return 0;
}

int livedb_check(const uint8_t *data, size_t len, struct diag *diag)
{
    sqlite3 *db = NULL;
    int good = 0;
    int code = open_octets(data, len, &db);
    if (code == SQLITE_OK) {
        sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        code = sqlite3_exec(db, "PRAGMA quick_check(1)", read_verdict, &good, NULL);
    }
    int err = code != SQLITE_OK ? explain(db, code, diag)
              : good            ? 0
                                : diag_set(diag, -EBADMSG, "the database is damaged");
    sqlite3_close(db);
    return err;
}
