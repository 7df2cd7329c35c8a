// SPDX-License-Identifier: Apache-2.0
/* alias: which name behind a CNAME is why a name is blocked, for explanations.
 *
 * Looks into the cache only: whoever was just blocked asked a moment ago. */
#pragma once
#include "query/query.h"

struct alias_look {
    const struct snapshot *snapshot;
    struct cache *cache;
    const struct clock *clock;
    const struct dname *name;
    uint16_t group;
};

/* True when a known answer to the name leads to a name that is blocked for the group;
 * *ret_target is that name. One thread only. */
bool alias_find_blocked(const struct alias_look *look, struct dname *ret_target);
