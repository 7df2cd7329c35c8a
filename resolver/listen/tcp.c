// SPDX-License-Identifier: Apache-2.0
#include "listen/tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/stream.h"

enum { MESSAGE_MAX = 4096, BACKLOG = 256 };

struct connection {
    struct query_channel channel; /* first, so that a channel is its connection */
    struct tcp_listener *listener;
    struct connection *next, **link; /* newest last */
    struct stream stream;
    struct addr peer, local;
    unsigned waiting; /* queries that an upstream is asked for */
    bool stranger;    /* may not ask: gets its refusal, and little time */
    bool ended;       /* the peer will send no more */
    bool closed;      /* handles are gone; freed with the last waiting query */
    uint8_t *held;    /* octets not yet looked at, since too many queries wait */
    size_t held_len;
    size_t got;
    uint8_t message[2 + MESSAGE_MAX];
};

struct tcp_listener {
    struct query_worker *worker;
    uv_tcp_t handle;
    struct connection *first, **last;
    unsigned connections, strangers;
    struct query slot;
    uv_tcp_t spare; /* takes connections that there is no memory for */
    bool spare_busy;
    bool stopping, handle_closed, given_up;
};

static void free_listener(struct tcp_listener *listener)
{
    if (listener->handle_closed && listener->given_up && listener->connections == 0 &&
        !listener->spare_busy) {
        free(listener->slot.room);
        free(listener);
    }
}

static void free_connection(struct connection *connection)
{
    struct tcp_listener *listener = connection->listener;
    *connection->link = connection->next;
    if (connection->next) {
        connection->next->link = connection->link;
    } else {
        listener->last = connection->link;
    }
    listener->connections--;
    listener->strangers -= connection->stranger;
    free(connection->held);
    free(connection);
    free_listener(listener);
}

static void on_closed(struct stream *stream)
{
    struct connection *connection = stream->owner;
    connection->closed = true;
    if (connection->waiting == 0) {
        free_connection(connection);
    }
}

/* Between messages: wait for the next one, or as long as it takes while we owe answers.
 * Inside a message the deadline runs since its first octet. */
static void arm(struct connection *connection)
{
    uint64_t idle = connection->stranger ? TCP_STRANGER_MS : TCP_IDLE_MS;
    bool owing = connection->waiting > 0;
    stream_deadline(&connection->stream, owing ? 0 : idle);
}

static void send_reply(struct query_channel *channel, const struct query *query)
{
    struct connection *connection = (struct connection *)channel;
    uint8_t length[2];
    if (connection->closed) {
        return;
    }
    store_u16(length, (uint16_t)query->out.len);
    const uv_buf_t parts[2] = {
        uv_buf_init((char *)length, sizeof(length)),
        uv_buf_init((char *)query->out.data, (unsigned)query->out.len),
    };
    if (stream_write(&connection->stream, parts, 2) < 0) {
        stream_close(&connection->stream);
    }
}

static void hold(struct query_channel *channel)
{
    ((struct connection *)channel)->waiting++;
}

static void run_message(struct connection *connection)
{
    struct query *query = &connection->listener->slot;
    query->worker = connection->listener->worker;
    query->channel = &connection->channel;
    query->packet = connection->message + 2;
    query->packet_len = connection->got - 2;
    query->client = connection->peer;
    query->local = connection->local;
    query_begin(query);
    query_resume(query);
}

/* Take messages out of data; returns the octets used, fewer than len when too many
 * queries wait. */
static size_t consume(struct connection *connection, const uint8_t *data, size_t len)
{
    size_t used = 0;
    while (used < len && !connection->stream.closing && connection->waiting < TCP_WAITING_MAX) {
        size_t want = connection->got < 2 ? 2 : 2 + (size_t)load_u16(connection->message);
        if (want > sizeof(connection->message)) {
            stream_close(&connection->stream); /* no query is that long */
            return len;
        }
        if (connection->got == 0) {
            stream_deadline(&connection->stream, TCP_MESSAGE_MS);
        }
        size_t take = want - connection->got < len - used ? want - connection->got : len - used;
        memcpy(connection->message + connection->got, data + used, take);
        connection->got += take;
        used += take;
        if (connection->got > 2 && connection->got == 2 + (size_t)load_u16(connection->message)) {
            run_message(connection);
            connection->got = 0;
        } else if (connection->got == 2 && load_u16(connection->message) == 0) {
            stream_close(&connection->stream);
        }
    }
    return used;
}

static void keep_rest(struct connection *connection, const uint8_t *data, size_t len)
{
    uint8_t *held = malloc(len);
    if (!held) {
        stream_close(&connection->stream);
        return;
    }
    memcpy(held, data, len);
    free(connection->held);
    connection->held = held;
    connection->held_len = len;
    stream_read_stop(&connection->stream);
}

static void take_in(struct connection *connection, const uint8_t *data, size_t len)
{
    size_t used = consume(connection, data, len);
    if (connection->stream.closing) {
        return;
    }
    if (used < len) {
        keep_rest(connection, data + used, len - used);
    }
    if (connection->got == 0) {
        arm(connection); /* else the message's deadline runs since its first octet */
    }
}

static void on_data(struct stream *stream, const uint8_t *data, size_t len)
{
    struct connection *connection = stream->owner;
    query_tick(connection->listener->worker);
    take_in(connection, data, len);
}

/* Room for more queries again: what was held first, then the socket. */
static void go_on(struct connection *connection)
{
    uint8_t *held = connection->held;
    size_t len = connection->held_len;
    connection->held = NULL;
    connection->held_len = 0;
    if (held) {
        take_in(connection, held, len);
        free(held);
    }
    if (!connection->held && !connection->stream.closing && !connection->ended &&
        stream_read_start(&connection->stream) < 0) {
        stream_close(&connection->stream);
    }
}

static void release(struct query_channel *channel)
{
    struct connection *connection = (struct connection *)channel;
    connection->waiting--;
    if (connection->closed) {
        if (connection->waiting == 0) {
            free_connection(connection);
        }
        return;
    }
    if (connection->stream.closing) {
        return;
    }
    if (connection->held && connection->waiting <= TCP_WAITING_MAX / 2) {
        go_on(connection);
    }
    if (connection->waiting > 0 || connection->stream.closing) {
        return;
    }
    if (connection->ended || connection->listener->stopping) {
        stream_finish(&connection->stream);
    } else if (connection->got == 0) {
        arm(connection);
    }
}

static void on_end(struct stream *stream, int err)
{
    struct connection *connection = stream->owner;
    connection->ended = true;
    if (err == 0 && connection->waiting > 0) {
        return; /* it still wants its answers (RFC 7766 section 6.2.4) */
    }
    if (err == 0) {
        stream_finish(stream);
    } else {
        stream_close(stream);
    }
}

static const struct stream_events events = {
    .on_data = on_data,
    .on_end = on_end,
    .on_closed = on_closed,
};

/* Close the oldest connection that nobody waits on. */
static void evict_idle(struct tcp_listener *listener)
{
    for (struct connection *at = listener->first; at; at = at->next) {
        if (at->waiting == 0 && !at->stranger && !at->stream.closing) {
            stream_close(&at->stream);
            return;
        }
    }
}

static unsigned count_of_client(const struct tcp_listener *listener, const struct addr *peer)
{
    unsigned count = 0;
    for (const struct connection *at = listener->first; at; at = at->next) {
        count += !at->stream.closing && addr_equal(&at->peer, peer);
    }
    return count;
}

static struct connection *new_connection(struct tcp_listener *listener)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    if (!connection) {
        return NULL;
    }
    if (stream_init(&connection->stream, listener->handle.loop, &events, connection) < 0) {
        free(connection);
        return NULL;
    }
    connection->channel = (struct query_channel){send_reply, hold, release, STATS_TCP};
    connection->listener = listener;
    connection->stream.queue_max = TCP_QUEUE_MAX;
    connection->link = listener->last;
    *listener->last = connection;
    listener->last = &connection->next;
    listener->connections++;
    return connection;
}

static void on_spare_closed(uv_handle_t *handle)
{
    struct tcp_listener *listener = handle->data;
    listener->spare_busy = false;
    free_listener(listener);
}

/* A connection that is not accepted would stop libuv from looking for others. */
static void turn_away(struct tcp_listener *listener, int status)
{
    if (status < 0 || listener->spare_busy ||
        uv_tcp_init(listener->handle.loop, &listener->spare) < 0) {
        return;
    }
    listener->spare.data = listener;
    listener->spare_busy = true;
    (void)uv_accept((uv_stream_t *)&listener->handle, (uv_stream_t *)&listener->spare);
    uv_close((uv_handle_t *)&listener->spare, on_spare_closed);
}

static void on_connection(uv_stream_t *handle, int status)
{
    struct tcp_listener *listener = handle->data;
    struct connection *connection = status < 0 ? NULL : new_connection(listener);
    if (!connection) {
        turn_away(listener, status);
        return;
    }
    if (stream_accept(&connection->stream, handle) < 0) {
        stream_close(&connection->stream);
        return;
    }
    connection->peer = stream_peer(&connection->stream);
    connection->local = stream_local(&connection->stream);
    connection->stranger = !snapshot_admits(listener->worker->snapshot, &connection->peer);
    listener->strangers += connection->stranger;
    if (listener->strangers > TCP_STRANGERS_MAX && connection->stranger) {
        stream_close(&connection->stream);
        return;
    }
    if (count_of_client(listener, &connection->peer) > TCP_PER_CLIENT_MAX) {
        stream_close(&connection->stream);
        return;
    }
    if (listener->connections - listener->strangers > TCP_CONNECTIONS_MAX) {
        evict_idle(listener);
    }
    arm(connection);
    if (stream_read_start(&connection->stream) < 0) {
        stream_close(&connection->stream);
    }
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct tcp_listener *listener = handle->data;
    listener->handle_closed = true;
    free_listener(listener);
}

int tcp_listener_start(struct query_worker *worker, uv_loop_t *loop, int fd,
                       struct tcp_listener **ret_listener)
{
    struct tcp_listener *listener = calloc(1, sizeof(*listener));
    uint8_t *room = aligned_alloc(64, QUERY_ROOM + 64 - QUERY_ROOM % 64);
    if (!listener || !room) {
        free(listener);
        free(room);
        return -ENOMEM;
    }
    listener->worker = worker;
    listener->slot.room = room;
    listener->last = &listener->first;
    int err = uv_tcp_init(loop, &listener->handle);
    listener->handle.data = listener;
    if (err < 0) {
        free(room);
        free(listener);
        return err;
    }
    err = uv_tcp_open(&listener->handle, fd);
    if (err == 0) {
        err = uv_listen((uv_stream_t *)&listener->handle, BACKLOG, on_connection);
    }
    if (err < 0) {
        uv_close((uv_handle_t *)&listener->handle, on_listener_closed);
        return err;
    }
    *ret_listener = listener;
    return 0;
}

void tcp_listener_stop(struct tcp_listener *listener)
{
    listener->stopping = true;
    uv_close((uv_handle_t *)&listener->handle, on_listener_closed);
    for (struct connection *at = listener->first; at; at = at->next) {
        if (at->waiting > 0 || at->stream.closing) {
            continue;
        }
        if (at->stream.queued) {
            stream_finish(&at->stream);
        } else {
            stream_close(&at->stream);
        }
    }
}

bool tcp_listener_is_idle(const struct tcp_listener *listener)
{
    return listener->connections == 0;
}

void tcp_listener_give_up(struct tcp_listener *listener)
{
    listener->given_up = true;
    for (struct connection *at = listener->first; at; at = at->next) {
        stream_close(&at->stream);
    }
    free_listener(listener);
}
