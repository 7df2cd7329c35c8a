// SPDX-License-Identifier: Apache-2.0
/* tcp: listening sockets and the connections of a worker, within limits per client and
 * in all (dns.tcp_per_client, dns.tcp_connections). */
#pragma once
#include "query/query.h"

#include <uv.h>

enum {
    TCP_STRANGERS_MAX = 16, /* of those who may not ask: they take no other places */
    TCP_WAITING_MAX = 32,   /* unanswered queries of a connection; then it is not read */
    TCP_LARGE_MAX = 32,     /* messages over 512 octets that are being read */
    TCP_IDLE_MS = REPLY_KEEPALIVE * 100,
    TCP_STRANGER_MS = 2000,
    TCP_MESSAGE_MS = 5000, /* from a message's first octet to its last */
    TCP_DRAIN_MS = 100,    /* when we stop: for a query that is on its way */
    TCP_QUEUE_MAX = 256 << 10,
    TCP_GATHER_MAX = 16 << 10, /* replies to what came together; longer ones go alone */
    TCP_PAUSE_MS = 100,        /* without a file descriptor left, until the next try to accept */
};

struct census;
struct tcp_room;
struct tls_context;

struct tcp_setup {
    struct query_worker *worker;
    uv_loop_t *loop;
    struct census *census; /* shared by the workers */
    unsigned workers;
};

/* NULL without memory. */
struct tcp_room *tcp_room_new(const struct tcp_setup *setup);

/* Serve a socket of socket_open_tcp(), which is owned from then on; `tls`: by DNS over
 * TLS (RFC 7858). */
__attribute__((warn_unused_result)) int tcp_room_listen(struct tcp_room *room, int fd, bool tls);

/* What new DoT clients are shown from now on; taken over. */
void tcp_room_identify(struct tcp_room *room, struct tls_context *identity);

/* Take what waits to be accepted (but of sockets that were lent to us), then accept no
 * more; close connections when they have their answers and ask nothing for a moment. */
void tcp_room_stop(struct tcp_room *room, bool lent);

/* After tcp_room_stop(): is every connection gone? */
bool tcp_room_is_idle(const struct tcp_room *room);

/* Close what is left. The memory goes when the last handle has closed. */
void tcp_room_give_up(struct tcp_room *room);
