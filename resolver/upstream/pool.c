// SPDX-License-Identifier: Apache-2.0
/* Connections to upstream servers, TCP and TLS: kept open while they are used, many
 * questions on one, answers in any order (RFC 7766 sections 6.2 and 7). */
#include <errno.h>
#include <stdlib.h>

#include "net/stream.h"
#include "net/tls_peer.h"
#include "net/tls_pump.h"
#include "upstream/flight.h"

enum {
    IDLE_MS = 10000,
    CHANNELS_MAX = 2, /* to a server, per worker */
    CROWDED = 64,     /* questions on one before another is opened */
    QUESTIONS_MAX = 1000,
};

struct channel {
    struct channel *next; /* to the same server */
    struct upstream *upstream;
    struct server *server; /* NULL once it is closing */
    struct stream stream;
    struct tls_pump *pump;    /* NULL: plain TCP */
    struct attempt *attempts; /* that wait for an answer, newest first */
    unsigned count;
    bool open; /* may be written to */
    bool used; /* has brought an answer */
    bool over; /* to be closed when it is safe */
    size_t got;
    uint8_t message[2 + DNS_MESSAGE_MAX]; /* length and message (RFC 1035 section 4.2.2) */
};

static void on_closed(struct stream *stream)
{
    struct channel *channel = stream->owner;
    struct upstream *upstream = channel->upstream;
    tls_pump_free(channel->pump);
    free(channel);
    upstream->channels--;
    upstream_release(upstream);
}

/* Nothing is sent on it or taken from it any more. */
static void detach(struct channel *channel)
{
    if (!channel->server) {
        return;
    }
    struct channel **at = &channel->server->channels;
    while (*at != channel) {
        at = &(*at)->next;
    }
    *at = channel->next;
    channel->server = NULL;
    if (channel->pump && channel->open) {
        tls_pump_end(channel->pump);
    }
    channel->open = false;
    stream_close(&channel->stream);
}

/* It is over: each question on it goes on by itself. A server may close a connection
 * that it has answered on at any time; that is no failure of it. */
static void give_up(struct channel *channel, bool failed)
{
    bool used = channel->used && !failed;
    detach(channel);
    while (channel->attempts) {
        struct attempt *attempt = channel->attempts;
        channel->attempts = attempt->next;
        channel->count--;
        attempt->channel = NULL;
        if (used) {
            flight_lost(attempt);
        } else {
            flight_refused(attempt);
        }
    }
}

static void on_end(struct stream *stream, int err)
{
    give_up(stream->owner, err == -ETIMEDOUT);
}

static uint32_t stall_ms(const struct channel *channel)
{
    return channel->upstream->table.plan->timeout_ms;
}

static int send_octets(void *owner, const uint8_t *data, size_t len)
{
    struct channel *channel = owner;
    uv_buf_t part = uv_buf_init((char *)data, (unsigned)len);
    return stream_write(&channel->stream, &part, 1);
}

/* Do all questions on the channel but this one have other ids? */
static bool is_unique(const struct channel *channel, const struct attempt *attempt)
{
    const struct attempt *at = channel->attempts;
    while (at && (at == attempt || at->mark.id != attempt->mark.id)) {
        at = at->next;
    }
    return !at;
}

static int send_query(struct channel *channel, struct attempt *attempt)
{
    uint8_t octets[2 + ASK_WIRE_MAX];
    struct wire out;
    do {
        wire_init(&out, octets + 2, sizeof(octets) - 2);
        attempt_write(attempt, &out);
    } while (!is_unique(channel, attempt));
    store_u16(octets, (uint16_t)out.len);
    return channel->pump ? tls_pump_write(channel->pump, octets, out.len + 2)
                         : send_octets(channel, octets, out.len + 2);
}

/* Write what has waited for the connection. */
static void open_up(struct channel *channel)
{
    channel->open = true;
    for (struct attempt *at = channel->attempts; at && !channel->over; at = at->next) {
        channel->over = send_query(channel, at) < 0;
    }
}

static struct attempt *find_attempt(const struct channel *channel, uint16_t id)
{
    struct attempt *at = channel->attempts;
    while (at && at->mark.id != id) {
        at = at->next;
    }
    return at;
}

/* An answer to whichever question has its id. */
static void take_message(struct channel *channel, const struct packet *packet)
{
    struct attempt *attempt =
        packet->len >= DNS_HEADER ? find_attempt(channel, load_u16(packet->data)) : NULL;
    if (attempt && flight_receive(attempt, packet)) {
        channel->used = true;
    }
    stream_deadline(&channel->stream, channel->count ? stall_ms(channel) : IDLE_MS);
}

static void take_octets(void *owner, const uint8_t *data, size_t len)
{
    struct channel *channel = owner;
    while (len > 0 && channel->server) {
        size_t want = channel->got < 2 ? 2 : 2 + (size_t)load_u16(channel->message);
        size_t take = want - channel->got < len ? want - channel->got : len;
        memcpy(channel->message + channel->got, data, take);
        channel->got += take;
        data += take;
        len -= take;
        if (channel->got >= 2 && channel->got == 2 + (size_t)load_u16(channel->message)) {
            struct packet packet = {channel->message + 2, channel->got - 2};
            channel->got = 0;
            take_message(channel, &packet);
        }
    }
}

static void on_data(struct stream *stream, const uint8_t *data, size_t len)
{
    struct channel *channel = stream->owner;
    if (!channel->pump) {
        take_octets(channel, data, len);
        return;
    }
    int result = tls_pump_feed(channel->pump, data, len);
    if (!channel->server) {
        return;
    }
    if (result == 0 && !channel->open && tls_pump_is_open(channel->pump)) {
        open_up(channel);
    }
    if (result != 0 || channel->over) {
        give_up(channel, result < 0);
    }
}

static void on_connected(struct stream *stream, int err)
{
    struct channel *channel = stream->owner;
    if (err == 0) {
        err = stream_read_start(stream);
    }
    if (err == 0 && channel->pump) {
        err = tls_pump_start(channel->pump);
    } else if (err == 0) {
        open_up(channel);
    }
    if (err < 0 || channel->over) {
        give_up(channel, true);
    }
}

static const struct stream_events events = {
    .on_data = on_data,
    .on_end = on_end,
    .on_connected = on_connected,
    .on_closed = on_closed,
};

static const struct tls_pump_events pump_events = {send_octets, take_octets};

static int new_channel(struct upstream *upstream, struct server *server,
                       struct channel **ret_channel)
{
    bool tls = server->peer != NULL;
    struct channel *channel = malloc(sizeof(*channel)); /* its buffer stays untouched */
    if (!channel) {
        return -ENOMEM;
    }
    memset(channel, 0, offsetof(struct channel, message));
    channel->upstream = upstream;
    channel->pump = tls ? tls_pump_connect(server->peer, &pump_events, channel) : NULL;
    int err = tls && !channel->pump ? -ENOMEM : 0;
    if (err == 0) {
        err = stream_init(&channel->stream, upstream->setup.loop, &events, channel);
    }
    if (err < 0) {
        tls_pump_free(channel->pump);
        free(channel);
        return err;
    }
    upstream->channels++;
    channel->server = server;
    channel->next = server->channels;
    server->channels = channel;
    err = stream_connect(&channel->stream, &server->plan->url.addr);
    if (err < 0) {
        detach(channel);
        return err;
    }
    *ret_channel = channel;
    return 0;
}

/* The least crowded connection to the server, or a new one. */
static int find_channel(struct upstream *upstream, struct server *server,
                        struct channel **ret_channel)
{
    struct channel *best = NULL;
    unsigned count = 0;
    for (struct channel *at = server->channels; at; at = at->next, count++) {
        if (!at->stream.peer_done && !at->over && (!best || at->count < best->count)) {
            best = at;
        }
    }
    if (!best || (best->count >= CROWDED && count < CHANNELS_MAX)) {
        return new_channel(upstream, server, ret_channel);
    }
    *ret_channel = best;
    return best->count < QUESTIONS_MAX ? 0 : -ENOBUFS;
}

int channel_attempt_start(struct flight *flight, int index)
{
    struct upstream *upstream = flight->upstream;
    struct server *server = &upstream->table.servers[index];
    struct channel *channel = NULL;
    int err = find_channel(upstream, server, &channel);
    struct attempt *attempt = err < 0 ? NULL : calloc(1, sizeof(*attempt));
    if (!attempt) {
        return err < 0 ? err : -ENOMEM;
    }
    attempt_prepare(attempt, flight, index);
    attempt->stream = true;
    attempt->channel = channel;
    if (channel->open) {
        err = send_query(channel, attempt);
    }
    if (err < 0) {
        free(attempt);
        give_up(channel, false);
        return err;
    }
    attempt->next = channel->attempts;
    channel->attempts = attempt;
    if (channel->count++ == 0) {
        stream_deadline(&channel->stream, stall_ms(channel));
    }
    flight_add(flight, attempt);
    return 0;
}

void channel_attempt_end(struct attempt *attempt)
{
    struct channel *channel = attempt->channel;
    if (channel) {
        struct attempt **at = &channel->attempts;
        while (*at != attempt) {
            at = &(*at)->next;
        }
        *at = attempt->next;
        channel->count--;
    }
    free(attempt);
}

void channels_close(struct server *server)
{
    while (server->channels) {
        give_up(server->channels, false);
    }
}
