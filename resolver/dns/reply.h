// SPDX-License-Identifier: Apache-2.0
/* reply: messages to clients, written from the client's own question.
 *
 * Every function leaves a whole message in `out`, or `out->full` set. */
#pragma once
#include "base/addr.h"
#include "base/wire.h"
#include "dns/question.h"

enum {
    REPLY_KEEPALIVE = 100, /* idle time that TCP clients are told, in 100 ms (RFC 7828) */
    REPLY_BLOCK = 468,     /* what answers are padded to (RFC 8467 section 4.1) */
};

struct reply_error {
    int code;         /* extended error, -1 = none */
    const char *text; /* may be NULL */
};

/* Twelve octets: id, QR, opcode, rcode; nothing of the query comes back. */
void reply_bare(struct wire *out, const struct question *question, uint8_t rcode);

/* Header and the question as the client wrote it; counts are 0 but QDCOUNT. */
void reply_begin(struct wire *out, const struct question *question, const uint8_t *packet,
                 uint8_t rcode);

/* One record owned by the question's name; counts it in the answer section. */
void reply_add(struct wire *out, uint16_t type, uint32_t ttl, const struct packet *data);

/* A SOA of our own in the authority section, owned by the question's name, so that
 * a negative answer is cached for ttl seconds (RFC 2308 section 3). */
void reply_add_soa(struct wire *out, uint32_t ttl);

/* The same for a zone that the question's name lies in: `skip` octets of it are below. */
void reply_add_zone_soa(struct wire *out, unsigned skip, uint32_t ttl);

/* What the apex of such a zone holds (RFC 6303 section 3), in the answer section. */
void reply_answer_soa(struct wire *out, uint32_t ttl);
void reply_add_ns(struct wire *out, const struct question *question, uint32_t ttl);

/* The OPT record, if the client sent one, with an extended error (RFC 8914) and the
 * cookie, keepalive and padding that `question` says the reply has. The upper bits of an
 * rcode over 15 go here. Nothing is written without EDNS. */
void reply_end(struct wire *out, const struct question *question, uint16_t rcode,
               const struct reply_error *error);

/* When it is longer than the client takes over UDP: without the extended error
 * (RFC 8914 section 3), else cut to header and question (RFC 2181 section 9); with TC. */
void reply_fit_udp(struct wire *out, const struct question *question);
