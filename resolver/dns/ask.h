// SPDX-License-Identifier: Apache-2.0
/* ask: the query that we send upstream, and how we know its answer.
 *
 * Built from the question alone, never copied from a client's packet: a random id,
 * random case (draft-vixie-dnsext-dns0x20) and our own EDNS. */
#pragma once
#include "base/wire.h"
#include "dns/rr.h"

struct ask {
    struct dname name; /* folded */
    uint16_t type;
    bool dnssec_ok; /* DO and CD of the client: answers differ by them */
    bool checking_disabled;
    bool plain; /* without EDNS, for servers that do not know it; not part of the question */
};

enum {
    ASK_COOKIE_CLIENT = 8,
    ASK_COOKIE_MAX = 40, /* RFC 7873 section 4: ours and up to 32 octets of the server's */
    ASK_RANDOM = 34,
    ASK_PAD = 128,     /* RFC 8467 section 4.1 */
    ASK_WIRE_MAX = 384 /* the longest query, padded */
};

/* What goes with one attempt, beside the question. */
struct ask_extras {
    uint8_t random[ASK_RANDOM]; /* the id (two octets) and the case of each letter */
    uint8_t cookie_len;         /* 0 = none */
    uint8_t cookie[ASK_COOKIE_MAX];
    bool pad; /* the way is encrypted: to a multiple of ASK_PAD octets */
};

/* One attempt: what makes an answer ours. */
struct ask_mark {
    uint16_t id;
    uint8_t name_len;
    uint8_t name[DNAME_WIRE_MAX]; /* as sent, with its case */
};

/* Write the query, at most ASK_WIRE_MAX octets. */
void ask_write(const struct ask *ask, const struct ask_extras *extras, struct wire *out,
               struct ask_mark *ret_mark);

enum ask_match {
    ASK_OURS,      /* id, question and case agree, the header is sane */
    ASK_CASE,      /* all but the case agrees: the server folds, or a forger guessed the id */
    ASK_TRUNCATED, /* ours, with TC */
    ASK_BARE,      /* a header alone that says FORMERR or NOTIMP: no EDNS, it seems */
    ASK_FOREIGN,   /* drop it and go on waiting */
};

/* Judge a packet from the asked address by its header and question alone. */
enum ask_match ask_check(const struct ask *ask, const struct ask_mark *mark,
                         const struct packet *packet);

/* What the OPT record of an answer says. */
struct ask_verdict {
    uint16_t rcode; /* with the extended bits */
    uint8_t cookie_len;
    uint8_t cookie[ASK_COOKIE_MAX];
};

/* Walk a packet that ask_check() accepted. -EBADMSG: a record is damaged, octets are
 * left over, or OPT stands where or as often as it must not (RFC 6891 section 6.1.1). */
__attribute__((warn_unused_result)) int ask_read_verdict(const struct ask *ask,
                                                         const struct packet *packet,
                                                         struct ask_verdict *ret_verdict);
