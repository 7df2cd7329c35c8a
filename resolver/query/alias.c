// SPDX-License-Identifier: Apache-2.0
#include "query/alias.h"

#include <errno.h>

#include "dns/addresses.h"
#include "query/inspect.h"

enum { EXPIRED_TOO_S = 86400 }; /* what blocked a minute ago may have expired since */

struct search {
    const struct alias_look *look;
    struct blockdb_probe probe;
    struct lead *lead;
    struct addr first; /* address that any answer holds; family 0 = none */
};

static int stop_at_blocked(void *context, const struct dname *target)
{
    const struct search *search = context;
    const struct alias_look *look = search->look;
    const struct subject asked = {look->name, &search->probe, look->group};
    struct verdict verdict;
    if (!inspect_blocks(look->snapshot, &asked, target, &verdict)) {
        return 0;
    }
    search->lead->target = *target;
    return -EEXIST;
}

static int stop_at_blocked_address(void *context, const struct addr *addr)
{
    struct search *search = context;
    const struct alias_look *look = search->look;
    const struct subject asked = {look->name, &search->probe, look->group};
    struct verdict verdict;
    search->first = search->first.family ? search->first : *addr;
    if (!inspect_blocks_address(look->snapshot, &asked, addr, &verdict)) {
        return 0;
    }
    search->lead->addr = *addr;
    return -EEXIST;
}

bool alias_find_blocked(const struct alias_look *look, struct lead *ret_lead)
{
    static const uint16_t types[] = {TYPE_A, TYPE_AAAA, TYPE_HTTPS};
    static uint8_t room[QUERY_ROOM];
    uint32_t now_s = (uint32_t)(clock_mono_us(look->clock) / 1000000);
    struct search search = {.look = look, .lead = ret_lead};
    *ret_lead = (struct lead){.addr = {.family = 0}};
    snapshot_probe(look->snapshot, look->name, &search.probe);
    for (size_t i = 0; i < 4 * sizeof(types) / sizeof(types[0]); i++) {
        const struct cache_key key = {look->name, types[i / 4], i & 1, i & 2};
        const struct cache_want want = {room, sizeof(room), now_s, EXPIRED_TOO_S};
        struct cache_copy copy;
        if (cache_get(look->cache, &key, &want, &copy) &&
            (answer_walk_targets(room, copy.len, stop_at_blocked, &search) == -EEXIST ||
             addresses_walk(room, copy.len, stop_at_blocked_address, &search) == -EEXIST)) {
            return true;
        }
    }
    ret_lead->addr = search.first;
    return false;
}
