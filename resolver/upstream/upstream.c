// SPDX-License-Identifier: Apache-2.0
#include "upstream/upstream.h"

#include <errno.h>
#include <stdlib.h>

#include "upstream/claim.h"
#include "upstream/flight.h"

enum { ATTEMPTS_MAX = 5, LEAST_LEFT_MS = 100, NEGATIVE_TTL_MAX = 3600 };

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
    if (upstream) {
        upstream->setup = *setup;
        if (setup->flights_max == 0 || setup->flights_max > UPSTREAM_FLIGHTS_MAX) {
            upstream->setup.flights_max = UPSTREAM_FLIGHTS_MAX;
        }
        if (setup->claims) {
            upstream->key = *claim_table_key(setup->claims);
        } else {
            hash_key_random(&upstream->key);
        }
    }
    return upstream;
}

void upstream_configure(struct upstream *upstream, const struct config *config)
{
    server_table_set(&upstream->table, config);
    upstream->limits = (struct answer_limits){
        .ttl_min = (uint32_t)config->cache.min_ttl_s,
        .ttl_max = (uint32_t)config->cache.max_ttl_s,
        .negative_max = config->cache.max_ttl_s < NEGATIVE_TTL_MAX
                            ? (uint32_t)config->cache.max_ttl_s
                            : NEGATIVE_TTL_MAX,
    };
}

const struct upstream_health *upstream_health(const struct upstream *upstream, size_t index)
{
    for (size_t i = 0; i < upstream->table.count; i++) {
        if (upstream->table.servers[i].configured == index) {
            return &upstream->table.servers[i].health;
        }
    }
    return NULL;
}

/* The server of an attempt, if the table still holds it at that place. */
static struct server *server_of(const struct attempt *attempt)
{
    struct server_table *table = &attempt->flight->upstream->table;
    struct server *server = &table->servers[attempt->server];
    bool same = (size_t)attempt->server < table->count &&
                addr_equal(&server->addr, &attempt->addr) &&
                server->addr.port == attempt->addr.port;
    return same ? server : NULL;
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

static void on_timer_closed(uv_handle_t *handle)
{
    struct flight *flight = handle->data;
    struct upstream *upstream = flight->upstream;
    free(flight);
    if (--upstream->flights == 0 && upstream->stopping) {
        free(upstream);
    }
}

/* Take it out of the table, tell all who wait, close what is open. */
static void finish(struct flight *flight, const struct upstream_result *result)
{
    struct flight **at = &flight->upstream->buckets[flight->hash % FLIGHT_BUCKETS];
    while (*at != flight) {
        at = &(*at)->next;
    }
    *at = flight->next;
    flight->upstream->borrowed -= flight->borrowed;
    if (flight->claimed) {
        claim_give_back(flight->upstream->setup.claims, flight->hash);
    }
    for (unsigned i = 0; i < FLIGHT_SOCKETS; i++) {
        if (flight->udp[i]) {
            udp_attempt_end(flight->udp[i]);
        }
    }
    if (flight->tcp) {
        tcp_attempt_end(flight->tcp);
    }
    uv_close((uv_handle_t *)&flight->timer, on_timer_closed);
    for (struct upstream_waiter *waiter = flight->waiters, *next; waiter; waiter = next) {
        next = waiter->next;
        waiter->done(waiter, result);
    }
}

static void fail(struct flight *flight)
{
    const struct upstream_result result = {.err = flight->worst};
    finish(flight, &result);
}

/* Not the server's fault: we have no socket or memory left. */
static bool is_shortage(int err)
{
    return err == -EMFILE || err == -ENFILE || err == -ENOBUFS || err == -ENOMEM;
}

/* An attempt over that transport to that server; counts it as sent. */
static int start_attempt(struct flight *flight, int index, bool tcp)
{
    struct upstream *upstream = flight->upstream;
    struct server *server = &upstream->table.servers[index];
    int err = tcp ? tcp_attempt_start(flight, index) : udp_attempt_start(flight, index);
    server->health.asked++;
    flight->last_server = index;
    flight->last_addr = server->addr;
    if (err < 0 && !is_shortage(err)) {
        server_failed(server);
    }
    if (err < 0) {
        flight->worst = -EHOSTUNREACH;
    }
    return err;
}

static void note_silence(struct flight *flight)
{
    const struct attempt last = {flight, flight->last_server, flight->last_addr, 0, {0}};
    struct server *server = flight->attempts ? server_of(&last) : NULL;
    if (server) {
        server_failed(server);
    }
}

static uint32_t time_left_ms(const struct flight *flight)
{
    uint64_t now = clock_mono_us(flight->upstream->setup.clock);
    return now < flight->deadline_us ? (uint32_t)((flight->deadline_us - now) / 1000) : 0;
}

/* Ask the next server; called at the start, when patience is over, and when a server
 * refused. Fails the flight when there is nothing left to try. */
static void attempt_next(struct flight *flight, uv_timer_cb patience_over)
{
    struct upstream *upstream = flight->upstream;
    for (int err = 0;;) {
        uint32_t left_ms = time_left_ms(flight);
        int index = server_choose(&upstream->table, &flight->tried);
        if (index < 0) {
            flight->worst = -EHOSTUNREACH;
        }
        if (index < 0 || is_shortage(err) || left_ms < LEAST_LEFT_MS ||
            flight->attempts >= ATTEMPTS_MAX || flight->packets >= UPSTREAM_PACKETS_MAX) {
            fail(flight);
            return;
        }
        bool tcp = flight->use_tcp || upstream->table.servers[index].tcp;
        uint32_t patience = tcp ? upstream->table.timeout_ms
                                : server_patience_ms(&upstream->table, index, flight->attempts);
        err = start_attempt(flight, index, tcp);
        flight->attempts++;
        if (err == 0) {
            uv_timer_start(&flight->timer, patience_over, patience < left_ms ? patience : left_ms,
                           0);
            return;
        }
    }
}

static void on_patience_over(uv_timer_t *timer)
{
    struct flight *flight = timer->data;
    note_silence(flight);
    attempt_next(flight, on_patience_over);
}

static void drop_attempt(struct attempt *attempt)
{
    struct flight *flight = attempt->flight;
    for (unsigned i = 0; i < FLIGHT_SOCKETS; i++) {
        if ((struct attempt *)flight->udp[i] == attempt) {
            udp_attempt_end(flight->udp[i]);
            flight->udp[i] = NULL;
            return;
        }
    }
    if ((struct attempt *)flight->tcp == attempt) {
        tcp_attempt_end(flight->tcp);
        flight->tcp = NULL;
    }
}

void flight_refused(struct attempt *attempt, int err)
{
    struct flight *flight = attempt->flight;
    struct server *server = server_of(attempt);
    (void)err;
    if (server) {
        server_failed(server);
    }
    drop_attempt(attempt);
    flight->worst = -EHOSTUNREACH;
    flight->refused++;
    if (flight->refused > flight->upstream->table.count) {
        fail(flight);
    } else {
        attempt_next(flight, on_patience_over);
    }
}

/* The server answered, but not over this transport: ask it again over TCP. */
static void switch_to_tcp(struct attempt *attempt)
{
    struct flight *flight = attempt->flight;
    int index = attempt->server;
    bool known = server_of(attempt) != NULL;
    flight->use_tcp = true;
    drop_attempt(attempt);
    if (flight->tcp) {
        return; /* on its way already */
    }
    if (!known || flight->packets >= UPSTREAM_PACKETS_MAX ||
        start_attempt(flight, index, true) < 0) {
        attempt_next(flight, on_patience_over);
        return;
    }
    uint32_t patience = flight->upstream->table.timeout_ms, left = time_left_ms(flight);
    uv_timer_start(&flight->timer, on_patience_over, patience < left ? patience : left, 0);
}

/* The server understands no EDNS (RFC 6891 section 7): ask it again without. */
static void ask_plain(struct attempt *attempt)
{
    struct flight *flight = attempt->flight;
    int index = attempt->server;
    bool tcp = (struct attempt *)flight->tcp == attempt;
    bool known = server_of(attempt) != NULL;
    flight->ask.plain = true;
    drop_attempt(attempt);
    if (!known || flight->packets >= UPSTREAM_PACKETS_MAX ||
        start_attempt(flight, index, tcp) < 0) {
        attempt_next(flight, on_patience_over);
    }
}

/* SERVFAIL, REFUSED and the like: another server may know better. */
static void server_said_no(struct attempt *attempt)
{
    struct flight *flight = attempt->flight;
    struct server *server = server_of(attempt);
    if (server) { /* it is alive all the same */
        server_answered(server, clock_mono_us(flight->upstream->setup.clock) - attempt->sent_us);
    }
    drop_attempt(attempt);
    flight->worst = -EREMOTEIO;
    if (++flight->said_no >= flight->upstream->table.count) {
        fail(flight);
    } else {
        attempt_next(flight, on_patience_over);
    }
}

static bool deliver(struct attempt *attempt, const struct packet *packet)
{
    struct flight *flight = attempt->flight;
    struct upstream *upstream = flight->upstream;
    struct server *server = server_of(attempt);
    struct answer_source source = {&flight->ask, *packet, upstream->limits};
    struct answer answer;
    source.limits.keep_ad = server && server->trusted;
    if (answer_rebuild(&source, &upstream->room, &answer) < 0) {
        return false;
    }
    if (server) {
        server_answered(server, clock_mono_us(upstream->setup.clock) - attempt->sent_us);
    }
    const struct upstream_result result = {.answer = &answer};
    upstream->setup.arrived(upstream->setup.context, &flight->ask, &answer);
    finish(flight, &result);
    return true;
}

bool flight_receive(struct attempt *attempt, const struct packet *packet, bool over_tcp)
{
    enum ask_match match = ask_check(&attempt->flight->ask, &attempt->mark, packet);
    if (match == ASK_FOREIGN || (match == ASK_TRUNCATED && over_tcp)) {
        return false;
    }
    bool cut = match == ASK_TRUNCATED || (load_u16(packet->data + 2) & FLAG_TC);
    if (!over_tcp && (match == ASK_CASE || cut)) {
        switch_to_tcp(attempt);
        return true;
    }
    uint16_t rcode = load_u16(packet->data + 2) & 0xf;
    if ((rcode == RCODE_FORMERR || rcode == RCODE_NOTIMP) && !attempt->flight->ask.plain) {
        ask_plain(attempt);
        return true;
    }
    if (rcode != RCODE_NOERROR && rcode != RCODE_NXDOMAIN) {
        server_said_no(attempt);
        return true;
    }
    return deliver(attempt, packet);
}

static struct flight *find_flight(struct upstream *upstream, const struct ask *ask, uint64_t hash)
{
    struct flight *flight = upstream->buckets[hash % FLIGHT_BUCKETS];
    while (flight && !(flight->hash == hash && same_ask(&flight->ask, ask))) {
        flight = flight->next;
    }
    return flight;
}

static struct flight *new_flight(struct upstream *upstream, const struct ask *ask, uint64_t hash)
{
    struct flight *flight = calloc(1, sizeof(*flight));
    if (!flight || uv_timer_init(upstream->setup.loop, &flight->timer) < 0) {
        free(flight);
        return NULL;
    }
    flight->timer.data = flight;
    flight->upstream = upstream;
    flight->ask = *ask;
    flight->hash = hash;
    flight->worst = -ETIMEDOUT;
    flight->deadline_us = clock_mono_us(upstream->setup.clock) + UPSTREAM_DEADLINE_MS * 1000ULL;
    flight->next = upstream->buckets[hash % FLIGHT_BUCKETS];
    upstream->buckets[hash % FLIGHT_BUCKETS] = flight;
    upstream->flights++;
    return flight;
}

static void claim(struct flight *flight)
{
    struct claim_table *claims = flight->upstream->setup.claims;
    bool alone = !claims || flight->waiters->alone;
    enum claim_result result = alone ? CLAIM_NOWHERE : claim_take(claims, flight->hash);
    flight->claimed = result == CLAIM_MINE;
    flight->borrowed = result == CLAIM_OTHERS;
    flight->upstream->borrowed += flight->borrowed;
}

int upstream_ask(struct upstream *upstream, const struct ask *ask, struct upstream_waiter *waiter)
{
    uint64_t hash = hash_ask(upstream, ask);
    struct flight *flight = find_flight(upstream, ask, hash);
    if (flight) {
        waiter->next = flight->waiters;
        flight->waiters = waiter;
        return 0;
    }
    if (upstream->stopping || upstream->flights >= upstream->setup.flights_max) {
        return -ENOBUFS;
    }
    flight = new_flight(upstream, ask, hash);
    if (!flight) {
        return -ENOMEM;
    }
    waiter->next = NULL;
    flight->waiters = waiter;
    claim(flight);
    if (flight->borrowed) {
        uv_timer_start(&flight->timer, on_patience_over, UPSTREAM_DEADLINE_MS, 0);
    } else {
        attempt_next(flight, on_patience_over);
    }
    return 0;
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
        finish(flight, &again);
    }
}

void upstream_stop(struct upstream *upstream)
{
    const struct upstream_result canceled = {.err = -ECANCELED};
    upstream->stopping = true;
    if (upstream->flights == 0) {
        free(upstream);
        return;
    }
    for (unsigned i = 0; i < FLIGHT_BUCKETS; i++) {
        while (upstream->buckets[i]) {
            finish(upstream->buckets[i], &canceled);
        }
    }
}
