// SPDX-License-Identifier: Apache-2.0
/* stats_query: sums for people, with what is not flushed yet.
 *
 * Called by the main thread; never waits for a worker, at most for the disk. */
#pragma once
#include "stats/stats.h"

enum { STATS_ROWS_MAX = 10000, STATS_LABEL_MAX = 64 };

/* BY(NAME, word): what rows stand for. The first six tell verdicts apart; a domain's rows are
 * of whole days of local time, "other" being all names that are not told. */
#define STATS_BY_ALL(BY)                                                                           \
    BY(HOUR, "hour")                                                                               \
    BY(CATEGORY, "category")                                                                       \
    BY(GROUP, "group")                                                                             \
    BY(VERDICT, "verdict")                                                                         \
    BY(CATEGORY_HOUR, "category-hour")                                                             \
    BY(DOMAIN, "domain")                                                                           \
    BY(TYPE, "type")                                                                               \
    BY(RCODE, "rcode")                                                                             \
    BY(TRANSPORT, "transport")                                                                     \
    BY(ORIGIN, "origin")                                                                           \
    BY(LATENCY, "latency")                                                                         \
    BY(COUNTRY, "country")

#define BY(name, word) STATS_BY_##name,
enum stats_by { STATS_BY_ALL(BY) STATS_BYS };
#undef BY
extern const char *const stats_by_words[STATS_BYS];

struct stats_row {
    char label[STATS_LABEL_MAX]; /* group, category, type ...; by hour: UTC, ISO 8601 */
    int64_t key; /* by hour, category-hour: hours since 1970; by number: the number */
    uint64_t total;
    uint64_t verdicts[STATS_VERDICTS]; /* 0 by type, rcode, transport, origin, latency */
};

struct stats_result {
    struct stats_row *rows; /* hours in order, the rest by total, most first */
    size_t count;
    struct stats_row totals; /* of all queries, whatever `by` is */
    uint64_t latency_sum_us; /* of all queries */
    uint64_t from_cache;     /* answers that came from the cache, stale ones included */
    bool split;              /* verdicts of the rows are filled */
    bool partial;            /* the file could not be read */
};

struct stats_query {
    int64_t since; /* seconds since 1970; the hour that holds it counts whole */
    int64_t until; /* 0 = now */
    enum stats_by by;
};

/* -E2BIG: more than STATS_ROWS_MAX rows; -ENOMEM. While the file cannot be read, only
 * what is in memory, and result->partial says so. */
__attribute__((warn_unused_result)) int stats_query_run(struct stats *stats,
                                                        const struct stats_query *query,
                                                        struct stats_result *ret_result,
                                                        struct diag *diag);
void stats_result_clear(struct stats_result *result);

/* What a number stands for: "2026-11-22T05:00:00Z", "AAAA", "NXDOMAIN", "udp"; returns
 * out. Not for groups and categories. */
const char *stats_label(enum stats_by by, int64_t key, char out[STATS_LABEL_MAX]);

/* The index of a word in stats_by_words, or -ENOENT. */
int stats_by_find(const char *word);
