// SPDX-License-Identifier: Apache-2.0
/* attempt: a question sent to one server over one transport; inside upstream/ only. */
#pragma once
#include "upstream/server.h"

struct flight;
struct channel;
struct udp_attempt;

/* What is known of an attempt over either transport. */
struct attempt {
    struct flight *flight;   /* NULL once it no longer counts */
    struct attempt *next;    /* on the same channel */
    struct channel *channel; /* TCP and TLS: while it lives */
    bool stream;             /* over TCP or TLS */
    int server;              /* index in the table at the time */
    uint32_t serial;         /* the server's */
    uint64_t sent_us;
    struct ask_mark mark;
    bool cookied;                      /* a cookie was sent, */
    uint8_t cookie[ASK_COOKIE_CLIENT]; /* of which this is our part */
    bool blamed;                       /* its silence was counted */
    bool reacted; /* it brought an answer that was of no use: only a good one counts now */
    bool strange; /* over UDP it brought what does not belong to it */
};

/* Prepare an attempt and write its query behind what is in `out`. */
void attempt_prepare(struct attempt *attempt, struct flight *flight, int server);
void attempt_write(struct attempt *attempt, struct wire *out);

/* Prepare for UDP, and end that when no attempt is left. */
__attribute__((warn_unused_result)) int udp_open(struct upstream *upstream);
void udp_close(struct upstream *upstream);

/* Start an attempt; negative errno when nothing was sent. */
__attribute__((warn_unused_result)) int udp_attempt_start(struct flight *flight, int server);
__attribute__((warn_unused_result)) int channel_attempt_start(struct flight *flight, int server);

/* Stop counting and close. */
void udp_attempt_end(struct attempt *attempt);
void channel_attempt_end(struct attempt *attempt);

/* Close the connections to a server, as if it had done so. */
void channels_close(struct server *server);

/* The server of an attempt, if the table still holds it. */
struct server *attempt_server(const struct attempt *attempt);

/* Take it out of those that count, and end it. */
void attempt_remove(struct attempt *attempt);
