// SPDX-License-Identifier: Apache-2.0
/* waiting: what is kept of a query while an upstream is asked. */
#pragma once
#include "query/query.h"

struct waiting {
    struct upstream_waiter waiter;
    struct query_worker *worker;
    struct query_channel *channel;
    struct waiting *next_free;
    uint64_t started_us;
    struct addr client, local;
    uint16_t id, flags, udp_size;
    uint16_t question_len;
    bool edns, dnssec_ok, keepalive, padded;
    uint8_t cookie_len, cookie[QUESTION_COOKIE]; /* as the reply has it */
    uint8_t question[DNAME_WIRE_MAX + 4];        /* as the client wrote it */
};

_Static_assert(sizeof(struct waiting) <= 768, "thousands of these may wait");

/* Put a query aside; NULL when the pool is empty. Its channel is held. */
struct waiting *waiting_take(const struct query *query);

/* Set up the slot again from the record, which is given back; the packet is rebuilt in
 * `packet` (DNS_HEADER + question octets). */
void waiting_restore(struct waiting *waiting, struct query *query,
                     uint8_t packet[DNS_HEADER + DNAME_WIRE_MAX + 4]);

/* Give the record back without a query: it could not be sent. */
void waiting_drop(struct waiting *waiting);
