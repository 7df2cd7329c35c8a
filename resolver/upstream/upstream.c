// SPDX-License-Identifier: Apache-2.0
#include "upstream/upstream.h"

#include <errno.h>
#include <stdlib.h>

#include "upstream/chase.h"
#include "upstream/claim.h"
#include "upstream/flight.h"

enum { NEGATIVE_TTL_MAX = 3600, PROBE_EVERY_MS = 1000, LICENCES_MAX = 64 };

void upstream_random(struct upstream *upstream, void *out, size_t len)
{
    if (upstream->random_left < len) {
        random_bytes(upstream->random, sizeof(upstream->random));
        upstream->random_left = sizeof(upstream->random);
    }
    upstream->random_left -= len;
    memcpy(out, upstream->random + upstream->random_left, len);
}

struct upstream *upstream_new(const struct upstream_setup *setup)
{
    struct upstream *upstream = calloc(1, sizeof(*upstream));
    if (!upstream) {
        return NULL;
    }
    upstream->setup = *setup;
    if (udp_open(upstream) < 0) {
        free(upstream);
        return NULL;
    }
    uv_timer_init(setup->loop, &upstream->probe); /* cannot fail */
    upstream->probe.data = upstream;
    upstream->handles = 2;
    if (setup->claims) {
        upstream->key = *claim_table_key(setup->claims);
    } else {
        hash_key_random(&upstream->key);
    }
    return upstream;
}

void upstream_release(struct upstream *upstream)
{
    if (upstream->stopping && !upstream->flights && !upstream->channels && !upstream->handles) {
        server_table_clear(&upstream->table);
        udp_close(upstream);
        free(upstream);
    }
}

const struct upstream_health *upstream_health(const struct upstream *upstream, size_t index)
{
    return index < UPSTREAM_LISTED_MAX ? &upstream->table.health[index] : NULL;
}

static uint64_t hash_ask(const struct upstream *upstream, const struct ask *ask)
{
    uint8_t octets[DNAME_WIRE_MAX + 3];
    memcpy(octets, ask->name.wire, ask->name.len);
    store_u16(octets + ask->name.len, ask->type);
    octets[ask->name.len + 2] =
        (uint8_t)((ask->dnssec_ok ? 1 : 0) | (ask->checking_disabled ? 2 : 0));
    return hash_keyed(&upstream->key, octets, (size_t)ask->name.len + 3);
}

static bool same_ask(const struct ask *a, const struct ask *b)
{
    return a->type == b->type && a->dnssec_ok == b->dnssec_ok &&
           a->checking_disabled == b->checking_disabled && dname_equal(&a->name, &b->name);
}

static bool is_same(const struct flight *flight, const struct ask *ask, uint64_t hash)
{
    return !flight->probe && flight->hash == hash && same_ask(&flight->ask, ask);
}

static struct flight *find_flight(struct upstream *upstream, const struct ask *ask, uint64_t hash)
{
    struct flight *flight = upstream->buckets[hash % FLIGHT_BUCKETS];
    while (flight && !is_same(flight, ask, hash)) {
        flight = flight->next;
    }
    return flight;
}

/* One that waits for its own servers alone. */
static struct flight *find_asking(struct upstream *upstream, const struct ask *ask, uint64_t hash)
{
    struct flight *flight = upstream->buckets[hash % FLIGHT_BUCKETS];
    while (flight && (flight->borrowed || flight->aliased || !is_same(flight, ask, hash))) {
        flight = flight->next;
    }
    return flight;
}

/* How many questions there are sockets for; the strategy may change at a reload. */
static unsigned flights_max(const struct upstream *upstream)
{
    bool parallel = upstream->table.plan->strategy == STRATEGY_PARALLEL;
    unsigned fit = upstream->setup.sockets_max / (parallel ? FLIGHT_OPEN : FLIGHT_SOCKETS);
    return fit == 0 || fit > UPSTREAM_FLIGHTS_MAX ? UPSTREAM_FLIGHTS_MAX : fit;
}

static int new_flight(struct upstream *upstream, const struct ask *ask, uint64_t hash,
                      struct flight **ret_flight)
{
    if (upstream->stopping || upstream->flights >= flights_max(upstream)) {
        return -ENOBUFS;
    }
    struct flight *flight = calloc(1, sizeof(*flight));
    if (!flight || uv_timer_init(upstream->setup.loop, &flight->timer) < 0) {
        free(flight);
        return -ENOMEM;
    }
    flight->timer.data = flight;
    flight->upstream = upstream;
    flight->ask = *ask;
    flight->hash = hash;
    flight->worst = -ETIMEDOUT;
    flight->allowed = upstream_plan_route(upstream->table.plan, &ask->name);
    flight->deadline_us = clock_mono_us(upstream->setup.clock) + UPSTREAM_DEADLINE_MS * 1000ULL;
    flight->next = upstream->buckets[hash % FLIGHT_BUCKETS];
    upstream->buckets[hash % FLIGHT_BUCKETS] = flight;
    upstream->flights++;
    *ret_flight = flight;
    return 0;
}

/* Does another worker ask? */
static bool claim(struct flight *flight)
{
    struct claim_table *claims = flight->upstream->setup.claims;
    enum claim_result result = claims ? claim_take(claims, flight->hash) : CLAIM_NOWHERE;
    flight->claimed = result == CLAIM_MINE;
    return result == CLAIM_OTHERS;
}

/* So many packets may be sent in all. */
static void allow(struct flight *flight, unsigned packets_max)
{
    bool spent = flight->packets && flight->packets >= flight->packets_max;
    if (packets_max > flight->packets_max) {
        flight->packets_max = packets_max;
        if (spent) {
            flight_hurry(flight);
        }
    }
}

/* Somebody waits for the answer too. */
static void join(struct flight *flight, struct upstream_waiter *waiter)
{
    const struct server_table *table = &flight->upstream->table;
    bool found = false;
    waiter->next = flight->waiters;
    flight->waiters = waiter;
    for (size_t i = 0; waiter->client && i < table->count && !found; i++) {
        bool asked = flight->allowed >> i & 1;
        found = asked && addr_equal(&table->servers[i].plan->url.addr, waiter->client);
    }
    flight->circled += found;
    allow(flight, UPSTREAM_PACKETS_MAX);
}

static void on_borrowed_over(uv_timer_t *timer)
{
    struct flight *flight = timer->data;
    const struct upstream_result result = {.err = flight->worst};
    flight_finish(flight, &result);
}

int upstream_ask(struct upstream *upstream, const struct ask *ask, struct upstream_waiter *waiter)
{
    uint64_t hash = hash_ask(upstream, ask);
    struct flight *flight = find_flight(upstream, ask, hash);
    int err = flight ? 0 : new_flight(upstream, ask, hash, &flight);
    if (err < 0) {
        return err;
    }
    bool fresh = !flight->packets_max;
    join(flight, waiter);
    if (!fresh) {
        return 0;
    }
    upstream->licences += upstream->licences < LICENCES_MAX;
    flight->borrowed = !waiter->alone && claim(flight);
    upstream->borrowed += flight->borrowed;
    if (flight->borrowed) {
        uv_timer_start(&flight->timer, on_borrowed_over, UPSTREAM_DEADLINE_MS, 0);
    } else {
        flight_start(flight);
    }
    return 0;
}

int upstream_follow(struct upstream *upstream, const struct ask *ask, struct chase *chase)
{
    uint64_t hash = hash_ask(upstream, ask);
    struct flight *flight = find_asking(upstream, ask, hash);
    int err = flight ? 0 : new_flight(upstream, ask, hash, &flight);
    if (err < 0) {
        return err;
    }
    bool fresh = !flight->packets_max;
    unsigned most = chase_join(chase, flight);
    allow(flight, most < UPSTREAM_PACKETS_MAX ? most : UPSTREAM_PACKETS_MAX);
    if (fresh) {
        (void)claim(flight); /* others may wait for us, never we for them */
        flight_start(flight);
    }
    return 0;
}

/* Ask a server that is down whether it is back: for a name that resolvers answer by
 * themselves (RFC 9462 section 6.4), so that two which ask each other keep nobody busy. */
static void probe_server(struct upstream *upstream, int index)
{
    struct ask ask = {.type = TYPE_SOA};
    uint64_t hash;
    if (dname_parse("resolver.arpa", &ask.name) < 0) {
        return; /* cannot be */
    }
    upstream_random(upstream, &hash, sizeof(hash));
    struct flight *flight;
    if (new_flight(upstream, &ask, hash, &flight) == 0) {
        flight->probe = true;
        flight->packets_max = UPSTREAM_PACKETS_MAX;
        flight->allowed = (uint64_t)1 << index;
        flight->deadline_us = clock_mono_us(upstream->setup.clock) + PROBE_EVERY_MS * 1000ULL;
        flight_start(flight);
    }
}

/* Nobody asks: nothing is sent. */
static void on_probe_time(uv_timer_t *timer)
{
    struct upstream *upstream = timer->data;
    struct server_table *table = &upstream->table;
    uint64_t now_us = clock_mono_us(upstream->setup.clock);
    size_t down = 0;
    for (size_t i = 0; i < table->count; i++) {
        down += server_is_down(&table->servers[i]);
    }
    if (down == 0) {
        uv_timer_stop(timer);
        return;
    }
    for (size_t i = 0; i < table->count && upstream->licences; i++) {
        if (server_probe_due(&table->servers[i], now_us, down == table->count)) {
            upstream->licences--;
            probe_server(upstream, (int)i);
        }
    }
}

void upstream_note_failure(struct upstream *upstream, struct server *server)
{
    server_failed(server, clock_mono_us(upstream->setup.clock));
    if (server_is_down(server) && !uv_is_active((uv_handle_t *)&upstream->probe)) {
        uv_timer_start(&upstream->probe, on_probe_time, PROBE_EVERY_MS, PROBE_EVERY_MS);
    }
}

/* Visit all flights; `visit` may end the one it is given, and no other. */
static void for_each_flight(struct upstream *upstream, void (*visit)(struct flight *flight))
{
    for (unsigned i = 0; i < FLIGHT_BUCKETS; i++) {
        for (struct flight *at = upstream->buckets[i], *next; at; at = next) {
            next = at->next;
            visit(at);
        }
    }
}

void upstream_recovered(struct upstream *upstream)
{
    for_each_flight(upstream, flight_hurry);
}

static void reroute(struct flight *flight)
{
    flight->tried = 0;
    flight->allowed = upstream_plan_route(flight->upstream->table.plan, &flight->ask.name);
}

void upstream_configure(struct upstream *upstream, struct upstream_plan *plan)
{
    for (size_t i = 0; i < upstream->table.count; i++) {
        channels_close(&upstream->table.servers[i]);
    }
    server_table_set(&upstream->table, plan);
    upstream->limits = (struct answer_limits){
        .ttl_min = plan->ttl_min,
        .ttl_max = plan->ttl_max,
        .negative_max = plan->ttl_max < NEGATIVE_TTL_MAX ? plan->ttl_max : NEGATIVE_TTL_MAX,
    };
    for_each_flight(upstream, reroute);
}

/* The next borrowed flight that its owner is done with. */
static struct flight *find_returned(const struct upstream *upstream)
{
    for (unsigned i = 0; upstream->borrowed && i < FLIGHT_BUCKETS; i++) {
        for (struct flight *at = upstream->buckets[i]; at; at = at->next) {
            if (at->borrowed && !claim_wait_on(upstream->setup.claims, at->hash)) {
                return at;
            }
        }
    }
    return NULL;
}

void upstream_recheck(struct upstream *upstream)
{
    const struct upstream_result again = {.err = -EAGAIN};
    for (struct flight *flight; (flight = find_returned(upstream));) {
        flight_finish(flight, &again);
    }
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct upstream *upstream = handle->data;
    upstream->handles--;
    upstream_release(upstream);
}

void upstream_stop(struct upstream *upstream)
{
    const struct upstream_result canceled = {.err = -ECANCELED};
    upstream->stopping = true;
    for (unsigned i = 0; i < FLIGHT_BUCKETS; i++) {
        while (upstream->buckets[i]) {
            flight_finish(upstream->buckets[i], &canceled);
        }
    }
    for (size_t i = 0; i < upstream->table.count; i++) {
        channels_close(&upstream->table.servers[i]);
    }
    uv_close((uv_handle_t *)&upstream->probe, on_handle_closed);
    uv_close((uv_handle_t *)&upstream->poll, on_handle_closed);
}
