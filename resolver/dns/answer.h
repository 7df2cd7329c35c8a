// SPDX-License-Identifier: Apache-2.0
/* answer: what of an upstream message may be kept and passed on.
 *
 * The message is written anew: the records on the CNAME and DNAME chain from the
 * question's name, of the asked type; for a negative answer the SOA; with DO the
 * signatures and denials. Nothing else of authority and additional survives
 * (RFC 2181 section 5.4.1, RFC 5452 section 6). */
#pragma once
#include "base/wire.h"
#include "dns/ask.h"
#include "dns/rrsets.h"

enum {
    ANSWER_RECORDS_MAX = RRSETS_RECORDS_MAX,
};

/* An answer in the form the cache holds: id 0, question folded, TTLs absolute from
 * the moment of arrival. */
struct answer {
    uint8_t *wire; /* a whole message without OPT */
    size_t len;
    uint16_t *ttl_at; /* offsets of the TTL fields in wire */
    size_t ttl_count;
    uint32_t ttl; /* seconds it may be kept, 0 = not at all */
    uint8_t rcode;
    bool negative; /* NXDOMAIN or no record of the type */
    bool referral; /* it says no more than whom to ask: not for us, who follow none */
    bool open;     /* its aliases end in a name of which it says nothing */
    uint8_t links; /* aliases from the question's name to the last one */
    uint16_t told; /* records of the answer section before those of the last name */
    uint16_t last; /* offset of the last name, where the alias tells it */
};

/* Room for the largest answer; owned by the caller and used again and again. */
struct answer_room {
    uint8_t wire[DNS_MESSAGE_MAX + 1];
    uint16_t ttl_at[ANSWER_RECORDS_MAX];
    uint8_t step_of[ANSWER_RECORDS_MAX]; /* scratch: the place in the chain of each record */
};

struct answer_limits {
    uint32_t ttl_min, ttl_max, negative_max;
    bool keep_ad; /* the upstream was asked over a path that we trust */
};

/* A message as it came, and the question that it answers. */
struct answer_source {
    const struct ask *ask;
    struct packet packet;
    struct answer_limits limits;
};

/* Rewrite a message that ask_check() accepted. -EBADMSG when any record is damaged, the
 * chain is too long, the records of the answer are too many, or it answers for other names
 * alone: the packet is to be treated as if it had not come. */
__attribute__((warn_unused_result)) int answer_rebuild(const struct answer_source *source,
                                                       struct answer_room *room,
                                                       struct answer *ret_answer);

/* Take age off the TTLs of a copied answer, down to 0. */
void answer_age(uint8_t *wire, const uint16_t *ttl_at, size_t count, uint32_t age);

/* Set every TTL. */
void answer_set_ttl(uint8_t *wire, const uint16_t *ttl_at, size_t count, uint32_t ttl);

/* Lower every TTL to at most `most`. */
void answer_cap_ttl(uint8_t *wire, const uint16_t *ttl_at, size_t count, uint32_t most);

/* Call `visit` with each target of CNAME, DNAME, SVCB or HTTPS of a rebuilt answer, folded; a
 * negative return ends the walk and is returned. */
typedef int (*answer_visit)(void *context, const struct dname *target);
int answer_walk_targets(const uint8_t *wire, size_t len, answer_visit visit, void *context);
