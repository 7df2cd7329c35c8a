// SPDX-License-Identifier: Apache-2.0
/* flight: one question on its way, with its attempts; inside upstream/ only. */
#pragma once
#include "base/hash.h"
#include "dns/join.h"
#include "upstream/attempt.h"

enum {
    FLIGHT_BUCKETS = 1024,
    FLIGHT_OPEN = 4,    /* attempts that may still be answered */
    FLIGHT_SOCKETS = 2, /* of them, unless several servers are asked at once */
    RANDOM_POOL = 512,
};

struct chase; /* upstream/chase.h */

struct flight {
    struct upstream *upstream;
    struct flight *next; /* same bucket */
    struct ask ask;
    uint64_t hash;
    struct upstream_waiter *waiters;
    struct chase *followers; /* other flights, whose aliases lead to this question */
    struct chase *chase;     /* what the alias of this one leads to, while that is asked */
    struct attempt *open[FLIGHT_OPEN]; /* newest first */
    uv_timer_t timer;
    uint64_t deadline_us;
    uint64_t allowed; /* servers that may be asked: bits */
    uint64_t tried;   /* of them in this turn */
    unsigned attempts;
    unsigned packets;
    unsigned packets_max; /* that many may be sent */
    unsigned circled;     /* waiters at the address of a server that may be asked */
    unsigned refused;     /* attempts that failed at once */
    bool claimed;         /* ours to give back */
    bool borrowed;        /* another worker asks */
    bool probe;           /* nobody asked: is the server there again? */
    bool use_tcp;         /* answers over UDP were cut, or the server breaks case */
    bool streamed;        /* the last attempt was over TCP or TLS */
    bool no_cookie;       /* an answer lacked the cookie that its server gives */
    bool new_cookie;      /* asked again because of a cookie */
    bool holding;         /* all failed; an answer may still come */
    bool damaged;         /* what came over a stream could not be read */
    bool repeated;        /* after that, and none came, one was asked once more */
    bool aliased;         /* answered by an alias, which is followed */
    int worst;            /* why it fails if it fails */
};

struct upstream {
    struct upstream_setup setup;
    struct hash_key key; /* of the claims, if there are any */
    struct server_table table;
    struct answer_limits limits;
    struct flight *buckets[FLIGHT_BUCKETS];
    unsigned flights;
    unsigned borrowed; /* of them wait for another worker */
    unsigned channels; /* connections, also those that close */
    uv_timer_t probe;
    unsigned licences; /* probes that questions have paid for, one each */
    uv_poll_t poll;    /* of epoll, which holds the UDP sockets: cheaper than a handle each */
    int epoll;
    bool receiving;            /* events of it are being looked at */
    struct udp_attempt *ended; /* to be freed after that */
    unsigned handles;          /* timer and poll, until they are closed */
    bool stopping;
    uint8_t random[RANDOM_POOL];
    size_t random_left;
    struct answer_room room;
    struct join_room joined;
    uint8_t receive[DNS_MESSAGE_MAX + 1];
};

/* len <= RANDOM_POOL octets of the pool. */
void upstream_random(struct upstream *upstream, void *out, size_t len);

/* Free it when it was stopped and nothing of it is left. */
void upstream_release(struct upstream *upstream);

/* Make it count; the oldest gives way. */
void flight_add(struct flight *flight, struct attempt *attempt);

/* Is this attempt open still, is one over UDP, is one that has brought nothing yet? */
bool flight_has_open(const struct flight *flight, const struct attempt *attempt);
bool flight_has_udp(const struct flight *flight);
bool flight_has_hope(const struct flight *flight);

/* The question begins to be asked. */
void flight_start(struct flight *flight);

/* A server is back: try at once. */
void flight_hurry(struct flight *flight);

/* A packet came for this attempt from the asked address; returns true when the
 * attempt is over (the flight may be gone). */
bool flight_receive(struct attempt *attempt, const struct packet *packet);

/* The attempt failed at once (refused, reset, unreachable); it is over. */
void flight_refused(struct attempt *attempt);

/* The connection was closed before the answer, as servers do; it is over. */
void flight_lost(struct attempt *attempt);

/* Close what is open: nothing that comes counts any more. */
void flight_end_attempts(struct flight *flight);

/* It is over: take it out of the table, close what is open, tell all who wait. */
void flight_finish(struct flight *flight, const struct upstream_result *result);

/* Ask what the alias of another flight leads to; `chase` is told that answer alone, so that
 * two that lead to each other never wait. -ENOBUFS, -ENOMEM: it is not told then. */
__attribute__((warn_unused_result)) int upstream_follow(struct upstream *upstream,
                                                        const struct ask *ask, struct chase *chase);

/* A server failed; once it is down it is probed. */
void upstream_note_failure(struct upstream *upstream, struct server *server);

/* A server that was down has answered. */
void upstream_recovered(struct upstream *upstream);
