// SPDX-License-Identifier: Apache-2.0
/* batch: one hour's sums on their way to the file, and the names of their ids.
 *
 * The numbers of verdicts, transports, origins and parts are written to the file:
 * append to those enums, never renumber. */
#pragma once
#include "stats/stats.h"

enum { STATS_HOUR_S = 3600 };

/* Names by stable id. Appended by the main thread under stats->lock. */
struct stats_names {
    unsigned count, cap;
    char (*items)[STATS_NAME_MAX];
};

struct stats_batch {
    int64_t hour; /* hours since 1970, UTC */
    struct stats_worker *counts;
    const struct stats_names *groups;
    const struct stats_names *categories;
    unsigned group_count, category_count; /* those that were known when it was collected */
};

/* Sums that are not split by group and category: rows of the table "parts". */
enum stats_part {
    STATS_PART_TYPE = 1,
    STATS_PART_RCODE,
    STATS_PART_TRANSPORT,
    STATS_PART_ORIGIN,
    STATS_PART_LATENCY, /* value: bucket */
    STATS_PART_LATENCY_SUM,
    STATS_PART_COUNTRY, /* value: 1 + 26 * first letter + second */
    STATS_PARTS,
};

/* Where a part's counters stand; *ret_count of them. */
static inline stats_counter *stats_part_counters(struct stats_worker *worker, enum stats_part part,
                                                 unsigned *ret_count)
{
    switch (part) {
    case STATS_PART_TYPE: *ret_count = STATS_TYPES; return worker->types;
    case STATS_PART_RCODE: *ret_count = STATS_RCODES; return worker->rcodes;
    case STATS_PART_TRANSPORT: *ret_count = STATS_TRANSPORTS; return worker->transports;
    case STATS_PART_ORIGIN: *ret_count = STATS_ORIGINS; return worker->origins;
    case STATS_PART_LATENCY: *ret_count = STATS_LATENCIES; return worker->latencies;
    case STATS_PART_COUNTRY: *ret_count = STATS_COUNTRIES; return worker->countries;
    default: *ret_count = 1; return &worker->latency_sum_us;
    }
}

static inline uint64_t stats_value(const stats_counter *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}
