// SPDX-License-Identifier: Apache-2.0
/* server: what a worker knows of each upstream server, and which one to ask next. */
#pragma once
#include "dns/ask.h"
#include "net/tls.h"
#include "upstream/plan.h"
#include "upstream/upstream.h"

struct channel;

struct server {
    const struct plan_server *plan;
    uint32_t serial;     /* never used twice: an attempt outlives its place in the table */
    uint32_t srtt_us;    /* 0 = not yet known */
    uint32_t penalty_us; /* of failures, fades */
    uint32_t failures_in_row;
    uint32_t folds;        /* answers in a row whose name had another case */
    uint32_t probe_wait_s; /* between probes while it is down */
    uint64_t probe_at_us;
    uint8_t cookie_len; /* the server's part follows ours (RFC 7873) */
    uint8_t cookie[ASK_COOKIE_MAX];
    struct addr cookie_from;        /* the address of ours that it belongs to */
    struct tls_session session;     /* of TLS, for resuming */
    struct channel *channels;       /* its open connections */
    struct upstream_health *health; /* what others see of it, or NULL */
};

struct server_table {
    struct upstream_plan *plan;
    struct server servers[PLAN_SERVERS_MAX];
    size_t count;
    uint32_t serials;
    struct upstream_health health[UPSTREAM_LISTED_MAX];
};

/* Take over a plan and its reference; what is known of servers that stay is kept. No
 * server may have channels. */
void server_table_set(struct server_table *table, struct upstream_plan *plan);
void server_table_clear(struct server_table *table);

/* The next server out of `allowed`: the best of those whose bit in *tried is not set,
 * which is set then; all of them again when all were tried. -ENOENT without servers. */
int server_choose(struct server_table *table, uint64_t allowed, uint64_t *tried);

/* How long to wait for it at that attempt. */
uint32_t server_patience_ms(const struct server_table *table, int index, unsigned attempt);

bool server_is_down(const struct server *server);

/* Does it fold names, so that TCP is to be used at once? */
bool server_wants_tcp(const struct server *server);

void server_asked(struct server *server);
/* now_us is monotonic. True when it was down before. */
bool server_answered(struct server *server, uint64_t took_us, uint64_t now_us);
void server_failed(struct server *server, uint64_t now_us);

/* Is a probe of a server that is down due? Sets when the next one is; `alone`: no server
 * at all is up. */
bool server_probe_due(struct server *server, uint64_t now_us, bool alone);
