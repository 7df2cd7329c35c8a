// SPDX-License-Identifier: Apache-2.0
/* upstream: answers from other resolvers, for one worker.
 *
 * Identical questions in flight share one exchange. Every attempt over UDP has a random
 * id, random case and a socket of its own on a random port (RFC 5452); a packet that
 * fails any check is dropped and the wait goes on to the deadline. */
#pragma once
#include "base/addr.h"
#include "base/clock.h"
#include "dns/answer.h"

#include <stdatomic.h>
#include <uv.h>

enum {
    UPSTREAM_LISTED_MAX = 32,    /* of upstream.servers that have figures */
    UPSTREAM_FLIGHTS_MAX = 4096, /* exchanges at once per worker */
    UPSTREAM_PACKETS_MAX = 7,    /* for a client's question and what its aliases lead to, TCP
                                  * included; a probe makes 8 */
    UPSTREAM_DEADLINE_MS = 4900, /* from the question to SERVFAIL */
    UPSTREAM_LATENCIES = 16,     /* bucket i: up to UPSTREAM_LATENCY_FIRST_US << i */
    UPSTREAM_LATENCY_FIRST_US = 250,
};

struct upstream;
struct upstream_plan; /* upstream/plan.h */
struct claim_table;   /* upstream/claim.h */

struct upstream_result {
    int err; /* 0, or -ETIMEDOUT, -EHOSTUNREACH (network), -EREMOTEIO (servers failed);
              * -EAGAIN: another worker was asking and is done, look into the cache */
    const struct answer *answer; /* valid during the call, when err is 0 */
};

/* Embedded by who waits; untouched until `done` is called, exactly once. */
struct upstream_waiter {
    struct upstream_waiter *next;
    const struct addr *client; /* who asks, or NULL; a server that does makes a circle */
    bool alone;                /* ask even while another worker does */
    void (*done)(struct upstream_waiter *waiter, const struct upstream_result *result);
};

/* What people and statistics see of a server; written by the worker alone. */
struct upstream_health {
    _Atomic uint32_t srtt_us; /* 0 = not yet known */
    _Atomic uint32_t failures_in_row;
    _Atomic uint64_t answered_us, failed_us; /* the last time, monotonic; 0 = never */
    _Atomic uint64_t asked;
    _Atomic uint64_t failed;
    _Atomic uint64_t latencies[UPSTREAM_LATENCIES]; /* of answers */
    _Atomic uint64_t latency_sum_us;
};

/* Told of each answer once, before those who wait for it. */
struct upstream_setup {
    uv_loop_t *loop;
    const struct clock *clock;
    void (*arrived)(void *context, const struct ask *ask, const struct answer *answer);
    void *context;
    struct claim_table *claims; /* shared by the workers, or NULL */
    unsigned sockets_max;       /* 0 = as many as UPSTREAM_FLIGHTS_MAX questions take */
};

/* NULL without memory. */
struct upstream *upstream_new(const struct upstream_setup *setup);

/* Take over a plan and its reference; health is kept for servers that stay. */
void upstream_configure(struct upstream *upstream, struct upstream_plan *plan);

/* Ask; an answer that ends in an alias is followed. -ENOBUFS when too many exchanges are
 * open: `done` is not called then. */
__attribute__((warn_unused_result)) int
upstream_ask(struct upstream *upstream, const struct ask *ask, struct upstream_waiter *waiter);

/* Woken by the claims: go on with questions that other workers have done asking. */
void upstream_recheck(struct upstream *upstream);

/* Health of server `index` of upstream.servers as configured, or NULL. Any thread. */
const struct upstream_health *upstream_health(const struct upstream *upstream, size_t index);

/* End all exchanges (-ECANCELED to the waiters) and free once the loop has closed
 * the handles. */
void upstream_stop(struct upstream *upstream);
