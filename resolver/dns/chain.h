// SPDX-License-Identifier: Apache-2.0
/* chain: the names that the CNAMEs of an answer lead to, from the question's on.
 *
 * Names are read from the packet again and again, each of them up to 127 labels: only the
 * limits below keep that short. */
#pragma once
#include "dns/rr.h"

enum {
    CHAIN_LINKS_MAX = 16,
    CHAIN_ALIASES_MAX = 64, /* CNAMEs of an answer, also those that nothing leads to */
};

/* Each name with the offset at which it stands in the new message, for compression. */
struct chain {
    struct dname name[CHAIN_LINKS_MAX + 1];
    uint16_t offset[CHAIN_LINKS_MAX + 1]; /* 0: not written yet */
    unsigned count;
};

/* The name's place, or -1. */
int chain_find(const struct chain *chain, const struct dname *name);

/* The first name of the chain at or below that one, or -1. */
int chain_find_below(const struct chain *chain, const struct dname *owner);

/* Follow the CNAMEs among so many records at pos, in whatever order they stand. -EBADMSG: a
 * damaged record, a circle, too many links or aliases. */
__attribute__((warn_unused_result)) int
chain_follow(struct chain *chain, const struct packet *packet, size_t pos, unsigned records);
