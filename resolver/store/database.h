// SPDX-License-Identifier: Apache-2.0
/* database: a small SQLite file with one writer, the daemon's main thread.
 *
 * Opened when it is first needed, closed after an error and opened anew the next time: it may
 * have been mended or moved away. What is deleted is overwritten. */
#pragma once
#include "base/diag.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct database {
    sqlite3 *handle;    /* NULL: not opened yet */
    const char *schema; /* makes the tables and sets user_version */
    int version;        /* of the schema; a later one is not touched */
    mode_t mode;        /* of the file, when it is made */
    char path[4096];
};

void database_close(struct database *database);

/* Open it, make it when it is missing. -EACCES, -EBADMSG (damaged), -EPROTO (of a later version),
 * -EIO, with *diag. */
__attribute__((warn_unused_result)) int database_ready(struct database *database,
                                                       struct diag *diag);

/* Is there a file, open or not? Nothing need be made only to be looked at. */
bool database_exists(const struct database *database);

/* What SQLite says, as *diag; the file is closed. Always negative. */
int database_fail(struct database *database, struct diag *diag);

/* A statement without its parameters; NULL after database_fail(). */
sqlite3_stmt *database_prepare(struct database *database, const char *sql, struct diag *diag);

/* The text is copied. */
void database_bind(sqlite3_stmt *query, int at, const char *text);

/* Run it to its end and finalize it; how many rows it changed. NULL is -EIO. */
__attribute__((warn_unused_result)) int database_run(struct database *database, sqlite3_stmt *query,
                                                     struct diag *diag);

/* The first column of the first row as a number, and finalize it. */
__attribute__((warn_unused_result)) int64_t database_number(struct database *database,
                                                            sqlite3_stmt *query, struct diag *diag);

__attribute__((warn_unused_result)) int database_command(struct database *database, const char *sql,
                                                         struct diag *diag);

/* A column's text, cut to fit, "" for NULL. */
void database_copy(sqlite3_stmt *query, int column, char *out, size_t cap);
