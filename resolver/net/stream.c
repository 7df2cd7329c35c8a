// SPDX-License-Identifier: Apache-2.0
#include "net/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SCRATCH_SIZE = 64 * 1024, SEND_MS = 10000, LINGER_MS = 2000 };

/* A write that the kernel did not take at once. */
struct pending {
    uv_write_t request;
    size_t len;
    uint8_t data[];
};

/* What libuv reads into; on_data sees it and keeps nothing, so one per thread will do. */
static _Thread_local uint8_t scratch[SCRATCH_SIZE];

static void handle_closed(uv_handle_t *handle)
{
    struct stream *stream = handle->data;
    if (--stream->open_handles == 0) {
        stream->events->on_closed(stream);
    }
}

void stream_close(struct stream *stream)
{
    if (stream->closing) {
        return;
    }
    stream->closing = true;
    uv_close((uv_handle_t *)&stream->timer, handle_closed);
    uv_close((uv_handle_t *)&stream->tcp, handle_closed);
}

/* The stream is lost: say so once, or close it when nobody waits for news. */
static void fail(struct stream *stream, int err)
{
    if (stream->closing) {
        return;
    }
    if (stream->finishing) {
        stream_close(stream);
        return;
    }
    if (stream->broken) {
        return;
    }
    stream->broken = true;
    uv_read_stop((uv_stream_t *)&stream->tcp);
    uv_timer_stop(&stream->timer);
    stream->events->on_end(stream, err);
}

static void peer_closed(struct stream *stream)
{
    stream->peer_done = true;
    uv_read_stop((uv_stream_t *)&stream->tcp);
    if (!stream->finishing) {
        stream->events->on_end(stream, 0);
    } else if (stream->fin_sent) {
        stream_close(stream);
    }
}

static void give_scratch(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    (void)handle;
    (void)suggested;
    *ret_buf = uv_buf_init((char *)scratch, sizeof(scratch));
}

static void take_data(uv_stream_t *tcp, ssize_t got, const uv_buf_t *buf)
{
    struct stream *stream = tcp->data;
    if (stream->closing) {
        return;
    }
    if (got == UV_EOF) {
        peer_closed(stream);
    } else if (got < 0) {
        fail(stream, (int)got);
    } else if (got > 0 && !stream->finishing) {
        stream->events->on_data(stream, (const uint8_t *)buf->base, (size_t)got);
    }
}

static void deadline_passed(uv_timer_t *timer)
{
    fail(timer->data, -ETIMEDOUT);
}

int stream_init(struct stream *stream, uv_loop_t *loop, const struct stream_events *events,
                void *owner)
{
    memset(stream, 0, sizeof(*stream));
    int err = uv_tcp_init(loop, &stream->tcp);
    if (err < 0) {
        return err;
    }
    uv_timer_init(loop, &stream->timer); /* cannot fail */
    stream->tcp.data = stream;
    stream->timer.data = stream;
    stream->events = events;
    stream->owner = owner;
    stream->queue_max = STREAM_QUEUE_DEFAULT;
    stream->open_handles = 2;
    return 0;
}

int stream_accept(struct stream *stream, uv_stream_t *listener)
{
    int err = uv_accept(listener, (uv_stream_t *)&stream->tcp);
    return err < 0 ? err : uv_tcp_nodelay(&stream->tcp, 1);
}

int stream_adopt(struct stream *stream, int fd)
{
    int err = uv_tcp_open(&stream->tcp, fd);
    if (err < 0) {
        close(fd);
        return err;
    }
    return uv_tcp_nodelay(&stream->tcp, 1);
}

static void connected(uv_connect_t *request, int status)
{
    struct stream *stream = request->data;
    free(request);
    if (stream->closing) {
        return;
    }
    if (status < 0 && stream->finishing) {
        stream_close(stream);
        return;
    }
    if (stream->finishing) {
        return;
    }
    if (status < 0) {
        stream->broken = true;
        uv_timer_stop(&stream->timer);
    }
    if (stream->events->on_connected) {
        stream->events->on_connected(stream, status);
    } else if (status < 0) {
        stream->events->on_end(stream, status);
    }
}

int stream_connect(struct stream *stream, const struct addr *addr)
{
    struct sockaddr_storage to;
    addr_to_sockaddr(addr, &to);
    uv_connect_t *request = malloc(sizeof(*request));
    if (!request) {
        return -ENOMEM;
    }
    request->data = stream;
    int err = uv_tcp_connect(request, &stream->tcp, (const struct sockaddr *)&to, connected);
    if (err < 0) {
        free(request);
        return err;
    }
    return uv_tcp_nodelay(&stream->tcp, 1);
}

int stream_read_start(struct stream *stream)
{
    if (stream->closing || stream->broken || stream->peer_done) {
        return -EPIPE;
    }
    int err = uv_read_start((uv_stream_t *)&stream->tcp, give_scratch, take_data);
    return err == UV_EALREADY ? 0 : err;
}

void stream_read_stop(struct stream *stream)
{
    if (!stream->closing && !stream->finishing) {
        uv_read_stop((uv_stream_t *)&stream->tcp);
    }
}

static void written(uv_write_t *request, int status)
{
    struct stream *stream = request->data;
    struct pending *pending = (struct pending *)request;
    stream->queued -= pending->len;
    free(pending);
    if (status < 0) {
        fail(stream, status);
    } else if (stream->queued == 0 && !stream->closing && !stream->finishing &&
               stream->events->on_drained) {
        stream->events->on_drained(stream);
    }
}

/* Copy what lies behind the first `skip` octets of the parts. */
static int enqueue(struct stream *stream, const uv_buf_t *parts, unsigned count, size_t skip)
{
    size_t total = 0;
    for (unsigned i = 0; i < count; i++) {
        total += parts[i].len;
    }
    size_t len = total - skip;
    if (len > stream->queue_max || stream->queued > stream->queue_max - len) {
        return -ENOBUFS;
    }
    struct pending *pending = malloc(sizeof(*pending) + len);
    if (!pending) {
        return -ENOMEM;
    }
    pending->len = len;
    pending->request.data = stream;
    uint8_t *at = pending->data;
    for (unsigned i = 0; i < count; i++) {
        size_t over = skip < parts[i].len ? skip : parts[i].len;
        memcpy(at, parts[i].base + over, parts[i].len - over);
        at += parts[i].len - over;
        skip -= over;
    }
    uv_buf_t buf = uv_buf_init((char *)pending->data, (unsigned)len);
    int err = uv_write(&pending->request, (uv_stream_t *)&stream->tcp, &buf, 1, written);
    if (err < 0) {
        free(pending);
        return err;
    }
    stream->queued += len;
    return 0;
}

int stream_write(struct stream *stream, const uv_buf_t *parts, unsigned count)
{
    if (stream->closing || stream->finishing || stream->broken) {
        return -EPIPE;
    }
    size_t total = 0;
    for (unsigned i = 0; i < count; i++) {
        total += parts[i].len;
    }
    int sent =
        total && !stream->queued ? uv_try_write((uv_stream_t *)&stream->tcp, parts, count) : 0;
    if (sent == UV_EAGAIN) {
        sent = 0;
    }
    int err = sent < 0 ? sent : 0;
    if (!err && (size_t)sent < total) {
        err = enqueue(stream, parts, count, (size_t)sent);
    }
    stream->broken = err < 0;
    return err;
}

void stream_deadline(struct stream *stream, uint64_t in_ms)
{
    if (stream->closing || stream->finishing) {
        return;
    }
    if (in_ms) {
        uv_timer_start(&stream->timer, deadline_passed, in_ms, 0);
    } else {
        uv_timer_stop(&stream->timer);
    }
}

static void fin_sent(uv_shutdown_t *request, int status)
{
    struct stream *stream = request->data;
    free(request);
    if (stream->closing) {
        return;
    }
    stream->fin_sent = true;
    if (status < 0 || stream->peer_done) {
        stream_close(stream);
    } else {
        uv_timer_start(&stream->timer, deadline_passed, LINGER_MS, 0);
    }
}

void stream_finish(struct stream *stream)
{
    if (stream->closing || stream->finishing) {
        return;
    }
    uv_shutdown_t *request = stream->broken ? NULL : malloc(sizeof(*request));
    if (!request) {
        stream_close(stream);
        return;
    }
    request->data = stream;
    if (uv_shutdown(request, (uv_stream_t *)&stream->tcp, fin_sent) < 0) {
        free(request);
        stream_close(stream);
        return;
    }
    if (!stream->peer_done && stream_read_start(stream) < 0) {
        stream_close(stream);
        return;
    }
    stream->finishing = true;
    if (!uv_is_active((uv_handle_t *)&stream->timer)) {
        uv_timer_start(&stream->timer, deadline_passed, SEND_MS, 0);
    }
}

struct addr stream_peer(const struct stream *stream)
{
    struct sockaddr_storage from;
    struct addr addr = {0};
    int len = sizeof(from);
    if (uv_tcp_getpeername(&stream->tcp, (struct sockaddr *)&from, &len) == 0) {
        addr_from_sockaddr((const struct sockaddr *)&from, &addr);
    }
    return addr;
}

struct addr stream_local(const struct stream *stream)
{
    struct sockaddr_storage at;
    struct addr addr = {0};
    int len = sizeof(at);
    if (uv_tcp_getsockname(&stream->tcp, (struct sockaddr *)&at, &len) == 0) {
        addr_from_sockaddr((const struct sockaddr *)&at, &addr);
    }
    return addr;
}
