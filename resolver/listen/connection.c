// SPDX-License-Identifier: Apache-2.0
#include "listen/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "listen/census.h"
#include "listen/tcp.h"
#include "net/tls_pump.h"

static void unlink_connection(struct connection *connection)
{
    struct tcp_room *room = connection->room;
    *connection->link = connection->next;
    if (connection->next) {
        connection->next->link = connection->link;
    } else {
        room->last = connection->link;
    }
}

static void link_last(struct connection *connection)
{
    struct tcp_room *room = connection->room;
    connection->next = NULL;
    connection->link = room->last;
    *room->last = connection;
    room->last = &connection->next;
}

static void drop_message(struct connection *connection)
{
    connection->room->large -= framing_is_large(&connection->framing);
    framing_next(&connection->framing);
}

static void free_connection(struct connection *connection)
{
    struct tcp_room *room = connection->room;
    unlink_connection(connection);
    drop_message(connection);
    tls_pump_free(connection->tls);
    room->connections--;
    room->strangers -= connection->stranger;
    if (connection->counted) {
        census_leave(room->census, &connection->peer);
    }
    free(connection->held);
    free(connection);
    tcp_room_release(room);
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
    uint64_t idle = connection->room->stopping ? TCP_DRAIN_MS
                    : connection->stranger     ? TCP_STRANGER_MS
                                               : TCP_IDLE_MS;
    bool owing = connection->waiting > 0;
    stream_deadline(&connection->stream, owing ? 0 : idle);
}

static int send_cipher(void *owner, const uint8_t *data, size_t len)
{
    struct connection *connection = owner;
    const uv_buf_t part = uv_buf_init((char *)data, (unsigned)len);
    return stream_write(&connection->stream, &part, 1);
}

/* In one piece, so that it goes in as few records as can be. */
static int send_encrypted(struct connection *connection, const struct wire *out)
{
    static _Thread_local uint8_t framed[2 + DNS_MESSAGE_MAX];
    store_u16(framed, (uint16_t)out->len);
    memcpy(framed + 2, out->data, out->len);
    return tls_pump_write(connection->tls, framed, 2 + out->len);
}

static int send_plain(struct connection *connection, const struct wire *out)
{
    uint8_t length[2];
    store_u16(length, (uint16_t)out->len);
    const uv_buf_t parts[2] = {
        uv_buf_init((char *)length, sizeof(length)),
        uv_buf_init((char *)out->data, (unsigned)out->len),
    };
    return stream_write(&connection->stream, parts, 2);
}

static void send_reply(struct query_channel *channel, const struct query *query)
{
    struct connection *connection = (struct connection *)channel;
    if (connection->closed || connection->stream.closing) {
        return;
    }
    int err = connection->tls ? send_encrypted(connection, &query->out)
                              : send_plain(connection, &query->out);
    if (err < 0) {
        stream_close(&connection->stream);
    }
}

/* Close when all is sent. */
static void finish(struct connection *connection)
{
    if (connection->tls) {
        tls_pump_end(connection->tls);
    }
    stream_finish(&connection->stream);
}

static void hold(struct query_channel *channel)
{
    struct connection *connection = (struct connection *)channel;
    connection->waiting++;
    connection->room->waiting++;
}

/* How many queries of a connection may wait. Together they must leave places for those
 * of UDP: when they have half of them, each connection has one. */
static unsigned waiting_limit(const struct connection *connection)
{
    return connection->room->waiting < WAITING_MAX / 2 ? TCP_WAITING_MAX : 1;
}

static void run_message(struct connection *connection)
{
    struct query *query = &connection->room->slot;
    query->worker = connection->room->worker;
    query->channel = &connection->channel;
    query->packet = framing_octets(&connection->framing, &query->packet_len);
    query->client = connection->peer;
    query->local = connection->local;
    unlink_connection(connection);
    link_last(connection);
    query_begin(query);
    query_resume(query);
}

/* Memory for a message that is longer than most; -ENOMEM when too many such messages
 * are on their way. */
static int make_room(struct connection *connection)
{
    int err =
        connection->room->large < TCP_LARGE_MAX ? framing_grow(&connection->framing) : -ENOMEM;
    connection->room->large += err == 0;
    return err;
}

static void do_step(struct connection *connection, enum framing_step step)
{
    if (step == FRAMING_WHOLE) {
        run_message(connection);
        drop_message(connection);
    } else if (step == FRAMING_BROKEN || (step == FRAMING_LARGE && make_room(connection) < 0)) {
        stream_close(&connection->stream);
    }
}

/* Take messages out of data; returns the octets used, fewer than len when too many
 * queries wait. */
static size_t consume(struct connection *connection, const uint8_t *data, size_t len)
{
    size_t used = 0;
    while (used < len && !connection->stream.closing &&
           connection->waiting < waiting_limit(connection)) {
        size_t step_used;
        if (connection->framing.got == 0) {
            stream_deadline(&connection->stream, TCP_MESSAGE_MS);
        }
        do_step(connection,
                framing_take(&connection->framing, data + used, len - used, &step_used));
        used += step_used;
    }
    return used;
}

/* Of TLS more than one piece may come before reading stops. */
static void keep_rest(struct connection *connection, const uint8_t *data, size_t len)
{
    uint8_t *held = realloc(connection->held, connection->held_len + len);
    if (!held) {
        stream_close(&connection->stream);
        return;
    }
    memcpy(held + connection->held_len, data, len);
    connection->held = held;
    connection->held_len += len;
    stream_read_stop(&connection->stream);
}

static void take_in(struct connection *connection, const uint8_t *data, size_t len)
{
    size_t used = connection->held ? 0 : consume(connection, data, len);
    if (connection->stream.closing) {
        return;
    }
    if (used < len) {
        keep_rest(connection, data + used, len - used);
    }
    if (connection->framing.got == 0) {
        arm(connection); /* else the message's deadline runs since its first octet */
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
        finish(connection);
        return;
    }
    if (err == -ETIMEDOUT && connection->tls) {
        tls_pump_end(connection->tls);
    }
    stream_close(stream);
}

static void take_plain(void *owner, const uint8_t *data, size_t len)
{
    struct connection *connection = owner;
    if (!connection->stream.closing) {
        take_in(connection, data, len);
    }
}

static const struct tls_pump_events tls_events = {send_cipher, take_plain};

static void take_cipher(struct connection *connection, const uint8_t *data, size_t len)
{
    bool was_open = tls_pump_is_open(connection->tls);
    int result = tls_pump_feed(connection->tls, data, len);
    if (result == 1) {
        on_end(&connection->stream, 0);
    } else if (result < 0) {
        stream_close(&connection->stream);
    } else if (!was_open && tls_pump_is_open(connection->tls) && connection->framing.got == 0) {
        arm(connection); /* until then the handshake's deadline ran */
    }
}

static void on_data(struct stream *stream, const uint8_t *data, size_t len)
{
    struct connection *connection = stream->owner;
    query_tick(connection->room->worker);
    if (connection->tls) {
        take_cipher(connection, data, len);
    } else {
        take_in(connection, data, len);
    }
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
    connection->room->waiting--;
    if (connection->closed) {
        if (connection->waiting == 0) {
            free_connection(connection);
        }
        return;
    }
    if (connection->stream.closing) {
        return;
    }
    if (connection->held && connection->waiting <= waiting_limit(connection) / 2) {
        go_on(connection);
    }
    if (connection->waiting > 0 || connection->stream.closing) {
        return;
    }
    if (connection->ended) {
        finish(connection);
    } else if (connection->framing.got == 0) {
        arm(connection);
    }
}

static const struct stream_events events = {
    .on_data = on_data,
    .on_end = on_end,
    .on_closed = on_closed,
};

static struct connection *first_quiet(const struct tcp_room *room, bool inside)
{
    for (struct connection *at = room->first; at; at = at->next) {
        bool quiet = at->waiting == 0 && !at->stranger && !at->stream.closing;
        if (quiet && (at->framing.got > 0) == inside) {
            return at;
        }
    }
    return NULL;
}

bool connection_evict(struct tcp_room *room)
{
    struct connection *quiet = first_quiet(room, false);
    quiet = quiet ? quiet : first_quiet(room, true);
    if (quiet) {
        stream_close(&quiet->stream);
    }
    return quiet != NULL;
}

/* Is there a place for it? Strangers have few of their own, so that they take none of
 * those who may ask. */
static bool is_welcome(struct connection *connection)
{
    struct tcp_room *room = connection->room;
    const struct config *config = room->worker->snapshot->config;
    connection->stranger = !snapshot_admits(room->worker->snapshot, &connection->peer);
    room->strangers += connection->stranger;
    if (connection->stranger) {
        return room->strangers <= TCP_STRANGERS_MAX;
    }
    connection->counted = true;
    if (census_join(room->census, &connection->peer) > config->dns.tcp_per_client) {
        query_count_drop(room->worker, DROP_CONNECTION);
        return false;
    }
    unsigned places = (unsigned)config->dns.tcp_connections / room->share;
    if (room->connections - room->strangers > (places ? places : 1)) {
        query_count_drop(room->worker, DROP_CONNECTION);
        (void)connection_evict(room); /* this one itself when all others wait for answers */
    }
    return !connection->stream.closing;
}

static bool begin_tls(struct connection *connection)
{
    struct tls_identity *identity = connection->room->identity;
    connection->tls = identity ? tls_pump_new(identity, &tls_events, connection) : NULL;
    return connection->tls != NULL;
}

int connection_open(struct tcp_room *room, int fd, const struct addr *peer, bool tls)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    int err =
        connection ? stream_init(&connection->stream, room->loop, &events, connection) : -ENOMEM;
    if (err < 0) {
        free(connection);
        close(fd);
        return err;
    }
    connection->channel =
        (struct query_channel){send_reply, hold, release, tls ? STATS_TLS : STATS_TCP};
    connection->room = room;
    framing_init(&connection->framing);
    connection->stream.queue_max = TCP_QUEUE_MAX;
    connection->peer = *peer;
    link_last(connection);
    room->connections++;
    err = stream_adopt(&connection->stream, fd);
    if (err < 0 || !is_welcome(connection) || (tls && !begin_tls(connection))) {
        stream_close(&connection->stream);
        return err;
    }
    connection->local = stream_local(&connection->stream);
    if (tls) {
        stream_deadline(&connection->stream, TCP_MESSAGE_MS);
    } else {
        arm(connection);
    }
    if (stream_read_start(&connection->stream) < 0) {
        stream_close(&connection->stream);
    }
    return 0;
}

void connection_finish(struct connection *connection)
{
    if (connection->waiting > 0 || connection->stream.closing) {
        return;
    }
    if (connection->stream.queued) {
        stream_finish(&connection->stream);
    } else {
        stream_deadline(&connection->stream, TCP_DRAIN_MS);
    }
}
