// SPDX-License-Identifier: Apache-2.0
/* stream: one TCP connection on a loop, with the limits that strangers make needful.
 *
 * The owner embeds struct stream. One deadline at a time is armed by the owner and
 * not renewed by bytes; the write queue is capped; the owner's memory may be freed
 * only in on_closed, which comes exactly once after stream_close(). */
#pragma once
#include "base/addr.h"

#include <uv.h>

struct stream;

enum { STREAM_QUEUE_DEFAULT = 256 * 1024 }; /* queue_max after stream_init() */

struct stream_events {
    /* Bytes have come; `len` of them at data, valid during the call only. */
    void (*on_data)(struct stream *stream, const uint8_t *data, size_t len);
    /* The peer closed its side, an error came, or the deadline passed
     * (err 0, negative errno, -ETIMEDOUT). The owner calls stream_close(); after err 0
     * it may first write what it still owes and call stream_finish(). The deadline
     * stays armed then, so that an err may follow, once. */
    void (*on_end)(struct stream *stream, int err);
    /* Connected (stream_connect only); err as above. May be NULL. */
    void (*on_connected)(struct stream *stream, int err);
    /* All that had to be queued has been handed to the kernel; not called for a write
     * that the kernel took at once (`queued` is 0 after it). May be NULL. */
    void (*on_drained)(struct stream *stream);
    /* Both handles are closed: free the owner here. */
    void (*on_closed)(struct stream *stream);
};

struct stream {
    uv_tcp_t tcp;
    uv_timer_t timer;
    const struct stream_events *events;
    void *owner;
    size_t queued;    /* octets written but not yet taken by the kernel */
    size_t queue_max; /* a write beyond it ends the stream with -ENOBUFS */
    uint8_t open_handles;
    bool closing;
    bool finishing; /* stream_finish() was called: the stream closes itself */
    bool fin_sent;
    bool peer_done; /* the peer has closed its side */
    bool broken;    /* an error was met or reported; only stream_close() is left */
};

/* Prepare the handles. After success the stream must be closed by stream_close(). */
__attribute__((warn_unused_result)) int stream_init(struct stream *stream, uv_loop_t *loop,
                                                    const struct stream_events *events,
                                                    void *owner);
/* Take a waiting connection of a listening uv_tcp_t. TCP_NODELAY is set. */
__attribute__((warn_unused_result)) int stream_accept(struct stream *stream, uv_stream_t *listener);
/* Take over a connected socket, which is closed when that fails. TCP_NODELAY is set. */
__attribute__((warn_unused_result)) int stream_adopt(struct stream *stream, int fd);
__attribute__((warn_unused_result)) int stream_connect(struct stream *stream,
                                                       const struct addr *addr);
__attribute__((warn_unused_result)) int stream_read_start(struct stream *stream);
void stream_read_stop(struct stream *stream);

/* Copy and queue; what the kernel takes at once is not copied. -ENOBUFS, -EPIPE; after
 * an error part of it may have been sent, so the owner calls stream_close(). */
__attribute__((warn_unused_result)) int stream_write(struct stream *stream, const uv_buf_t *parts,
                                                     unsigned count);
/* One absolute deadline from now; 0 disarms. */
void stream_deadline(struct stream *stream, uint64_t in_ms);

/* Close after what is queued has been sent and the peer has read it (FIN, then up to
 * 2 s); no more on_data and no on_end, on_closed tells. A deadline that is armed bounds
 * the sending, else 10 s do. */
void stream_finish(struct stream *stream);

/* Close now. Safe to call twice. */
void stream_close(struct stream *stream);

struct addr stream_peer(const struct stream *stream);
struct addr stream_local(const struct stream *stream);
