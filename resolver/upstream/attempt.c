// SPDX-License-Identifier: Apache-2.0
/* What attempts over UDP and over connections have in common. */
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
        attempt->cookie = extras.cookie_len > 0;
    }
    ask_write(&flight->ask, &extras, out, &attempt->mark);
}
