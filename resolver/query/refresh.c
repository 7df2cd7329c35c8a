// SPDX-License-Identifier: Apache-2.0
#include "query/refresh.h"

#include <stdlib.h>

struct refresh {
    struct upstream_waiter waiter; /* first: a waiter is its refresh */
    struct query_worker *worker;
    struct refresh *next_free;
};

static void give_back(struct refresh *refresh)
{
    refresh->next_free = refresh->worker->refresh_free;
    refresh->worker->refresh_free = refresh;
}

/* The answer is in the cache by now. Without one the old entry ends with its TTL. */
static void on_done(struct upstream_waiter *waiter, const struct upstream_result *result)
{
    (void)result;
    give_back((struct refresh *)waiter);
}

struct refresh *refresh_pool_new(struct query_worker *worker)
{
    struct refresh *pool = calloc(REFRESHES_MAX, sizeof(*pool));
    for (unsigned i = 0; pool && i < REFRESHES_MAX; i++) {
        pool[i].worker = worker;
        pool[i].waiter.done = on_done;
        give_back(&pool[i]);
    }
    return pool;
}

void refresh_start(const struct query *query)
{
    struct query_worker *worker = query->worker;
    struct refresh *refresh = worker->refresh_free;
    if (!refresh) {
        return;
    }
    const struct ask what = {
        .name = query->question.name,
        .type = query->question.type,
        .dnssec_ok = query->question.dnssec_ok,
        .checking_disabled = query->question.flags & FLAG_CD,
    };
    worker->refresh_free = refresh->next_free;
    cache_mark_refresh(worker->cache, &query->copy);
    if (worker->ask(worker->ask_context, &what, &refresh->waiter) < 0) {
        give_back(refresh);
    }
}
