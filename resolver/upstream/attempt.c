// SPDX-License-Identifier: Apache-2.0
/* What attempts over UDP and over connections have in common. */
#include "upstream/attempt.h"

#include <string.h>

#include "upstream/cookie.h"
#include "upstream/flight.h"

struct server *attempt_server(const struct attempt *attempt)
{
    struct server_table *table = &attempt->flight->upstream->table;
    struct server *server = &table->servers[attempt->server];
    bool same = (size_t)attempt->server < table->count && server->serial == attempt->serial;
    return same ? server : NULL;
}

void attempt_prepare(struct attempt *attempt, struct flight *flight, int index)
{
    const struct server *server = &flight->upstream->table.servers[index];
    attempt->flight = flight;
    attempt->server = index;
    attempt->serial = server->serial;
    attempt->sent_us = clock_mono_us(flight->upstream->setup.clock);
}

void attempt_write(struct attempt *attempt, struct wire *out)
{
    struct flight *flight = attempt->flight;
    const struct server *server = attempt_server(attempt);
    struct ask_extras extras = {.pad = server && server->plan->url.transport == SERVER_TLS};
    upstream_random(flight->upstream, extras.random, sizeof(extras.random));
    if (server && !attempt->stream && !flight->ask.plain) {
        cookie_put(server, &extras);
        attempt->cookied = extras.cookie_len > 0;
        memcpy(attempt->cookie, extras.cookie, sizeof(attempt->cookie));
    }
    ask_write(&flight->ask, &extras, out, &attempt->mark);
}

static void end_attempt(struct attempt *attempt)
{
    if (attempt->stream) {
        channel_attempt_end(attempt);
    } else {
        udp_attempt_end(attempt);
    }
}

void attempt_remove(struct attempt *attempt)
{
    struct flight *flight = attempt->flight;
    unsigned kept = 0;
    for (unsigned i = 0; i < FLIGHT_OPEN; i++) {
        if (flight->open[i] && flight->open[i] != attempt) {
            flight->open[kept++] = flight->open[i];
        }
    }
    while (kept < FLIGHT_OPEN) {
        flight->open[kept++] = NULL;
    }
    end_attempt(attempt);
}

void flight_add(struct flight *flight, struct attempt *attempt)
{
    bool parallel = flight->upstream->table.plan->strategy == STRATEGY_PARALLEL;
    unsigned most = parallel ? FLIGHT_OPEN : FLIGHT_SOCKETS;
    if (flight->open[most - 1]) {
        attempt_remove(flight->open[most - 1]);
    }
    for (unsigned i = most - 1; i > 0; i--) {
        flight->open[i] = flight->open[i - 1];
    }
    flight->open[0] = attempt;
    flight->packets++;
}

bool flight_has_udp(const struct flight *flight)
{
    for (unsigned i = 0; i < FLIGHT_OPEN && flight->open[i]; i++) {
        if (!flight->open[i]->stream) {
            return true;
        }
    }
    return false;
}

bool flight_has_hope(const struct flight *flight)
{
    for (unsigned i = 0; i < FLIGHT_OPEN && flight->open[i]; i++) {
        if (!flight->open[i]->reacted) {
            return true;
        }
    }
    return false;
}

bool flight_has_open(const struct flight *flight, const struct attempt *attempt)
{
    for (unsigned i = 0; i < FLIGHT_OPEN; i++) {
        if (flight->open[i] == attempt) {
            return true;
        }
    }
    return false;
}
