// SPDX-License-Identifier: Apache-2.0
/* waiting: what is kept of a query while an upstream is asked. */
#pragma once
#include "query/query.h"

struct waiting {
    struct upstream_waiter waiter;
    struct query_worker *worker;
    struct query_channel *channel;
    struct waiting *next_free;
    struct waiting *sooner, *later; /* of those that stale data may be sent for */
    uint64_t started_us;
    struct addr client, local;
    uint16_t id, flags, udp_size;
    uint16_t question_len;
    uint16_t slots[2]; /* counters of its address and network, WAITING_CLIENTS = none */
    bool watched;      /* it stands in that row */
    bool answered;     /* with stale data; only the exchange goes on */
    bool edns, dnssec_ok, keepalive, padded, aliased, has_mac;
    uint8_t mac[DEVICE_MAC_LEN];
    uint8_t cookie_len, cookie[QUESTION_COOKIE]; /* as the reply has it */
    uint8_t question[DNAME_WIRE_MAX + 4];        /* as the client wrote it */
};

_Static_assert(sizeof(struct waiting) <= 768, "thousands of these may wait");

/* Put a query aside; its channel is held. NULL when the pool is empty, the client has
 * too many there already, or the worker is behind: *ret_why says which. */
struct waiting *waiting_take(const struct query *query, enum query_drop *ret_why);

/* Set up the slot again from the record; the packet is rebuilt in `packet` (DNS_HEADER
 * + question octets). */
void waiting_restore(struct waiting *waiting, struct query *query,
                     uint8_t packet[DNS_HEADER + DNAME_WIRE_MAX + 4]);

/* Its query has been sent an answer, though the exchange goes on. */
void waiting_answered(struct waiting *waiting);

/* The exchange is over: give the record back. */
void waiting_end(struct waiting *waiting);

/* Stale data is at hand: put it last in the row of those that may wait no longer than
 * STALE_AFTER_MS; leave it again. */
enum { STALE_AFTER_MS = 1800 }; /* RFC 8767 section 5, client response timer */
void waiting_watch(struct waiting *waiting);
void waiting_unwatch(struct waiting *waiting);

/* Give the record back without a query: it could not be sent. */
void waiting_drop(struct waiting *waiting);
