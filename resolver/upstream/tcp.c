// SPDX-License-Identifier: Apache-2.0
#include "upstream/flight.h"

#include <errno.h>
#include <stdlib.h>

#include "base/wire.h"

enum { QUERY_MAX = 2 + DNS_HEADER + DNAME_WIRE_MAX + 4 + 11 };

struct tcp_attempt {
    struct attempt attempt;
    struct stream stream;
    size_t got;
    uint8_t message[2 + DNS_MESSAGE_MAX]; /* length and message (RFC 1035 section 4.2.2) */
};

static void on_closed(struct stream *stream)
{
    free(stream->owner);
}

void tcp_attempt_end(struct tcp_attempt *tcp)
{
    tcp->attempt.flight = NULL;
    stream_close(&tcp->stream);
}

static void on_end(struct stream *stream, int err)
{
    struct tcp_attempt *tcp = stream->owner;
    if (tcp->attempt.flight) {
        flight_refused(&tcp->attempt, err < 0 ? err : -ECONNRESET);
    } else {
        stream_close(stream);
    }
}

static void on_data(struct stream *stream, const uint8_t *data, size_t len)
{
    struct tcp_attempt *tcp = stream->owner;
    while (len > 0 && tcp->attempt.flight) {
        size_t want = tcp->got < 2 ? 2 : 2 + (size_t)load_u16(tcp->message);
        size_t take = want - tcp->got < len ? want - tcp->got : len;
        memcpy(tcp->message + tcp->got, data, take);
        tcp->got += take;
        data += take;
        len -= take;
        if (tcp->got >= 2 && tcp->got == 2 + (size_t)load_u16(tcp->message)) {
            struct packet packet = {tcp->message + 2, tcp->got - 2};
            tcp->got = 0;
            if (flight_receive(&tcp->attempt, &packet, true)) {
                return;
            }
        }
    }
}

static void on_connected(struct stream *stream, int err)
{
    struct tcp_attempt *tcp = stream->owner;
    struct flight *flight = tcp->attempt.flight;
    uint8_t octets[QUERY_MAX];
    uint8_t random[34];
    struct wire out;
    if (!flight) {
        return;
    }
    if (err == 0) {
        upstream_random(flight->upstream, random, sizeof(random));
        wire_init(&out, octets, sizeof(octets));
        wire_put_u16(&out, 0);
        struct wire query;
        wire_init(&query, octets + 2, sizeof(octets) - 2);
        ask_write(&flight->ask, random, &query, &tcp->attempt.mark);
        wire_patch_u16(&out, 0, (uint16_t)query.len);
        uv_buf_t part = uv_buf_init((char *)octets, (unsigned)query.len + 2);
        err = stream_write(stream, &part, 1);
    }
    if (err == 0) {
        err = stream_read_start(stream);
    }
    if (err < 0) {
        flight_refused(&tcp->attempt, err);
    }
}

static const struct stream_events events = {
    .on_data = on_data,
    .on_end = on_end,
    .on_connected = on_connected,
    .on_closed = on_closed,
};

int tcp_attempt_start(struct flight *flight, int server)
{
    struct upstream *upstream = flight->upstream;
    struct tcp_attempt *tcp = malloc(sizeof(*tcp));
    if (!tcp) {
        return -ENOMEM;
    }
    tcp->got = 0;
    tcp->attempt = (struct attempt){.flight = flight,
                                    .server = server,
                                    .addr = upstream->table.servers[server].addr,
                                    .sent_us = clock_mono_us(upstream->setup.clock)};
    int err = stream_init(&tcp->stream, upstream->setup.loop, &events, tcp);
    if (err < 0) {
        free(tcp);
        return err;
    }
    if (flight->tcp) {
        tcp_attempt_end(flight->tcp);
    }
    flight->tcp = tcp;
    flight->packets++;
    err = stream_connect(&tcp->stream, &tcp->attempt.addr);
    if (err < 0) {
        flight->tcp = NULL;
        tcp_attempt_end(tcp);
    }
    return err;
}
