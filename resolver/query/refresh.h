// SPDX-License-Identifier: Apache-2.0
/* refresh: answers that are asked for often are asked anew shortly before they expire,
 * so that nobody waits for them. No client's query: nothing is counted or sent. */
#pragma once
#include "query/query.h"

enum {
    REFRESHES_MAX = 32,     /* in flight per worker */
    REFRESH_LAST_PART = 10, /* in the last tenth of the TTL */
    REFRESH_ASKED = 2,      /* and asked again so many times since it was written */
};

struct refresh;

/* A pool for the worker; NULL without memory. */
struct refresh *refresh_pool_new(struct query_worker *worker);

/* Does the cached answer that the query got deserve it? */
static inline bool refresh_is_due(const struct query *query)
{
    const struct cache_copy *copy = &query->copy;
    return (uint64_t)copy->left_s * REFRESH_LAST_PART <= copy->ttl_s && copy->left_s > 0 &&
           copy->hits + 1 >= REFRESH_ASKED && !copy->refreshing;
}

/* Ask the upstream for it, unless too many are on their way. */
void refresh_start(const struct query *query);
