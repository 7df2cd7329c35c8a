// SPDX-License-Identifier: Apache-2.0
/* claim: which worker asks which question, so that all workers together ask it once.
 *
 * A small table of atomics shared by the workers. It holds no answers: whoever finds a
 * question claimed by another waits to be woken and then looks into the cache. */
#pragma once
#include "base/hash.h"

#include <stdbool.h>
#include <uv.h>

enum { CLAIM_WORKERS_MAX = 64 };

struct claim_table;

/* NULL without memory. */
struct claim_table *claim_table_new(void);
void claim_table_free(struct claim_table *table);

/* The key under which workers hash questions alike. */
const struct hash_key *claim_table_key(const struct claim_table *table);

/* Wake this handle when a question that others wait for has been answered. Before the
 * worker starts. */
void claim_table_join(struct claim_table *table, uv_async_t *wake);

enum claim_result {
    CLAIM_MINE,    /* ask, and give it back */
    CLAIM_OTHERS,  /* another worker asks; we shall be woken */
    CLAIM_NOWHERE, /* the place is taken by another question: ask without a claim */
};
enum claim_result claim_take(struct claim_table *table, uint64_t hash);

/* Give back a claim that is ours; wakes all workers if anybody waits for it. */
void claim_give_back(struct claim_table *table, uint64_t hash);

/* Is the question still claimed, by whomever? If so, we shall be woken when it is given
 * back: a claim that changed hands meanwhile has forgotten who waits. */
bool claim_wait_on(struct claim_table *table, uint64_t hash);
