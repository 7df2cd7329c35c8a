// SPDX-License-Identifier: Apache-2.0
/* question: a client's query, read in place.
 *
 * Strict: what is not a well-formed query with exactly one question (RFC 9619) is
 * answered by a bare header, or not at all. */
#pragma once
#include "dns/name.h"
#include "dns/rr.h"

struct question {
    struct dname name; /* folded */
    uint16_t id;
    uint16_t flags; /* the header's second 16 bits */
    uint16_t type;
    uint16_t class_code;
    uint16_t wire_len; /* octets of the question section, at DNS_HEADER in the packet */
    uint16_t udp_size; /* the client's, at least 512; 512 without EDNS */
    bool edns;
    bool dnssec_ok;
};

enum question_outcome {
    QUESTION_OK,
    QUESTION_DROP,    /* too short, or a response: silence */
    QUESTION_FORMERR, /* these are answered by */
    QUESTION_NOTIMP,  /* reply_bare(), which reflects */
    QUESTION_REFUSED, /* nothing but the id */
    QUESTION_BADVERS, /* answered with an OPT (RFC 6891 section 6.1.3) */
};

enum question_outcome question_parse(const uint8_t *packet, size_t len,
                                     struct question *ret_question);

/* Rebuild from the octets of a question section kept aside (they were valid once).
 * Sets name, type, class_code and wire_len only. -EBADMSG. */
__attribute__((warn_unused_result)) int question_reread(const uint8_t *wire, size_t len,
                                                        struct question *ret_question);
