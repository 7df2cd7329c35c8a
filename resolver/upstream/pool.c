// SPDX-License-Identifier: Apache-2.0
/* Connections to upstream servers, TCP and TLS: kept open while they are used, many
 * questions on one, answers in any order (RFC 7766 sections 6.2 and 7). */
#include <errno.h>
#include <stdlib.h>

#include "net/tls.h"
#include "upstream/flight.h"

enum {
    IDLE_MS = 10000,
    CHANNELS_MAX = 2, /* to a server, per worker */
    CROWDED = 64,     /* questions on one before another is opened */
    QUESTIONS_MAX = 1000,
    ENDED = 64,
};

struct channel {
    struct channel *next; /* to the same server */
    struct upstream *upstream;
    struct server *server; /* NULL once it is closing */
    struct tls tls;        /* for plain TCP its stream alone */
    struct tls_peer peer;  /* of TLS */
    bool encrypted;
    struct attempt *attempts; /* that wait for an answer, newest first */
    unsigned count;
    /* Ids of the last questions that nobody waits for any more, and that may be answered. */
    uint16_t ended[ENDED];
    uint64_t ended_open; /* which of them: bits */
    unsigned ended_next;
    bool open;  /* may be written to */
    bool used;  /* has brought an answer */
    bool later; /* its questions are asked again in the loop's next turn, never now */
    bool over;  /* to be closed when it is safe */
    size_t got;
    uint8_t message[2 + DNS_MESSAGE_MAX]; /* length and message (RFC 1035 section 4.2.2) */
};

static void release(struct channel *channel)
{
    struct upstream *upstream = channel->upstream;
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
    channel->open = false;
    stream_close(&channel->tls.stream);
}

/* It is over: each question on it goes on by itself. A server may close a connection
 * that it has answered on at any time; that is no failure of it. */
static void give_up(struct channel *channel, bool failed)
{
    bool used = (channel->used && !failed) || channel->later;
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

static void end(struct channel *channel, int err)
{
    give_up(channel, err == -ETIMEDOUT || !channel->used);
}

static uint32_t stall_ms(const struct channel *channel)
{
    return channel->upstream->table.plan->timeout_ms;
}

static int send_octets(struct channel *channel, uint8_t *data, size_t len)
{
    uv_buf_t part = uv_buf_init((char *)data, (unsigned)len);
    return channel->encrypted ? tls_write(&channel->tls, &part, 1)
                              : stream_write(&channel->tls.stream, &part, 1);
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
    return send_octets(channel, octets, out.len + 2);
}

/* Write what has waited for the connection. */
static void open_up(struct channel *channel)
{
    int err = 0;
    channel->open = true;
    for (struct attempt *at = channel->attempts; at && err == 0; at = at->next) {
        err = send_query(channel, at);
    }
    if (err < 0) {
        give_up(channel, true);
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

/* An answer that comes after another server's, as with the strategy parallel. */
static bool take_late(struct channel *channel, uint16_t id)
{
    for (unsigned i = 0; i < ENDED; i++) {
        if (channel->ended_open >> i & 1 && channel->ended[i] == id) {
            channel->ended_open &= ~(UINT64_C(1) << i);
            return true;
        }
    }
    return false;
}

/* An answer to whichever question has its id. What answers none keeps no connection open. */
static void take_message(struct channel *channel, const struct packet *packet)
{
    bool whole = packet->len >= DNS_HEADER;
    struct attempt *attempt = whole ? find_attempt(channel, load_u16(packet->data)) : NULL;
    bool over = attempt ? flight_receive(attempt, packet)
                        : whole && take_late(channel, load_u16(packet->data));
    channel->used |= over;
    if (over || (attempt && attempt->reacted)) {
        stream_deadline(&channel->tls.stream, channel->count ? stall_ms(channel) : IDLE_MS);
    }
}

static void take_octets(struct channel *channel, const uint8_t *data, size_t len)
{
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
    take_octets(stream->owner, data, len);
}

static void on_end(struct stream *stream, int err)
{
    end(stream->owner, err);
}

static void on_connected(struct stream *stream, int err)
{
    struct channel *channel = stream->owner;
    if (err == 0) {
        err = stream_read_start(stream);
    }
    if (err == 0) {
        open_up(channel);
    } else {
        give_up(channel, true);
    }
}

static void on_closed(struct stream *stream)
{
    release(stream->owner);
}

static const struct stream_events plain_events = {
    .on_data = on_data,
    .on_end = on_end,
    .on_connected = on_connected,
    .on_closed = on_closed,
};

static void on_tls_ready(struct tls *tls)
{
    open_up(tls->owner);
}

static void on_tls_data(struct tls *tls, const uint8_t *data, size_t len)
{
    take_octets(tls->owner, data, len);
}

static void on_tls_end(struct tls *tls, int err)
{
    end(tls->owner, err);
}

static void on_tls_closed(struct tls *tls)
{
    release(tls->owner);
}

static const struct tls_events tls_events = {
    .on_ready = on_tls_ready,
    .on_data = on_tls_data,
    .on_end = on_tls_end,
    .on_closed = on_tls_closed,
};

static int init(struct channel *channel, const struct server *server)
{
    uv_loop_t *loop = channel->upstream->setup.loop;
    channel->encrypted = server->plan->url.transport == SERVER_TLS;
    return channel->encrypted ? tls_init(&channel->tls, loop, &tls_events, channel)
                              : stream_init(&channel->tls.stream, loop, &plain_events, channel);
}

static int start_connecting(struct channel *channel, struct server *server)
{
    const struct server_url *url = &server->plan->url;
    if (!channel->encrypted) {
        return stream_connect(&channel->tls.stream, &url->addr);
    }
    channel->peer = (struct tls_peer){
        .name = url->name[0] ? url->name : NULL,
        .pin = url->pinned ? url->pin : NULL,
        .session = &server->session,
    };
    return tls_connect(&channel->tls, &url->addr, channel->upstream->table.plan->tls,
                       &channel->peer);
}

static int new_channel(struct upstream *upstream, struct server *server,
                       struct channel **ret_channel)
{
    struct channel *channel = malloc(sizeof(*channel)); /* its buffer stays untouched */
    if (!channel) {
        return -ENOMEM;
    }
    memset(channel, 0, offsetof(struct channel, message));
    channel->upstream = upstream;
    int err = init(channel, server);
    if (err < 0) {
        free(channel);
        return err;
    }
    upstream->channels++;
    channel->server = server;
    channel->next = server->channels;
    server->channels = channel;
    err = start_connecting(channel, server);
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
        if (!at->tls.stream.peer_done && (!best || at->count < best->count)) {
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
        channel->later = true; /* one of the others may be this very flight's */
        give_up(channel, false);
        return err;
    }
    attempt->next = channel->attempts;
    channel->attempts = attempt;
    if (channel->count++ == 0) {
        stream_deadline(&channel->tls.stream, stall_ms(channel));
    }
    flight_add(flight, attempt);
    return 0;
}

static void note_ended(struct channel *channel, uint16_t id)
{
    channel->ended[channel->ended_next] = id;
    channel->ended_open |= UINT64_C(1) << channel->ended_next;
    channel->ended_next = (channel->ended_next + 1) % ENDED;
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
        note_ended(channel, attempt->mark.id);
    }
    free(attempt);
}

void channels_close(struct server *server)
{
    while (server->channels) {
        server->channels->later = true; /* not into a table that is being replaced */
        give_up(server->channels, false);
    }
}
