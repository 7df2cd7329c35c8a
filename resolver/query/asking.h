// SPDX-License-Identifier: Apache-2.0
/* asking: the stages that find an answer, in the cache or at an upstream, and how a query
 * goes on that had to wait for one. */
#pragma once
#include "query/asker.h"
#include "query/stage.h"

/* Where the answer to what is sought has its place in the cache. */
struct cache_key asking_key(const struct query *query);

enum step asking_recall(struct query *query);
enum step asking_ask(struct query *query);

/* An upstream's answer or failure, for one query that waits for it. */
void asking_on_answer(struct upstream_waiter *waiter, const struct upstream_result *result);

/* Room for WAITING_MAX queries that wait; freed with free(). NULL without memory. */
struct waiting *asking_pool_new(void);
