// SPDX-License-Identifier: Apache-2.0
/* stats: sums of what was asked and answered; never an event, client or name.
 *
 * Each worker owns a stats_worker and is its only writer. The statistics thread
 * turns differences into rows of hour x group x category x verdict and the like,
 * once a minute and at stop. A failing database never reaches the workers. */
#pragma once
#include "base/clock.h"
#include "base/diag.h"
#include "stats/event.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef _Atomic uint64_t stats_counter;

struct stats_worker {
    stats_counter sums[STATS_GROUPS_MAX][STATS_CATEGORIES_MAX][STATS_VERDICTS];
    /* for metrics alone, never written to the file */
    stats_counter requests[STATS_TRANSPORTS][STATS_TYPES];
    stats_counter responses[STATS_RCODES][STATS_ORIGINS];
    stats_counter ways[STATS_GROUPS_MAX][STATS_WAYS];
    /* from here on written hour by hour, see stats_collect() */
    stats_counter types[STATS_TYPES];
    stats_counter rcodes[STATS_RCODES];
    stats_counter transports[STATS_TRANSPORTS];
    stats_counter origins[STATS_ORIGINS];
    stats_counter latencies[STATS_LATENCIES];
    stats_counter latency_sum_us;
    stats_counter countries[STATS_COUNTRIES];
};

struct stats;

/* Start the thread. A damaged file is set aside beside itself as
 * stats.db.damaged-DATE and a new one is begun; an unusable one leaves the counters
 * in memory: only -ENOMEM fails. `path` NULL: memory only (tests). */
struct stats_setup {
    const char *path; /* of the SQLite file */
    int64_t keep_days;
    const struct clock *clock;
    unsigned min_clients; /* names that so many clients asked for are told; 0 = none ever is */
};
__attribute__((warn_unused_result)) int stats_start(const struct stats_setup *setup,
                                                    struct stats **ret_stats, struct diag *diag);

/* Write now what was counted since the last minute; for tests and before a handover. */
void stats_flush(struct stats *stats);

/* Flush and join. */
void stats_stop(struct stats *stats);

/* A worker's counters, zeroed, mapped so that untouched pages cost nothing; they live
 * until stats_stop(). Main thread only. NULL without memory or over 128 workers. */
struct stats_worker *stats_worker_add(struct stats *stats);

/* A worker's table of names, see stats/domains.h; NULL where names are not counted. */
struct domains_worker *stats_domains_add(struct stats *stats);

/* The stable id of a group or category name for this process's lifetime; equal names
 * give equal ids. Main thread only. Category 0 is "none". When the table is full, the
 * last id, whose name is then "other". */
uint16_t stats_name_group(struct stats *stats, const char *name);
uint16_t stats_name_category(struct stats *stats, const char *name);

/* What all workers counted since the start, added to *into, which the caller zeroed. */
void stats_total(const struct stats *stats, struct stats_worker *into);

/* The name of an id, "" for none; returns out. Any thread. */
enum { STATS_NAME_MAX = 64 };
const char *stats_group_label(struct stats *stats, uint16_t id, char out[STATS_NAME_MAX]);
const char *stats_category_label(struct stats *stats, uint16_t id, char out[STATS_NAME_MAX]);

/* True while rows cannot be written, and for a day after a damaged file was set
 * aside; `text` says why. */
bool stats_degraded(struct stats *stats, char *text, size_t cap);

static inline void stats_add(stats_counter *counter, uint64_t by)
{
    /* One writer: a plain addition that other threads may read at any time. */
    uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, now + by, memory_order_relaxed);
}

static inline unsigned stats_latency_bucket(uint32_t latency_us)
{
    unsigned bucket = 0;
    while (bucket + 1 < STATS_LATENCIES && latency_us > 250u << bucket) {
        bucket++;
    }
    return bucket;
}

static inline void stats_count(struct stats_worker *worker, const struct stats_event *event)
{
    unsigned type = event->type < 256 ? event->type : 256;
    unsigned rcode = event->rcode < STATS_RCODES ? event->rcode : STATS_RCODES - 1;
    stats_add(&worker->sums[event->group][event->category][event->verdict], 1);
    stats_add(&worker->requests[event->transport][type], 1);
    stats_add(&worker->responses[rcode][event->origin], 1);
    stats_add(&worker->types[type], 1);
    stats_add(&worker->rcodes[rcode], 1);
    stats_add(&worker->transports[event->transport], 1);
    stats_add(&worker->origins[event->origin], 1);
    stats_add(&worker->latencies[stats_latency_bucket(event->latency_us)], 1);
    stats_add(&worker->latency_sum_us, event->latency_us);
    if (event->way) {
        stats_add(&worker->ways[event->group][event->way], 1);
    }
    if (event->country) {
        stats_add(&worker->countries[event->country], 1);
    }
}
