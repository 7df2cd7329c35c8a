// SPDX-License-Identifier: Apache-2.0
#include "upstream/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_WAIT_MS = 400,
    LEAST_WAIT_MS = 150,
    DOWN_AFTER = 3, /* failures in a row */
    FAILURE_PENALTY_US = 200000,
    PENALTY_MAX_US = 2000000,
    FADE = 64, /* the others' times fade by this part at each choice, so that they get
                * their chance again: a server ten times slower once in 150 questions */
    FOLDS_MAX = 3,
    PROBE_MAX_S = 32,
};

static const struct server *find_old(const struct server_table *table, const struct server_url *url)
{
    for (size_t i = 0; i < table->count; i++) {
        if (server_url_equal(&table->servers[i].plan->url, url)) {
            return &table->servers[i];
        }
    }
    return NULL;
}

/* A server that is new here, or what is known of it. */
static void set_server(const struct server_table *table, struct server *server,
                       const struct plan_server *plan)
{
    const struct server *old = find_old(table, &plan->url);
    if (old) {
        *server = *old;
    }
    server->plan = plan;
    server->session = (struct tls_session){0};
}

static void forget_sessions(struct server_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        tls_session_clear(&table->servers[i].session);
    }
}

static void copy_health(struct upstream_health *to, const struct upstream_health *from)
{
    to->srtt_us = from->srtt_us;
    to->failures_in_row = from->failures_in_row;
    to->answered_us = from->answered_us;
    to->failed_us = from->failed_us;
    to->asked = from->asked;
    to->failed = from->failed;
    to->latency_sum_us = from->latency_sum_us;
    for (unsigned i = 0; i < UPSTREAM_LATENCIES; i++) {
        to->latencies[i] = from->latencies[i];
    }
}

/* Places in upstream.servers may have changed: their figures go with the servers. */
static void move_health(struct server_table *table, struct server *servers, size_t count)
{
    static const struct upstream_health none;
    struct upstream_health moved[UPSTREAM_LISTED_MAX] = {0};
    for (size_t i = count; i-- > 0;) {
        unsigned listed = servers[i].plan->listed;
        if (listed < UPSTREAM_LISTED_MAX) {
            copy_health(&moved[listed], servers[i].health ? servers[i].health : &none);
        }
    }
    for (size_t i = 0; i < UPSTREAM_LISTED_MAX; i++) {
        copy_health(&table->health[i], &moved[i]);
    }
    for (size_t i = 0; i < count; i++) {
        unsigned listed = servers[i].plan->listed;
        servers[i].health = listed < UPSTREAM_LISTED_MAX ? &table->health[listed] : NULL;
    }
}

void server_table_set(struct server_table *table, struct upstream_plan *plan)
{
    struct server next[PLAN_SERVERS_MAX] = {0};
    for (size_t i = 0; i < plan->count; i++) {
        set_server(table, &next[i], &plan->servers[i]);
        next[i].serial = ++table->serials;
    }
    move_health(table, next, plan->count);
    forget_sessions(table);
    memcpy(table->servers, next, sizeof(next));
    table->count = plan->count;
    upstream_plan_unref(table->plan);
    table->plan = plan;
}

void server_table_clear(struct server_table *table)
{
    forget_sessions(table);
    table->count = 0;
    upstream_plan_unref(table->plan);
    table->plan = NULL;
}

bool server_is_down(const struct server *server)
{
    return server->failures_in_row >= DOWN_AFTER;
}

bool server_wants_tcp(const struct server *server)
{
    return server->plan->url.transport != SERVER_UDP || server->folds >= FOLDS_MAX;
}

/* Less is better. */
static uint64_t score(const struct server_table *table, int index)
{
    const struct server *server = &table->servers[index];
    uint64_t last = server_is_down(server) ? (uint64_t)1 << 40 : 0;
    bool ordered = table->plan->strategy == STRATEGY_ORDERED;
    return last + (ordered ? (uint64_t)index : (uint64_t)server->srtt_us + server->penalty_us);
}

/* Times of those that were not chosen fade, so that they are tried again. */
static void fade_others(struct server_table *table, uint64_t allowed, int chosen)
{
    for (int i = 0; i < (int)table->count; i++) {
        struct server *server = &table->servers[i];
        if (i != chosen && (allowed >> i & 1) && !server_is_down(server)) {
            server->srtt_us -= server->srtt_us / FADE;
            server->penalty_us -= server->penalty_us / FADE;
        }
    }
}

int server_choose(struct server_table *table, uint64_t allowed, uint64_t *tried)
{
    int best = -ENOENT;
    bool first = (*tried & allowed) == 0;
    if ((*tried & allowed) == allowed) {
        *tried = 0;
    }
    for (int i = 0; i < (int)table->count; i++) {
        bool left = (allowed >> i & 1) && !(*tried >> i & 1);
        if (left && (best < 0 || score(table, i) < score(table, best))) {
            best = i;
        }
    }
    if (best >= 0) {
        *tried |= (uint64_t)1 << best;
        if (first) {
            fade_others(table, allowed, best);
        }
    }
    return best;
}

uint32_t server_patience_ms(const struct server_table *table, int index, unsigned attempt)
{
    uint32_t srtt = table->servers[index].srtt_us;
    uint32_t most = table->plan->timeout_ms;
    uint64_t wait = srtt ? (uint64_t)srtt * 4 / 1000 + 50 : FIRST_WAIT_MS;
    wait = wait < LEAST_WAIT_MS ? LEAST_WAIT_MS : wait;
    wait <<= attempt;
    return wait > most ? most : (uint32_t)wait;
}

static void add_relaxed(_Atomic uint64_t *counter, uint64_t by)
{
    uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, now + by, memory_order_relaxed);
}

static void publish(const struct server *server)
{
    if (server->health) {
        atomic_store_explicit(&server->health->srtt_us, server->srtt_us, memory_order_relaxed);
        atomic_store_explicit(&server->health->failures_in_row, server->failures_in_row,
                              memory_order_relaxed);
    }
}

void server_asked(struct server *server)
{
    if (server->health) {
        add_relaxed(&server->health->asked, 1);
    }
}

static void count_latency(struct upstream_health *health, uint32_t took_us)
{
    unsigned bucket = 0;
    while (bucket + 1 < UPSTREAM_LATENCIES && took_us > (uint32_t)UPSTREAM_LATENCY_FIRST_US
                                                            << bucket) {
        bucket++;
    }
    add_relaxed(&health->latencies[bucket], 1);
    add_relaxed(&health->latency_sum_us, took_us);
}

bool server_answered(struct server *server, uint64_t took_us, uint64_t now_us)
{
    bool was_down = server_is_down(server);
    uint32_t took = took_us > UINT32_MAX / 8 ? UINT32_MAX / 8 : (uint32_t)took_us;
    uint32_t next = server->srtt_us ? (server->srtt_us * 7 + took) / 8 : took;
    server->srtt_us = next ? next : 1;
    server->penalty_us = 0;
    server->failures_in_row = 0;
    server->probe_wait_s = 0;
    publish(server);
    if (server->health) {
        atomic_store_explicit(&server->health->answered_us, now_us, memory_order_relaxed);
        count_latency(server->health, took);
    }
    return was_down;
}

void server_failed(struct server *server, uint64_t now_us)
{
    server->failures_in_row++;
    server->folds = 0; /* over TCP it may not be reached at all */
    server->penalty_us += server->penalty_us < PENALTY_MAX_US ? FAILURE_PENALTY_US : 0;
    publish(server);
    if (server->health) {
        atomic_store_explicit(&server->health->failed_us, now_us, memory_order_relaxed);
        add_relaxed(&server->health->failed, 1);
    }
}

bool server_probe_due(struct server *server, uint64_t now_us, bool alone)
{
    if (!server_is_down(server) || (!alone && now_us < server->probe_at_us)) {
        return false;
    }
    uint32_t wait = server->probe_wait_s * 2;
    server->probe_wait_s = wait == 0 ? 1 : wait > PROBE_MAX_S ? PROBE_MAX_S : wait;
    server->probe_at_us = now_us + server->probe_wait_s * 1000000ULL;
    return true;
}
