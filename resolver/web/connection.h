// SPDX-License-Identifier: Apache-2.0
/* connection: one HTTP/1 client, from accept to close.
 *
 * One absolute deadline from accept (later: from the first octet) to the end of the
 * headers, a second for the body, a third for idling. The next request is not even
 * read while an answer is pending or not yet taken by the client. */
#pragma once
#include "web/exchange.h"
#include "web/parser.h"
#include "web/wire.h"

#include <sys/queue.h>

enum { CONNECTION_REQUESTS_MAX = 200 };

struct connection;

struct connection_limits {
    uint32_t headers_ms, body_ms, idle_ms;
};

/* Who keeps the connections, and what they serve. */
struct connection_owner {
    struct connection_limits limits;
    void (*serve)(void *context, struct exchange *exchange);
    void *context;                       /* of serve */
    size_t queue_max;                    /* octets of answers that the client did not take yet */
    struct tls_context *const *identity; /* NULL, or of NULL: connections are plain */
    bool own; /* our own listener: requests come with struct request_own */
    /* It waits for a request, or it does no more. */
    void (*on_idle)(struct connection *connection, bool idle);
    void (*on_closed)(struct connection *connection); /* free it here */
    void *keeper;
};

struct connection {
    struct wire wire;
    struct parser parser;
    struct exchange exchange;
    const struct connection_owner *owner;
    uint8_t *held; /* came while an answer was pending */
    size_t held_len;
    unsigned requests;
    bool pending; /* an answer is owed */
    bool reading; /* within read_on(): answers do not resume it */
    bool cut;     /* more came than is held; the answer is the last */
    bool streams; /* pieces of the answer follow */
    TAILQ_ENTRY(connection) idle_place;
    LIST_ENTRY(connection) client_place;
    bool idle, listed; /* in the lists of its keeper */
};

/* Take a waiting connection. After success or failure on_closed comes once. */
__attribute__((warn_unused_result)) int connection_accept(struct connection *connection,
                                                          const struct connection_owner *owner,
                                                          uv_stream_t *listener);
void connection_close(struct connection *connection);

/* Close after the answer that is owed, if one is; else now. */
void connection_end(struct connection *connection);
