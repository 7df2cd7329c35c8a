// SPDX-License-Identifier: Apache-2.0
/* wire: a client's connection, plain or in TLS; the owner sees no difference.
 *
 * The rules are those of struct stream: one deadline, a capped queue, and memory that is freed only
 * in on_closed. */
#pragma once
#include "net/tls.h"

struct wire;

struct wire_events {
    void (*on_data)(struct wire *wire, const uint8_t *data, size_t len);
    void (*on_end)(struct wire *wire, int err);
    void (*on_drained)(struct wire *wire);
    void (*on_closed)(struct wire *wire);
};

struct wire {
    struct tls tls; /* of a plain one only the stream */
    const struct wire_events *events;
    bool secure;
};

/* With an identity it will shake hands. After success wire_close() must follow at some time. */
__attribute__((warn_unused_result)) int wire_init(struct wire *wire, uv_loop_t *loop,
                                                  const struct wire_events *events, bool secure);

/* Take a waiting connection and begin to read; the identity is NULL for a plain one. */
__attribute__((warn_unused_result)) int wire_accept(struct wire *wire, uv_stream_t *listener,
                                                    struct tls_context *identity);
__attribute__((warn_unused_result)) int wire_write(struct wire *wire, const uv_buf_t *parts,
                                                   unsigned count);
__attribute__((warn_unused_result)) int wire_read_start(struct wire *wire);
void wire_read_stop(struct wire *wire);
/* End it when the peer acknowledges nothing for so long: it is gone without a word. */
void wire_give_up_after(struct wire *wire, unsigned ms);
void wire_finish(struct wire *wire);
void wire_close(struct wire *wire);

/* The stream below: queued, closing, finishing, peer_done, its deadline. */
static inline struct stream *wire_stream(struct wire *wire)
{
    return &wire->tls.stream;
}
