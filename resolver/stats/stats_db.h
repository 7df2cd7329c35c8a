// SPDX-License-Identifier: Apache-2.0
/* stats_db: the rows of stats.db. Knows SQLite and nothing of threads: the caller
 * holds a lock.
 *
 * Tables: names(id, name); sums(hour, group_id, category_id, verdict, count);
 * parts(hour, part, value, count); and what triggers sum up from those: days, hours, day_parts;
 * domains(day, blocked, name, count), with stats.privacy: domains.
 * docs/stats.md describes them. */
#pragma once
#include "stats/batch.h"

struct stats_db;
struct sqlite3;

/* Open or create, with a quick check. -EBADMSG: damaged; -EPROTO: of a later
 * version; -EACCES, -ENOSPC, -EBUSY, -EIO, -ENOMEM. NULL path: in memory. */
__attribute__((warn_unused_result)) int stats_db_open(const char *path, struct stats_db **ret_db,
                                                      struct diag *diag);
void stats_db_close(struct stats_db *db);

/* Add one hour's sums between stats_db_begin() and stats_db_commit(); after an error
 * the caller rolls back and nothing was added. Errors as for open. */
__attribute__((warn_unused_result)) int stats_db_begin(struct stats_db *db, struct diag *diag);
__attribute__((warn_unused_result)) int
stats_db_add(struct stats_db *db, const struct stats_batch *batch, struct diag *diag);
__attribute__((warn_unused_result)) int stats_db_commit(struct stats_db *db, struct diag *diag);
void stats_db_rollback(struct stats_db *db);

/* The same for the rows of names that wait. */
struct domains;
__attribute__((warn_unused_result)) int
stats_db_add_domains(struct stats_db *db, const struct domains *domains, struct diag *diag);

/* Delete the rows of whole days before the day of `hour`. */
__attribute__((warn_unused_result)) int stats_db_purge(struct stats_db *db, int64_t hour,
                                                       struct diag *diag);

/* Move a damaged file and its WAL beside itself as PATH.damaged-DATE; the new name
 * is written to out. -ENOSPC when that was done too often already, or errno. */
__attribute__((warn_unused_result)) int stats_db_set_aside(const char *path, int64_t now, char *out,
                                                           size_t cap);

/* Rows for stats_query: `each` is called with the label (NULL when the row has only
 * a number), its number, the verdict and the count. */
struct stats_db_rows {
    /* ?1: the first hour, ?2: the hour behind the last, and perhaps ?3 and ?4: the same of whole
     * days between them, both ?2 when there is none. */
    const char *sql;
    int64_t first, end;
    int (*each)(void *owner, const char *label, const int64_t numbers[3]);
    void *owner;
};
__attribute__((warn_unused_result)) int
stats_db_each(struct stats_db *db, const struct stats_db_rows *rows, struct diag *diag);
