// SPDX-License-Identifier: Apache-2.0
#include "dns/chain.h"

#include <errno.h>

/* The CNAMEs of an answer: where their names stand in the packet. */
struct aliases {
    const struct packet *packet;
    size_t owner[CHAIN_ALIASES_MAX];
    size_t target[CHAIN_ALIASES_MAX];
    unsigned count;
};

int chain_find(const struct chain *chain, const struct dname *name)
{
    for (unsigned i = 0; i < chain->count; i++) {
        if (dname_equal(&chain->name[i], name)) {
            return (int)i;
        }
    }
    return -1;
}

int chain_find_below(const struct chain *chain, const struct dname *owner)
{
    for (unsigned i = 0; i < chain->count; i++) {
        if (dname_is_below(&chain->name[i], owner)) {
            return (int)i;
        }
    }
    return -1;
}

static int add_alias(struct aliases *aliases, const struct rr *rr)
{
    struct dname target;
    size_t at = rr->rdata;
    if (aliases->count == CHAIN_ALIASES_MAX ||
        dname_read(aliases->packet->data, rr->end, &at, &target) < 0 || at != rr->end) {
        return -EBADMSG;
    }
    aliases->owner[aliases->count] = rr->owner;
    aliases->target[aliases->count++] = rr->rdata;
    return 0;
}

static int find_aliases(struct aliases *aliases, size_t pos, unsigned records)
{
    const struct packet *packet = aliases->packet;
    for (unsigned i = 0; i < records; i++) {
        struct rr rr;
        if (rr_read(packet->data, packet->len, &pos, &rr) < 0) {
            return -EBADMSG;
        }
        if (rr.type == TYPE_CNAME && rr.class_code == CLASS_IN && add_alias(aliases, &rr) < 0) {
            return -EBADMSG;
        }
    }
    return 0;
}

static int read_name(const struct packet *packet, size_t pos, struct dname *name)
{
    return dname_read(packet->data, packet->len, &pos, name);
}

/* One pass over the aliases that follows those of names already in the chain. Returns
 * how many links were added, or -EBADMSG. */
static int extend(struct chain *chain, const struct aliases *aliases)
{
    unsigned before = chain->count;
    for (unsigned i = 0; i < aliases->count; i++) {
        struct dname owner, target;
        if (read_name(aliases->packet, aliases->owner[i], &owner) < 0 ||
            read_name(aliases->packet, aliases->target[i], &target) < 0) {
            return -EBADMSG;
        }
        int from = chain_find(chain, &owner), to = chain_find(chain, &target);
        if (from < 0 || to > from) {
            continue;
        }
        if (to >= 0 || chain->count > CHAIN_LINKS_MAX) {
            return -EBADMSG; /* a circle, or no end in sight */
        }
        chain->name[chain->count] = target;
        chain->offset[chain->count++] = 0;
    }
    return (int)(chain->count - before);
}

int chain_follow(struct chain *chain, const struct packet *packet, size_t pos, unsigned records)
{
    struct aliases aliases = {.packet = packet};
    int added = find_aliases(&aliases, pos, records);
    if (added < 0) {
        return -EBADMSG;
    }
    do {
        added = extend(chain, &aliases);
    } while (added > 0);
    return added;
}
