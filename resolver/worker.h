// SPDX-License-Identifier: Apache-2.0
/* worker: one event loop on its own thread, with its sockets, its upstreams and its
 * counters. It shares the snapshot and the cache with the others, nothing else. */
#pragma once
#include "listen/census.h"
#include "listen/socket.h"
#include "net/tls.h"
#include "query/query.h"
#include "upstream/upstream.h"

struct claim_table;
struct upstream_plan;

enum { WORKER_SOCKETS_MAX = 32, WORKER_DRAIN_MS = 2000 };

struct worker;

/* The sockets of one worker, opened before privileges are dropped. */
struct worker_sockets {
    int udp[WORKER_SOCKETS_MAX];
    int tcp[WORKER_SOCKETS_MAX];
    int tls[WORKER_SOCKETS_MAX]; /* TCP, for DNS over TLS */
    unsigned udp_count, tcp_count, tls_count;
    bool lent; /* by a service manager, who keeps them open */
};

struct worker_setup {
    const struct snapshot *snapshot;
    struct cache *cache;
    struct stats_worker *stats;
    struct domains_worker *domains; /* NULL: names are not counted */
    const struct clock *clock;
    const struct worker_sockets *sockets;
    unsigned sockets_max;       /* for questions in flight */
    struct upstream_plan *plan; /* of upstream servers */
    struct claim_table *claims; /* of questions that are being asked, shared */
    struct guard *guard;        /* limits of clients, shared */
    struct watch *watch;        /* one client that is watched, shared */
    struct presence *presence;  /* who asked at all, shared */
    struct census *census;      /* TCP connections of clients, shared */
    unsigned workers;           /* how many there are */
    uv_async_t *changed;        /* woken when the worker has taken over a snapshot or ended */
};

/* Start the thread; the sockets are the worker's from then on. */
__attribute__((warn_unused_result)) int worker_start(const struct worker_setup *setup,
                                                     struct worker **ret_worker);

/* Hand over a snapshot; the newest wins. Main thread only. */
void worker_hand_over(struct worker *worker, const struct snapshot *snapshot);

/* Another plan of upstream servers; the newest wins. The reference is taken over. */
void worker_plan(struct worker *worker, struct upstream_plan *plan);

/* What new DoT clients are shown; the newest wins. It is taken over. */
void worker_identify(struct worker *worker, struct tls_context *identity);

/* The snapshot that the worker uses now. Of those that were handed over before the newest
 * it will never touch another one. */
const struct snapshot *worker_snapshot(const struct worker *worker);

/* Wake the worker; each turn that it wakes for counts. Any thread. */
void worker_ping(struct worker *worker);
uint32_t worker_beats(const struct worker *worker);

/* Stop reading, answer what is in flight (at most WORKER_DRAIN_MS), end the thread. */
void worker_stop(struct worker *worker);
bool worker_has_ended(const struct worker *worker);

/* Join and free; worker_stop() came before. NULL is allowed. */
void worker_free(struct worker *worker);

const struct upstream *worker_upstream(const struct worker *worker);
const struct query_worker *worker_query(const struct worker *worker);
