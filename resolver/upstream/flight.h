// SPDX-License-Identifier: Apache-2.0
/* flight: one question on its way, with its attempts; inside upstream/ only. */
#pragma once
#include "base/hash.h"
#include "net/stream.h"
#include "upstream/server.h"

enum {
    FLIGHT_BUCKETS = 1024,
    FLIGHT_SOCKETS = 2, /* UDP attempts that may still be answered */
    RANDOM_POOL = 512,
};

struct flight;

/* What an attempt over either transport tells its flight. */
struct attempt {
    struct flight *flight; /* NULL once it no longer counts */
    int server;            /* index in the table at the time */
    struct addr addr;
    uint64_t sent_us;
    struct ask_mark mark;
};

struct udp_attempt;
struct tcp_attempt;

struct flight {
    struct upstream *upstream;
    struct flight *next; /* same bucket */
    struct ask ask;
    uint64_t hash;
    struct upstream_waiter *waiters;
    struct udp_attempt *udp[FLIGHT_SOCKETS]; /* newest first */
    struct tcp_attempt *tcp;
    uv_timer_t timer;
    uint64_t deadline_us;
    unsigned attempts;
    uint32_t tried; /* bit i: server i was asked in this turn */
    unsigned packets;
    unsigned refused; /* attempts that failed at once */
    unsigned said_no; /* servers that answered SERVFAIL, REFUSED or the like */
    int last_server;  /* of the newest attempt */
    struct addr last_addr;
    bool claimed;  /* ours to give back */
    bool borrowed; /* another worker asks */
    bool use_tcp;  /* answers over UDP were cut, or the server breaks case */
    int worst;     /* why it fails if it fails */
};

struct upstream {
    struct upstream_setup setup;
    struct hash_key key; /* of the claims, if there are any */
    struct server_table table;
    struct answer_limits limits;
    struct flight *buckets[FLIGHT_BUCKETS];
    unsigned flights;
    unsigned borrowed; /* of them wait for another worker */
    bool stopping;
    uint8_t random[RANDOM_POOL];
    size_t random_left;
    struct answer_room room;
    uint8_t receive[DNS_MESSAGE_MAX + 1];
};

/* len <= RANDOM_POOL octets of the pool. */
void upstream_random(struct upstream *upstream, void *out, size_t len);

/* Start an attempt; negative errno when nothing was sent. */
__attribute__((warn_unused_result)) int udp_attempt_start(struct flight *flight, int server);
__attribute__((warn_unused_result)) int tcp_attempt_start(struct flight *flight, int server);

/* Stop counting and close. */
void udp_attempt_end(struct udp_attempt *attempt);
void tcp_attempt_end(struct tcp_attempt *attempt);

/* A packet came for this attempt from the asked address; returns true when the
 * attempt is over (the flight may be gone). */
bool flight_receive(struct attempt *attempt, const struct packet *packet, bool over_tcp);

/* The attempt failed at once (refused, reset, unreachable). */
void flight_refused(struct attempt *attempt, int err);
