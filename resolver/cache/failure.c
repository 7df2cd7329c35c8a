// SPDX-License-Identifier: Apache-2.0
#include "cache/failure.h"

#include <errno.h>
#include <stddef.h>

/* A slot: 32 bits of the hash, until when (seconds, 20 bits), the step of the back-off
 * (3), the kind of failure (3), the epoch (6). 0 is empty. */
enum {
    UNTIL_MASK = 0xfffff,
    KINDS = 3,
    EPOCH_MASK = 0x3f,
    REPEATED_S = 60, /* failing again within that time is one row of failures */
    OUTAGE_S = 2,    /* without any answer, while questions fail */
    YOUNG_S = 2,     /* in whole seconds: it is at least one second old then */
};

static const uint8_t durations_s[] = {1, 2, 4, 8, 16, FAILURE_S_MAX};
static const int kinds[KINDS] = {-ETIMEDOUT, -EHOSTUNREACH, -EREMOTEIO};

struct failure {
    uint32_t until_s;
    unsigned step, kind, epoch;
};

static struct failure unpack(uint64_t slot)
{
    return (struct failure){slot >> 12 & UNTIL_MASK, slot >> 9 & 7, slot >> 6 & 7,
                            slot & EPOCH_MASK};
}

static uint64_t pack(uint64_t hash, const struct failure *failure)
{
    return (hash & ~(uint64_t)UINT32_MAX) | (uint64_t)(failure->until_s & UNTIL_MASK) << 12 |
           (uint64_t)failure->step << 9 | (uint64_t)failure->kind << 6 |
           (failure->epoch & EPOCH_MASK);
}

/* Seconds that are left, 0 when over; the clock's 20 bits wrap after twelve days. */
static uint32_t left_s(const struct failure *failure, uint32_t now_s)
{
    uint32_t left = (failure->until_s - now_s) & UNTIL_MASK;
    return left <= FAILURE_S_MAX ? left : 0;
}

static _Atomic uint64_t *set_of(struct failure_table *table, uint64_t hash)
{
    return &table->slots[(hash % FAILURE_SETS) * FAILURE_WAYS];
}

static _Atomic uint64_t *find(struct failure_table *table, uint64_t hash)
{
    _Atomic uint64_t *set = set_of(table, hash);
    for (unsigned way = 0; way < FAILURE_WAYS; way++) {
        uint64_t slot = atomic_load_explicit(&set[way], memory_order_relaxed);
        if (slot && slot >> 32 == hash >> 32) {
            return &set[way];
        }
    }
    return NULL;
}

/* The place whose failure is over soonest. */
static _Atomic uint64_t *choose(struct failure_table *table, uint64_t hash, uint32_t now_s)
{
    _Atomic uint64_t *set = set_of(table, hash), *best = set;
    uint32_t best_left = UINT32_MAX;
    for (unsigned way = 0; way < FAILURE_WAYS; way++) {
        uint64_t slot = atomic_load_explicit(&set[way], memory_order_relaxed);
        const struct failure failure = unpack(slot);
        uint32_t left = slot ? left_s(&failure, now_s) : 0;
        if (left < best_left) {
            best = &set[way];
            best_left = left;
        }
    }
    return best;
}

static bool in_outage(const struct failure_table *table, uint32_t now_s)
{
    uint32_t answered = atomic_load_explicit(&table->answered_s, memory_order_relaxed);
    uint32_t failed = atomic_load_explicit(&table->failed_s, memory_order_relaxed);
    return failed > answered && now_s >= answered + OUTAGE_S;
}

static bool may_probe(struct failure_table *table, uint32_t now_s)
{
    uint32_t last = atomic_load_explicit(&table->probed_s, memory_order_relaxed);
    return in_outage(table, now_s) && last != now_s &&
           atomic_compare_exchange_strong_explicit(&table->probed_s, &last, now_s,
                                                   memory_order_relaxed, memory_order_relaxed);
}

/* Noted before an outage ended, and not within the last second. */
static bool is_void(struct failure_table *table, const struct failure *failure, uint32_t now_s)
{
    uint32_t epoch = atomic_load_explicit(&table->epoch, memory_order_relaxed);
    uint32_t left = left_s(failure, now_s), whole = durations_s[failure->step];
    return failure->epoch != (epoch & EPOCH_MASK) && left + YOUNG_S <= whole;
}

int failure_find(struct failure_table *table, uint64_t hash, uint32_t now_s)
{
    _Atomic uint64_t *slot = find(table, hash);
    if (!slot) {
        return 0;
    }
    const struct failure failure = unpack(atomic_load_explicit(slot, memory_order_relaxed));
    if (left_s(&failure, now_s) == 0 || is_void(table, &failure, now_s) ||
        may_probe(table, now_s)) {
        return 0;
    }
    return kinds[failure.kind < KINDS ? failure.kind : 0];
}

void failure_note(struct failure_table *table, uint64_t hash, uint32_t now_s, int err)
{
    _Atomic uint64_t *slot = find(table, hash);
    struct failure next = {.epoch = atomic_load_explicit(&table->epoch, memory_order_relaxed)};
    for (unsigned kind = 0; kind < KINDS; kind++) {
        next.kind = kinds[kind] == err ? kind : next.kind;
    }
    if (slot) {
        const struct failure now = unpack(atomic_load_explicit(slot, memory_order_relaxed));
        bool repeated = ((now_s - now.until_s) & UNTIL_MASK) <= REPEATED_S;
        if (left_s(&now, now_s) > 0) {
            return; /* of the same exchange, or a probe that failed */
        }
        next.step = !repeated ? 0 : now.step + (now.step + 1U < sizeof(durations_s));
    } else {
        slot = choose(table, hash, now_s);
    }
    next.until_s = now_s + durations_s[next.step];
    atomic_store_explicit(slot, pack(hash, &next), memory_order_relaxed);
    atomic_store_explicit(&table->failed_s, now_s, memory_order_relaxed);
}

void failure_clear(struct failure_table *table, uint64_t hash, uint32_t now_s)
{
    _Atomic uint64_t *slot = find(table, hash);
    if (slot) {
        atomic_store_explicit(slot, 0, memory_order_relaxed);
    }
    if (in_outage(table, now_s)) {
        atomic_fetch_add_explicit(&table->epoch, 1, memory_order_relaxed);
    }
    atomic_store_explicit(&table->answered_s, now_s, memory_order_relaxed);
}
