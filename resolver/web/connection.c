// SPDX-License-Identifier: Apache-2.0
#include "web/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_MAX = 2048, HELD_MAX = 16 * 1024, ANSWER_MS = 10000, VANISHED_MS = 30000 };

static struct connection *of_exchange(struct exchange *exchange)
{
    return (struct connection *)((char *)exchange - offsetof(struct connection, exchange));
}

static struct connection *of_wire(struct wire *wire)
{
    return (struct connection *)((char *)wire - offsetof(struct connection, wire));
}

static void set_idle(struct connection *connection, bool idle)
{
    if (connection->idle != idle) {
        connection->idle = idle;
        connection->owner->on_idle(connection, idle);
    }
}

void connection_close(struct connection *connection)
{
    set_idle(connection, false);
    wire_close(&connection->wire);
}

static void finish(struct connection *connection)
{
    set_idle(connection, false);
    wire_finish(&connection->wire);
}

void connection_end(struct connection *connection)
{
    if (connection->streams) {
        connection_close(connection);
    } else if (connection->pending) {
        connection->cut = true;
    } else if (!wire_stream(&connection->wire)->finishing) {
        connection_close(connection);
    }
}

/* Head and body in one write. */
static int write_answer(struct connection *connection, const struct answer *answer, bool close)
{
    char data[HEAD_MAX];
    struct text head = {data, 0, sizeof(data), false};
    answer_write_head(answer, close, &head);
    if (head.full) {
        return -ENOSPC;
    }
    bool bodiless = connection->exchange.request.method == REQUEST_HEAD;
    const uv_buf_t parts[] = {
        uv_buf_init(data, (unsigned)head.len),
        uv_buf_init((char *)answer->body, (unsigned)answer->len),
    };
    return wire_write(&connection->wire, parts, bodiless || answer->len == 0 ? 1 : 2);
}

/* An octet that opens a request, or the end of its headers, changes the deadline. */
static void note_phase(struct connection *connection, enum parser_phase before)
{
    const struct connection_limits *limits = &connection->owner->limits;
    enum parser_phase now = connection->parser.phase;
    if (now == before) {
        return;
    }
    if (now != PARSER_IDLE) {
        set_idle(connection, false);
    }
    if (now == PARSER_HEADERS && connection->requests > 0) {
        stream_deadline(wire_stream(&connection->wire), limits->headers_ms);
    } else if (now == PARSER_BODY) {
        stream_deadline(wire_stream(&connection->wire), limits->body_ms);
    }
}

static void refuse(struct connection *connection)
{
    int status = connection->parser.status;
    const struct answer answer = {
        .status = status,
        .allow = status == 405 ? "GET, HEAD" : NULL,
    };
    connection->exchange.request.method = REQUEST_OTHER;
    if (write_answer(connection, &answer, true) < 0) {
        connection_close(connection);
    } else {
        finish(connection);
    }
}

static void serve(struct connection *connection)
{
    struct exchange *exchange = &connection->exchange;
    connection->requests++;
    connection->pending = true;
    exchange->request = connection->parser.request;
    stream_deadline(wire_stream(&connection->wire), ANSWER_MS);
    connection->owner->serve(connection->owner->context, exchange);
}

static bool may_read(struct connection *connection)
{
    const struct stream *stream = wire_stream(&connection->wire);
    return !connection->pending && !connection->streams && stream->queued == 0 &&
           !stream->closing && !stream->finishing;
}

/* Read as far as answers are not awaited; returns the octets used. */
static size_t read_on(struct connection *connection, const uint8_t *data, size_t len)
{
    size_t at = 0;
    connection->reading = true;
    while (at < len && may_read(connection)) {
        enum parser_phase before = connection->parser.phase;
        at += parser_feed(&connection->parser, data + at, len - at);
        note_phase(connection, before);
        if (connection->parser.phase == PARSER_BAD) {
            refuse(connection);
        } else if (connection->parser.phase == PARSER_DONE) {
            serve(connection);
        }
    }
    connection->reading = false;
    return at;
}

/* Keep what came too early, and let no more come. */
static void hold(struct connection *connection, const uint8_t *data, size_t len)
{
    if (len == 0 || wire_stream(&connection->wire)->closing ||
        wire_stream(&connection->wire)->finishing) {
        return;
    }
    wire_read_stop(&connection->wire);
    connection->held = len <= HELD_MAX ? malloc(len) : NULL;
    if (!connection->held) {
        connection->cut = true;
        return;
    }
    memcpy(connection->held, data, len);
    connection->held_len = len;
}

/* Go on after an answer, or after the client has taken it. */
static void resume(struct connection *connection)
{
    if (!may_read(connection)) {
        return;
    }
    uint8_t *held = connection->held;
    size_t len = connection->held_len;
    connection->held = NULL;
    connection->held_len = 0;
    if (held) {
        size_t used = read_on(connection, held, len);
        hold(connection, held + used, len - used);
        free(held);
    }
    if (!may_read(connection) || connection->held) {
        return;
    }
    bool over = connection->cut || wire_stream(&connection->wire)->peer_done;
    if (over || wire_read_start(&connection->wire) < 0) {
        finish(connection);
    }
}

static void take_answer(struct exchange *exchange, const struct answer *answer)
{
    struct connection *connection = of_exchange(exchange);
    bool close = exchange->request.close || connection->cut || answer->stream ||
                 connection->requests >= CONNECTION_REQUESTS_MAX;
    if (wire_stream(&connection->wire)->closing) {
        return;
    }
    exchange->on_gone = answer->stream ? exchange->on_gone : NULL;
    connection->pending = false;
    if (write_answer(connection, answer, close) < 0) {
        connection_close(connection);
        return;
    }
    if (answer->stream) {
        connection->streams = true;
        stream_deadline(wire_stream(&connection->wire), 0);
        wire_give_up_after(&connection->wire, VANISHED_MS);
        return;
    }
    if (close) {
        finish(connection);
        return;
    }
    parser_next(&connection->parser);
    stream_deadline(wire_stream(&connection->wire), connection->owner->limits.idle_ms);
    set_idle(connection, true);
    if (!connection->reading) {
        resume(connection);
    }
}

static bool take_piece(struct exchange *exchange, const char *data, size_t len)
{
    struct connection *connection = of_exchange(exchange);
    if (!connection->streams || wire_stream(&connection->wire)->closing ||
        wire_stream(&connection->wire)->finishing) {
        return false;
    }
    uv_buf_t part = uv_buf_init((char *)data, (unsigned)len);
    if (!data) {
        finish(connection);
    } else if (wire_write(&connection->wire, &part, 1) < 0) {
        connection_close(connection);
        return false;
    }
    return true;
}

static void take_data(struct wire *wire, const uint8_t *data, size_t len)
{
    struct connection *connection = of_wire(wire);
    if (connection->held || connection->cut) {
        return; /* not read, since hold() stopped it */
    }
    if (connection->streams) { /* who listens has nothing more to say */
        connection_close(connection);
        return;
    }
    size_t used = read_on(connection, data, len);
    hold(connection, data + used, len - used);
}

static void take_end(struct wire *wire, int err)
{
    struct connection *connection = of_wire(wire);
    if (err < 0 || connection->streams) {
        connection_close(connection);
    } else if (!connection->pending && !connection->held) {
        finish(connection);
    }
}

static void take_drained(struct wire *wire)
{
    resume(of_wire(wire));
}

static void take_closed(struct wire *wire)
{
    struct connection *connection = of_wire(wire);
    struct exchange *exchange = &connection->exchange;
    inquiry_cancel(&exchange->inquiry);
    if (exchange->on_gone) {
        exchange->on_gone(exchange);
    }
    free(connection->held);
    connection->held = NULL;
    parser_clear(&connection->parser);
    free(connection->parser.own);
    connection->owner->on_closed(connection);
}

static const struct wire_events events = {
    .on_data = take_data,
    .on_end = take_end,
    .on_drained = take_drained,
    .on_closed = take_closed,
};

int connection_accept(struct connection *connection, const struct connection_owner *owner,
                      uv_stream_t *listener)
{
    struct wire *wire = &connection->wire;
    struct tls_context *identity = owner->identity ? *owner->identity : NULL;
    connection->owner = owner;
    struct request_own *own = owner->own ? malloc(sizeof(*own)) : NULL;
    if (owner->own && !own) {
        owner->on_closed(connection);
        return -ENOMEM;
    }
    parser_init(&connection->parser, own);
    int err = wire_init(wire, listener->loop, &events, identity);
    if (err < 0) {
        free(own);
        owner->on_closed(connection);
        return err;
    }
    wire_stream(wire)->queue_max = owner->queue_max;
    stream_deadline(wire_stream(wire), owner->limits.headers_ms);
    connection->exchange.on_answer = take_answer;
    connection->exchange.on_piece = take_piece;
    err = wire_accept(wire, listener, identity);
    if (err < 0) {
        wire_close(wire);
        return err;
    }
    connection->exchange.client = stream_peer(wire_stream(wire));
    set_idle(connection, true);
    return 0;
}
