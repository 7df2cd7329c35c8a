// SPDX-License-Identifier: Apache-2.0
/* udp: queries over UDP, in batches.
 *
 * One batch of slots and buffers serves all sockets of a worker. Nothing is allocated
 * from receive to send. */
#pragma once
#include "query/query.h"

#include <uv.h>

enum { UDP_BATCH = 64 };

struct udp_batch;
struct udp_listener;

/* NULL without memory. */
struct udp_batch *udp_batch_new(struct query_worker *worker);
void udp_batch_free(struct udp_batch *batch);

/* Serve a socket of socket_open_udp(), which is owned from then on. */
__attribute__((warn_unused_result)) int udp_listener_start(struct udp_batch *batch, uv_loop_t *loop,
                                                           int fd,
                                                           struct udp_listener **ret_listener);

/* Answer what has come and take no more; what waits for an upstream can still be
 * answered. A socket that was lent to us is only left alone: what it holds is for who
 * reads it next. */
void udp_listener_drain(struct udp_listener *listener, bool lent);

/* Close. The memory goes when the handle has closed. */
void udp_listener_stop(struct udp_listener *listener);
