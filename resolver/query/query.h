// SPDX-License-Identifier: Apache-2.0
/* query: the life of a query.
 *
 * Listeners fill a slot and call query_run(); it is answered through its channel at
 * once, later, or never. What waits for an upstream is kept as a small record that
 * holds no pointer into a snapshot: when the answer comes, the query is judged again
 * by what is in force then. */
#pragma once
#include "cache/cache.h"
#include "dns/cookie.h"
#include "dns/reply.h"
#include "policy/snapshot.h"
#include "query/drop.h"
#include "query/guard.h"
#include "stats/stats.h"
#include "upstream/upstream.h"

struct query;

/* Where replies go. Embedded by a listener's socket or a TCP connection. */
struct query_channel {
    void (*send)(struct query_channel *channel, const struct query *query);
    /* A query of this channel begins, or has ceased, to wait. */
    void (*hold)(struct query_channel *channel);
    void (*release)(struct query_channel *channel);
    uint8_t transport; /* enum stats_transport */
    const char *id;    /* that a DoT client asked for us by, see config/member.h; NULL = none */
};

enum {
    QUERY_ROOM = DNS_MESSAGE_MAX + 1 + 2 * ANSWER_RECORDS_MAX,
    WAITING_MAX = 4096,                    /* queries per worker that wait for an upstream, */
    WAITING_CLIENT_MAX = WAITING_MAX / 4,  /* and of them for one client, */
    WAITING_NETWORK_MAX = WAITING_MAX / 2, /* and for an IPv6 network of 64 bits */
    WAITING_CLIENTS = 1024,                /* counters; clients that fall together share one */
    ASKS_BEHIND = 16, /* new questions per batch of a worker that cannot keep up */
};

/* One worker's view of the world; used by its own thread alone, but for the atomics. */
struct query_worker {
    const struct snapshot *snapshot;
    struct cache *cache;
    struct stats_worker *stats;
    struct domains_worker *domains; /* NULL: names are not counted */
    const struct clock *clock;
    int (*ask)(void *context, const struct ask *ask, struct upstream_waiter *waiter);
    void *ask_context;
    struct guard *guard;       /* shared by the workers */
    struct watch *watch;       /* likewise, see query/watch.h */
    struct presence *presence; /* likewise; NULL: nobody wants to know */
    struct cookie_jar cookies; /* drawn from the guard's secret */
    void (*answered)(struct upstream_waiter *waiter, const struct upstream_result *result);
    uint64_t now_us; /* refreshed by query_tick() at every wake-up */
    uint32_t now_s;
    uint32_t refusals_left; /* REFUSED answers to strangers in this second */
    uint32_t over_limit;    /* queries over dns.rate_limit_qps */
    struct query *resumed;  /* the slot in which waiting queries go on */
    uint8_t *aside;         /* room for a known answer while the reply is written */
    struct waiting *waiting;
    struct waiting *waiting_free;
    uint32_t waiting_made;
    uint32_t asks_left;        /* questions that may still be asked in this batch */
    uint16_t *waiting_clients; /* [WAITING_CLIENTS] by hash, and one of those without limit */
    struct hash_key clients_key;
    struct waiting *watched_first, *watched_last; /* in order of time */
    _Atomic uint32_t waiting_count;
    struct refresh *refreshes, *refresh_free; /* see query/refresh.h */
    _Atomic bool page_unset;                  /* a page was due and no sinkhole address is known */
    query_drops drops;
};

/* A slot. The listener sets the first block, the stages the rest. */
struct query {
    struct query_worker *worker;
    struct query_channel *channel;
    const uint8_t *packet;
    size_t packet_len;
    struct addr client;
    struct addr local; /* the address that was asked */
    uint8_t *room;     /* QUERY_ROOM octets for the reply, 8-aligned */

    struct wire out; /* the reply, in room */
    struct question question;
    uint64_t started_us;
    uint16_t group;
    uint8_t stage;
    uint8_t origin;    /* enum stats_origin */
    uint8_t outcome;   /* enum question_outcome */
    uint8_t guarded;   /* enum guard_verdict */
    uint8_t home;      /* answered here, see query/local.c; 0 = not */
    uint8_t home_skip; /* octets of the name before the zone that is answered here */
    uint8_t rcode;
    uint16_t country; /* of the answer's first address, see policy/geo.h; 0 = not known */
    bool stale;       /* copy is older than its TTL */
    bool again;       /* another worker was asked in vain: ask ourselves */
    bool known;       /* copy holds an answer in room */
    bool aliased;     /* local data send the question to target, whose records are sought */
    int failure;      /* of the upstream, 0 = none */
    struct verdict verdict;
    char ref[REF_MAX]; /* of a verdict over what the answer leads to, else "" */
    struct cache_copy copy;
    struct blockdb_probe probe;
    struct dname target;
    uint64_t hash; /* of its place in the cache, 0 = not yet known */
};

/* The TTL that an answer may have: it must not outlive the group's next change. */
static inline uint32_t query_ttl(const struct query *query, uint32_t ttl)
{
    const struct query_worker *worker = query->worker;
    return effective_ttl(&worker->snapshot->effective[query->group], ttl, worker->now_s);
}

/* -ENOMEM. The caller has filled snapshot, cache, stats, clock, ask, guard. */
__attribute__((warn_unused_result)) int query_worker_init(struct query_worker *worker);
void query_worker_clear(struct query_worker *worker);

/* Read the clock once per wake-up. */
void query_tick(struct query_worker *worker);

/* A batch of queries begins. When the worker is behind, what is known is still answered
 * and most of what is not is dropped: it would cost most and help one client. */
static inline void query_batch(struct query_worker *worker, bool behind)
{
    worker->asks_left = behind ? ASKS_BEHIND : UINT32_MAX;
}

/* The stages up to the look-ups' hashes, so that memory is fetched for a whole batch
 * before the first query of it goes on. */
void query_begin(struct query *query);

/* The verdict; what is not settled by it will be looked for in the cache. Then fetch
 * what was found there. For batches: query_resume() does all that is left. */
void query_decide(struct query *query);
void query_fetch(const struct query *query);

/* The rest. After it the slot may be used again. */
void query_resume(struct query *query);

/* Milliseconds until stale data is to be sent to a query whose answer does not come;
 * -1: no such query waits. */
int query_stale_due_ms(const struct query_worker *worker);

/* Send it to all that are due; their exchanges go on (RFC 8767 section 5). */
void query_serve_stale(struct query_worker *worker);

/* Keep an answer that came for `ask`; told once per exchange, before the waiters. */
void query_remember(struct query_worker *worker, const struct ask *ask,
                    const struct answer *answer);
