// SPDX-License-Identifier: Apache-2.0
#include "listen/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "listen/census.h"
#include "listen/gather.h"
#include "listen/tcp.h"

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
    room->connections--;
    room->strangers -= connection->stranger;
    turns_wake(&room->turns, &connection->turn);
    if (connection->counted) {
        census_leave(room->census, &connection->peer);
    }
    free(connection->held);
    free(connection);
    tcp_room_release(room);
}

/* Its handles are closed. */
static void gone(struct connection *connection)
{
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
    stream_deadline(&connection->tls.stream, owing ? 0 : idle);
}

/* Close when all is sent. */
static void finish(struct connection *connection)
{
    if (connection->secure) {
        tls_finish(&connection->tls);
    } else {
        stream_finish(&connection->tls.stream);
    }
}

static void stop_reading(struct connection *connection)
{
    if (connection->secure) {
        tls_read_stop(&connection->tls);
    } else {
        stream_read_stop(&connection->tls.stream);
    }
}

static int start_reading(struct connection *connection)
{
    return connection->secure ? tls_read_start(&connection->tls)
                              : stream_read_start(&connection->tls.stream);
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
        stream_close(&connection->tls.stream);
    }
}

/* May it ask one thing more? Not while it does not read its answers. */
static bool has_place(struct connection *connection)
{
    return connection->waiting < waiting_limit(connection) &&
           connection->tls.stream.queued < TCP_QUEUE_MAX / 2 &&
           turns_may(&connection->room->turns, &connection->turn);
}

/* Take messages out of data; returns the octets used, fewer than len when too many
 * queries wait, answers are not read, or its turn is over. */
static size_t consume(struct connection *connection, const uint8_t *data, size_t len)
{
    struct connection *outer = gather_begin(connection);
    size_t used = 0;
    while (used < len && !connection->tls.stream.closing && has_place(connection)) {
        size_t step_used;
        if (connection->framing.got == 0) {
            stream_deadline(&connection->tls.stream, TCP_MESSAGE_MS);
        }
        enum framing_step step =
            framing_take(&connection->framing, data + used, len - used, &step_used);
        if (step == FRAMING_WHOLE) {
            turns_count(&connection->room->turns, &connection->turn);
        }
        do_step(connection, step);
        used += step_used;
    }
    gather_end(connection, outer);
    return used;
}

static void keep_rest(struct connection *connection, const uint8_t *data, size_t len)
{
    uint8_t *held = malloc(len);
    if (!held) {
        stream_close(&connection->tls.stream);
        return;
    }
    memcpy(held, data, len);
    connection->held = held;
    connection->held_len = len;
    connection->held_at = 0;
    stop_reading(connection);
}

/* A message's deadline runs since its first octet. */
static void arm_between(struct connection *connection)
{
    if (connection->framing.got == 0) {
        arm(connection);
    }
}

static void take_in(struct connection *connection, const uint8_t *data, size_t len)
{
    size_t used = consume(connection, data, len);
    if (connection->tls.stream.closing) {
        return;
    }
    if (used < len) {
        keep_rest(connection, data + used, len - used);
    }
    arm_between(connection);
}

/* While it is looked at nothing is held: what is released meanwhile must not go on too. */
static void take_held(struct connection *connection)
{
    uint8_t *held = connection->held;
    size_t left = connection->held_len - connection->held_at;
    connection->held = NULL;
    size_t used = consume(connection, held + connection->held_at, left);
    connection->held_at += used;
    if (used < left && !connection->tls.stream.closing) {
        connection->held = held;
    } else {
        free(held);
    }
    if (!connection->tls.stream.closing) {
        arm_between(connection);
    }
}

static void take_end(struct connection *connection, int err)
{
    connection->ended = true;
    if (err == 0 && connection->waiting > 0) {
        return; /* it still wants its answers (RFC 7766 section 6.2.4) */
    }
    if (err == 0) {
        finish(connection);
    } else {
        stream_close(&connection->tls.stream);
    }
}

/* Room for more queries again: what was held first, then the socket. */
static void go_on(struct connection *connection)
{
    if (connection->held) {
        take_held(connection);
    }
    if (!connection->held && !connection->tls.stream.closing && !connection->ended &&
        start_reading(connection) < 0) {
        stream_close(&connection->tls.stream);
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
    if (connection->tls.stream.closing) {
        return;
    }
    if (connection->held && !turn_rests(&connection->turn) &&
        connection->waiting <= waiting_limit(connection) / 2) {
        go_on(connection);
    }
    if (connection->waiting > 0 || connection->tls.stream.closing) {
        return;
    }
    if (connection->ended) {
        finish(connection);
    } else {
        arm_between(connection);
    }
}

void connection_go_on(struct turn *turn)
{
    struct connection *connection = turn->owner;
    if (!connection->tls.stream.closing) {
        query_tick(connection->room->worker);
        go_on(connection);
    }
}

static void on_data(struct stream *stream, const uint8_t *data, size_t len)
{
    struct connection *connection = stream->owner;
    query_tick(connection->room->worker);
    take_in(connection, data, len);
}

static void on_end(struct stream *stream, int err)
{
    take_end(stream->owner, err);
}

/* Its answers are on their way: what was held meanwhile goes on. */
static void drained(struct connection *connection)
{
    if (connection->held && !turn_rests(&connection->turn)) {
        query_tick(connection->room->worker);
        go_on(connection);
    }
}

static void on_drained(struct stream *stream)
{
    drained(stream->owner);
}

static void on_closed(struct stream *stream)
{
    gone(stream->owner);
}

static const struct stream_events events = {
    .on_data = on_data,
    .on_end = on_end,
    .on_drained = on_drained,
    .on_closed = on_closed,
};

/* The handshake's deadline is over; from now on those of messages count. */
/* "phone-anna.greengate.lan" is asked for by the client with the id phone-anna. */
static void take_id(struct connection *connection)
{
    const char *asked = tls_asked_name(&connection->tls);
    const char *own = connection->room->worker->snapshot->config->server.name;
    size_t len = strcspn(asked, ".");
    bool ours = asked[len] == '.' && strcasecmp(asked + len + 1, own) == 0;
    if (ours && member_take_name(asked, len, connection->id) == 0) {
        connection->channel.id = connection->id;
    }
}

static void on_tls_ready(struct tls *tls)
{
    take_id(tls->owner);
    arm(tls->owner);
}

static void on_tls_data(struct tls *tls, const uint8_t *data, size_t len)
{
    struct connection *connection = tls->owner;
    query_tick(connection->room->worker);
    take_in(connection, data, len);
}

static void on_tls_end(struct tls *tls, int err)
{
    take_end(tls->owner, err);
}

static void on_tls_drained(struct tls *tls)
{
    drained(tls->owner);
}

static void on_tls_closed(struct tls *tls)
{
    gone(tls->owner);
}

static const struct tls_events events_of_tls = {
    .on_ready = on_tls_ready,
    .on_data = on_tls_data,
    .on_end = on_tls_end,
    .on_drained = on_tls_drained,
    .on_closed = on_tls_closed,
};

static struct connection *first_quiet(const struct tcp_room *room, const struct connection *newest,
                                      bool inside)
{
    for (struct connection *at = room->first; at; at = at->next) {
        bool busy = at->waiting > 0 || turn_rests(&at->turn);
        bool quiet = !busy && !at->stranger && !at->tls.stream.closing;
        if (quiet && at != newest && (at->framing.got > 0) == inside) {
            return at;
        }
    }
    return NULL;
}

bool connection_evict(struct tcp_room *room, const struct connection *newest)
{
    struct connection *quiet = first_quiet(room, newest, false);
    quiet = quiet ? quiet : first_quiet(room, newest, true);
    if (quiet) {
        stream_close(&quiet->tls.stream);
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
        query_count_drop(room->worker->drops, DROP_CONNECTION);
        return false;
    }
    unsigned places = (unsigned)config->dns.tcp_connections / room->share;
    if (room->connections - room->strangers > (places ? places : 1)) {
        query_count_drop(room->worker->drops, DROP_CONNECTION);
        return connection_evict(room, connection);
    }
    return true;
}

static int init(struct connection *connection, bool secure)
{
    struct tcp_room *room = connection->room;
    if (secure) {
        return tls_init(&connection->tls, room->loop, &events_of_tls, connection);
    }
    return stream_init(&connection->tls.stream, room->loop, &events, connection);
}

/* Take the socket and begin to read; without a certificate DoT clients are sent away. */
static int begin(struct connection *connection, int fd)
{
    struct tls_context *identity = connection->room->identity;
    int err = stream_adopt(&connection->tls.stream, fd);
    if (err < 0 || !is_welcome(connection)) {
        return err < 0 ? err : -EPERM;
    }
    connection->local = stream_local(&connection->tls.stream);
    if (!connection->secure) {
        arm(connection);
        return stream_read_start(&connection->tls.stream);
    }
    stream_deadline(&connection->tls.stream, TCP_MESSAGE_MS);
    return identity ? tls_serve(&connection->tls, identity) : -EPERM;
}

int connection_open(struct tcp_room *room, int fd, const struct addr *peer, bool secure)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    if (!connection) {
        close(fd);
        return -ENOMEM;
    }
    connection->room = room;
    int err = init(connection, secure);
    if (err < 0) {
        free(connection);
        close(fd);
        return err;
    }
    connection->channel =
        (struct query_channel){gather_send, hold, release, secure ? STATS_TLS : STATS_TCP};
    connection->secure = secure;
    connection->turn.owner = connection;
    framing_init(&connection->framing);
    connection->tls.stream.queue_max = TCP_QUEUE_MAX;
    connection->peer = *peer;
    link_last(connection);
    room->connections++;
    if (begin(connection, fd) < 0) {
        stream_close(&connection->tls.stream);
    }
    return 0;
}

void connection_finish(struct connection *connection)
{
    if (connection->waiting > 0 || connection->tls.stream.closing) {
        return;
    }
    if (connection->tls.stream.queued) {
        stream_finish(&connection->tls.stream);
    } else {
        stream_deadline(&connection->tls.stream, TCP_DRAIN_MS);
    }
}
