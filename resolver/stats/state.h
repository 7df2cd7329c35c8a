// SPDX-License-Identifier: Apache-2.0
/* state: the inside of struct stats, for the files of this folder.
 *
 * Two locks. `lock` guards names, stop flag and trouble and is held for moments.
 * `db_lock` guards the file and what is on its way there; it is held while the disk
 * works. Workers take neither. Order: db_lock before lock. */
#pragma once
#include <pthread.h>

#include "stats/domains.h"
#include "stats/stats_db.h"

enum {
    STATS_WORKERS_MAX = 128,
    STATS_PENDING_MAX = 72, /* hours kept apart while the file cannot be written */
};

struct stats {
    const struct clock *clock;
    char *path; /* NULL: memory only */
    int64_t keep_days;
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    struct stats_names groups, categories;
    char trouble[DIAG_TEXT_MAX]; /* why rows cannot be written, "" = they can */
    char notice[DIAG_TEXT_MAX];  /* a file was set aside */
    int64_t notice_until;

    pthread_mutex_t db_lock;
    struct stats_db *db; /* NULL: not open (yet) */
    unsigned failures;   /* to write, one after the other */
    int64_t purged_hour;
    int64_t offset_s;       /* of the wall clock from the monotonic one, at the last look */
    uint64_t even_since_us; /* since when that stays the same, monotonic */
    uint64_t taken_at;      /* when `taken` was last brought up to date */
    struct stats_worker *taken;
    struct stats_batch pending[STATS_PENDING_MAX];
    unsigned pending_count;

    struct domains *domains; /* NULL: names are not counted */
    _Atomic unsigned worker_count;
    struct stats_worker *workers[STATS_WORKERS_MAX];
};

/* Move what workers counted since the last call into stats->pending. With db_lock. */
void stats_collect(struct stats *stats);

/* Open the file if it is not open; a damaged one is set aside. With db_lock. */
__attribute__((warn_unused_result)) int stats_open(struct stats *stats, struct diag *diag);
