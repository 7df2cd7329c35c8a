// SPDX-License-Identifier: Apache-2.0
/* tcp: queries over TCP (RFC 7766): several at once on a connection, answered in any
 * order, within limits per client and in all. */
#pragma once
#include "query/query.h"

#include <uv.h>

enum {
    TCP_CONNECTIONS_MAX = 512, /* per socket and worker; beyond it the oldest idle one goes */
    TCP_PER_CLIENT_MAX = 16,
    TCP_STRANGERS_MAX = 16, /* of those who may not ask: they take no other places */
    TCP_WAITING_MAX = 32,   /* unanswered queries of a connection; then it is not read */
    TCP_IDLE_MS = 10000,
    TCP_STRANGER_MS = 2000,
    TCP_MESSAGE_MS = 5000, /* from a message's first octet to its last */
    TCP_QUEUE_MAX = 256 << 10,
};

struct tcp_listener;

/* Serve a socket of socket_open_tcp(), which is owned from then on. */
__attribute__((warn_unused_result)) int tcp_listener_start(struct query_worker *worker,
                                                           uv_loop_t *loop, int fd,
                                                           struct tcp_listener **ret_listener);

/* Stop accepting and close connections once they have their answers. */
void tcp_listener_stop(struct tcp_listener *listener);

/* After tcp_listener_stop(): is every connection gone? */
bool tcp_listener_is_idle(const struct tcp_listener *listener);

/* Close what is left. The memory goes when the last handle has closed. */
void tcp_listener_give_up(struct tcp_listener *listener);
