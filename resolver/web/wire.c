// SPDX-License-Identifier: Apache-2.0
#include "web/wire.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static void plain_data(struct stream *stream, const uint8_t *data, size_t len)
{
    struct wire *wire = stream->owner;
    wire->events->on_data(wire, data, len);
}

static void plain_end(struct stream *stream, int err)
{
    struct wire *wire = stream->owner;
    wire->events->on_end(wire, err);
}

static void plain_drained(struct stream *stream)
{
    struct wire *wire = stream->owner;
    wire->events->on_drained(wire);
}

static void plain_closed(struct stream *stream)
{
    struct wire *wire = stream->owner;
    wire->events->on_closed(wire);
}

static const struct stream_events plain_events = {
    .on_data = plain_data,
    .on_end = plain_end,
    .on_drained = plain_drained,
    .on_closed = plain_closed,
};

static void secure_ready(struct tls *tls)
{
    (void)tls; /* the deadline of the headers runs on: a slow handshake is a slow request */
}

static void secure_data(struct tls *tls, const uint8_t *data, size_t len)
{
    struct wire *wire = tls->owner;
    wire->events->on_data(wire, data, len);
}

static void secure_end(struct tls *tls, int err)
{
    struct wire *wire = tls->owner;
    wire->events->on_end(wire, err);
}

static void secure_drained(struct tls *tls)
{
    struct wire *wire = tls->owner;
    wire->events->on_drained(wire);
}

static void secure_closed(struct tls *tls)
{
    struct wire *wire = tls->owner;
    wire->events->on_closed(wire);
}

static const struct tls_events secure_events = {
    .on_ready = secure_ready,
    .on_data = secure_data,
    .on_end = secure_end,
    .on_drained = secure_drained,
    .on_closed = secure_closed,
};

int wire_init(struct wire *wire, uv_loop_t *loop, const struct wire_events *events, bool secure)
{
    wire->events = events;
    wire->secure = secure;
    return secure ? tls_init(&wire->tls, loop, &secure_events, wire)
                  : stream_init(&wire->tls.stream, loop, &plain_events, wire);
}

int wire_accept(struct wire *wire, uv_stream_t *listener, struct tls_context *identity)
{
    if (wire->secure) {
        return tls_accept(&wire->tls, listener, identity);
    }
    int err = stream_accept(&wire->tls.stream, listener);
    return err == 0 ? stream_read_start(&wire->tls.stream) : err;
}

int wire_write(struct wire *wire, const uv_buf_t *parts, unsigned count)
{
    return wire->secure ? tls_write(&wire->tls, parts, count)
                        : stream_write(&wire->tls.stream, parts, count);
}

int wire_read_start(struct wire *wire)
{
    return wire->secure ? tls_read_start(&wire->tls) : stream_read_start(&wire->tls.stream);
}

void wire_read_stop(struct wire *wire)
{
    if (wire->secure) {
        tls_read_stop(&wire->tls);
    } else {
        stream_read_stop(&wire->tls.stream);
    }
}

void wire_give_up_after(struct wire *wire, unsigned ms)
{
    int fd = -1;
    if (uv_fileno((const uv_handle_t *)&wire->tls.stream.tcp, &fd) == 0) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
    }
}

void wire_finish(struct wire *wire)
{
    if (wire->secure) {
        tls_finish(&wire->tls);
    } else {
        stream_finish(&wire->tls.stream);
    }
}

void wire_close(struct wire *wire)
{
    stream_close(&wire->tls.stream);
}
