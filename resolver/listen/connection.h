// SPDX-License-Identifier: Apache-2.0
/* connection: one client's stream of queries, answered in any order (RFC 7766).
 *
 * It belongs to the room of its worker, which holds the limits. */
#pragma once
#include "config/member.h"
#include "listen/framing.h"
#include "listen/turns.h"
#include "net/tls.h"
#include "query/query.h"

struct census;
struct tcp_listener;

/* All connections of a worker. */
struct tcp_room {
    struct query_worker *worker;
    uv_loop_t *loop;
    struct census *census;
    unsigned share;                   /* workers among whom dns.tcp_connections is divided */
    struct connection *first, **last; /* the one longest quiet first */
    struct tcp_listener *listeners;
    unsigned connections, strangers;
    unsigned large;             /* messages that have memory of their own */
    unsigned waiting;           /* queries of all connections that an upstream is asked for */
    struct turns turns;         /* that connections take */
    struct connection *serving; /* whose messages are being read: replies are gathered, */
    uint8_t *gathered;          /* [TCP_GATHER_MAX], to be written at once */
    size_t gathered_len;
    struct tls_context *identity; /* what DoT clients are shown; NULL: none */
    struct query slot;
    bool stopping, given_up;
};

struct connection {
    struct query_channel channel; /* first, so that a channel is its connection */
    struct tcp_room *room;
    struct connection *next, **link;
    struct tls tls; /* of which only the stream is used in the clear */
    bool secure;
    struct addr peer, local;
    unsigned waiting;         /* queries that an upstream is asked for */
    bool stranger;            /* may not ask: gets its refusal, and little time */
    bool counted;             /* in the census */
    char id[MEMBER_NAME_MAX]; /* of a DoT client, "" = none */
    bool ended;               /* the peer will send no more */
    bool closed;              /* handles are gone; freed with the last waiting query */
    struct turn turn;
    uint8_t *held;            /* octets not yet looked at: too many queries wait, or it rests */
    size_t held_len, held_at; /* how many, and of them those that have been looked at since */
    struct framing framing;   /* the message being read */
};

/* Take over an accepted socket, with TLS on it or without. -ENOMEM or what libuv says;
 * the socket is closed then. */
__attribute__((warn_unused_result)) int connection_open(struct tcp_room *room, int fd,
                                                        const struct addr *peer, bool secure);

/* Close the connection that has been quiet longest, but not `newest`: one between two
 * messages, else one inside a message. False when every one waits for its answer or its
 * turn. */
bool connection_evict(struct tcp_room *room, const struct connection *newest);

/* One whose turn it is, its owner, goes on. */
void connection_go_on(struct turn *turn);

/* Close when it has its answers and asks nothing for a moment. */
void connection_finish(struct connection *connection);

/* tcp.c: a connection is gone; the room may be free now. */
void tcp_room_release(struct tcp_room *room);
