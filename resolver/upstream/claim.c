// SPDX-License-Identifier: Apache-2.0
#include "upstream/claim.h"

#include <stdatomic.h>
#include <stdlib.h>

/* A slot is 0, or the hash without its two lowest bits, HELD, and AWAITED. */
enum { SLOTS = 4096, HELD = 1, AWAITED = 2, MARKS = 3 };

struct claim_table {
    struct hash_key key;
    _Atomic unsigned workers;
    uv_async_t *wakes[CLAIM_WORKERS_MAX];
    _Atomic uint64_t slots[SLOTS];
};

struct claim_table *claim_table_new(void)
{
    struct claim_table *table = calloc(1, sizeof(*table));
    if (table) {
        hash_key_random(&table->key);
    }
    return table;
}

void claim_table_free(struct claim_table *table)
{
    free(table);
}

const struct hash_key *claim_table_key(const struct claim_table *table)
{
    return &table->key;
}

void claim_table_join(struct claim_table *table, uv_async_t *wake)
{
    unsigned at = atomic_load(&table->workers);
    if (at < CLAIM_WORKERS_MAX) {
        table->wakes[at] = wake;
        atomic_store(&table->workers, at + 1);
    }
}

static _Atomic uint64_t *slot_of(const struct claim_table *table, uint64_t hash)
{
    return (_Atomic uint64_t *)&table->slots[(hash >> 2) % SLOTS];
}

static uint64_t held(uint64_t hash)
{
    return (hash & ~(uint64_t)MARKS) | HELD;
}

/* Mark a claim that stands as awaited; false when it does not stand. */
static bool mark_awaited(_Atomic uint64_t *slot, uint64_t hash)
{
    uint64_t now = atomic_load(slot);
    while ((now & ~(uint64_t)AWAITED) == held(hash)) {
        if (atomic_compare_exchange_weak(slot, &now, now | AWAITED)) {
            return true;
        }
    }
    return false;
}

enum claim_result claim_take(struct claim_table *table, uint64_t hash)
{
    _Atomic uint64_t *slot = slot_of(table, hash);
    uint64_t now = 0;
    if (atomic_compare_exchange_strong(slot, &now, held(hash))) {
        return CLAIM_MINE;
    }
    /* If it was given back meanwhile, the answer may be in the cache by now, but asking
     * is right too. */
    return mark_awaited(slot, hash) ? CLAIM_OTHERS : CLAIM_NOWHERE;
}

void claim_give_back(struct claim_table *table, uint64_t hash)
{
    uint64_t was = atomic_exchange(slot_of(table, hash), 0);
    unsigned workers = atomic_load(&table->workers);
    for (unsigned i = 0; (was & AWAITED) && i < workers; i++) {
        uv_async_send(table->wakes[i]);
    }
}

bool claim_wait_on(struct claim_table *table, uint64_t hash)
{
    return mark_awaited(slot_of(table, hash), hash);
}
