// SPDX-License-Identifier: Apache-2.0
/* status: what the daemon tells about itself, filled by its main thread. */
#pragma once
#include "base/addr.h"
#include "stats/stats.h"

enum {
    DAEMON_REASONS_MAX = 8,
    DAEMON_SOURCES_MAX = 256,
    DAEMON_UPSTREAMS_MAX = 32,
    DAEMON_UPSTREAM_TEXT = 320, /* a URL with the longest name */
};

enum daemon_state { DAEMON_PROTECTED, DAEMON_DEGRADED, DAEMON_UNPROTECTED };

struct daemon_source {
    char id[64];
    char category[64];
    char error[200]; /* of the last update, "" = none */
    uint64_t entries;
    int64_t fetched_at; /* seconds since 1970, 0 = never */
    int64_t checked_at; /* when the last update succeeded, 0 = not known */
    bool configured;    /* in lists.sources now */
    int64_t overdue_s;  /* a last good update older than that is a trouble; 0 = never */
};

struct daemon_upstream {
    char address[DAEMON_UPSTREAM_TEXT];
    bool ok;
    uint32_t srtt_ms;
    uint64_t failures, answers;          /* both 0: it was not asked yet */
    uint64_t latencies[STATS_LATENCIES]; /* of its answers, as stats_latency_bucket() sorts them */
    uint64_t latency_sum_us;
};

enum { DAEMON_DROPS_MAX = 24 };

struct daemon_drop {
    const char *reason; /* a word */
    uint64_t count;
};

struct daemon_status {
    enum daemon_state state;
    char reasons[DAEMON_REASONS_MAX][200]; /* why not protected */
    size_t reason_count;
    unsigned reasons_more;    /* that found no place there */
    unsigned reviews_waiting; /* requests of the warning page without an answer */
    size_t rules_not_needed;  /* allow rules whose list says nothing any more */
    char version[32];
    int64_t uptime_s;
    int64_t now; /* seconds since 1970 */
    unsigned workers;
    uint64_t queries, blocked; /* since the start */
    uint64_t cache_entries, cache_bytes, cache_bytes_max;

    struct daemon_drop drops[DAEMON_DROPS_MAX]; /* queries without an answer */
    size_t drop_count;

    char lists_path[256]; /* "" = no database */
    uint64_t names;
    uint64_t generation;
    int64_t built_at;
    struct daemon_source sources[DAEMON_SOURCES_MAX];
    size_t source_count;
    bool pinned;              /* updates leave the lists */
    char sources_folder[256]; /* where updates keep what they know of each source */

    struct daemon_upstream upstreams[DAEMON_UPSTREAMS_MAX];
    size_t upstream_count;
};

/* Devices of the neighbour table, by group. */
enum { DAEMON_GROUPS_MAX = 256 };
struct daemon_devices {
    bool known;   /* there is such a table */
    int64_t up_s; /* since the start */
    unsigned devices[DAEMON_GROUPS_MAX];
    unsigned silent[DAEMON_GROUPS_MAX]; /* of them: did not ask in the last half day */
};
