// SPDX-License-Identifier: Apache-2.0
/* plan: what the settings under upstream say, worked out once for all workers: servers,
 * also those of resolv.conf, domains with servers of their own, what TLS needs.
 *
 * Made by the main thread, immutable after, counted references. */
#pragma once
#include "base/diag.h"
#include "config/config.h"
#include "config/server_url.h"
#include "dns/name.h"

#include <stdatomic.h>

enum {
    PLAN_SERVERS_MAX = 64, /* all together: a bit each in a mask */
    PLAN_ZONES_MAX = 256,
    PLAN_UNLISTED = 255, /* of a zone, not in upstream.servers */
};

struct plan_server {
    struct server_url url;
    uint8_t listed; /* its index in upstream.servers, or PLAN_UNLISTED */
    bool trusted;   /* AD is believed: loopback, or TLS with the right peer */
};

struct plan_zone {
    struct dname domain;
    uint64_t servers;
};

struct tls_context;

struct upstream_plan {
    _Atomic unsigned references;
    struct plan_server servers[PLAN_SERVERS_MAX];
    size_t count;
    uint64_t general; /* servers of names in no zone */
    struct plan_zone *zones;
    size_t zone_count;
    struct tls_context *tls; /* NULL: no server speaks TLS */
    bool follows_system;     /* resolv.conf matters */
    uint64_t system_mark;    /* of it, before it was read */
    enum upstream_strategy strategy;
    uint32_t timeout_ms;
    uint32_t ttl_min, ttl_max;
};

/* -EINVAL with *diag: TLS is asked for and cannot be; -ENOMEM. */
__attribute__((warn_unused_result)) int
upstream_plan_new(const struct config *config, struct upstream_plan **ret_plan, struct diag *diag);
struct upstream_plan *upstream_plan_ref(struct upstream_plan *plan);
void upstream_plan_unref(struct upstream_plan *plan);

/* Which servers may be asked for a name: those of the longest zone, or the general ones. */
uint64_t upstream_plan_route(const struct upstream_plan *plan, const struct dname *name);

/* Tells one state of resolv.conf from another; 0 when there is none. */
uint64_t upstream_plan_system_mark(void);
