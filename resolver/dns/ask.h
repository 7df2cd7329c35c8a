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

/* One attempt: what makes an answer ours. */
struct ask_mark {
    uint16_t id;
    uint8_t name_len;
    uint8_t name[DNAME_WIRE_MAX]; /* as sent, with its case */
};

/* Write the query; `random` are bits for the id (first two octets) and the case of
 * each letter (the rest, 32 octets). */
void ask_write(const struct ask *ask, const uint8_t random[34], struct wire *out,
               struct ask_mark *ret_mark);

enum ask_match {
    ASK_OURS,      /* id, question and case agree, the header is sane */
    ASK_CASE,      /* all but the case agrees: the server folds, or a forger guessed the id */
    ASK_TRUNCATED, /* ours, with TC */
    ASK_FOREIGN,   /* drop it and go on waiting */
};

/* Judge a packet from the asked address by its header and question alone. */
enum ask_match ask_check(const struct ask *ask, const struct ask_mark *mark,
                         const struct packet *packet);
