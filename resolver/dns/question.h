// SPDX-License-Identifier: Apache-2.0
/* question: a client's query, read in place.
 *
 * Strict: what is not a well-formed query with exactly one question (RFC 9619) is
 * answered by a bare header, or not at all. */
#pragma once
#include "dns/device.h"
#include "dns/name.h"
#include "dns/rr.h"

/* Octets of a cookie that is ours: of the client 8, of the server 16 (RFC 9018). */
enum { QUESTION_COOKIE_CLIENT = 8, QUESTION_COOKIE = 24 };

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
    bool keepalive; /* the client, and later the reply, has the option */
    bool padded;    /* likewise */
    bool has_mac;   /* a forwarder says whose question it is; believe it only if it is trusted */
    uint8_t mac[DEVICE_MAC_LEN];
    uint8_t cookie_len;              /* 0: none came */
    uint8_t cookie[QUESTION_COOKIE]; /* client part, then what may be the server's */
};

enum question_outcome {
    QUESTION_OK,
    QUESTION_DROP,        /* too short, or a response: silence */
    QUESTION_FORMERR,     /* these two are answered by reply_bare(), */
    QUESTION_NOTIMP,      /* which reflects nothing but the id; this one with an OPT */
    QUESTION_REFUSED,     /* well-formed, but not for us: transfers, other classes */
    QUESTION_BADTYPE,     /* well-formed, but of a type that no data has */
    QUESTION_BADCOOKIE,   /* well-formed, but for the length of its cookie */
    QUESTION_BADVERS,     /* answered with an OPT (RFC 6891 section 6.1.3) */
    QUESTION_COOKIE_ONLY, /* no question, a cookie is asked for (RFC 7873 section 5.4) */
};

enum question_outcome question_parse(const uint8_t *packet, size_t len,
                                     struct question *ret_question);

/* Rebuild from the octets of a question section kept aside (they were valid once).
 * Sets name, type, class_code and wire_len only. -EBADMSG. */
__attribute__((warn_unused_result)) int question_reread(const uint8_t *wire, size_t len,
                                                        struct question *ret_question);
