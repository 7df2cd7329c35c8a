// SPDX-License-Identifier: Apache-2.0
/* alias: which name or address of its answer is why a name is blocked, for explanations.
 *
 * Looks into the cache only: whoever was just blocked asked a moment ago. */
#pragma once
#include "policy/explain.h"
#include "query/query.h"

struct alias_look {
    const struct snapshot *snapshot;
    struct cache *cache;
    const struct clock *clock;
    const struct dname *name;
    uint16_t group;
};

/* True when a known answer to the name leads to what is blocked for the group: a name
 * or address. Else ret_lead->addr is the first address that a known answer holds, family 0 for
 * none. One thread only. */
bool alias_find_blocked(const struct alias_look *look, struct lead *ret_lead);
