// SPDX-License-Identifier: Apache-2.0
#include "cache/failure.h"

#include <errno.h>
#include <stddef.h>

/* A slot: 32 bits of the hash, until when (ticks, 22 bits), the step of the back-off
 * (3), the kind of failure (2), the epoch (5). 0 is empty. */
enum {
    TICK_MS = 250,
    TICKS_S = 1000 / TICK_MS,
    UNTIL_MASK = 0x3fffff,
    KINDS = 3,
    EPOCH_MASK = 0x1f,
    REPEATED_S = 60, /* failing again within that time is one row of failures */
    OUTAGE_S = 2,    /* without any answer, while questions fail */
};

static const uint8_t durations_s[] = {1, 2, 4, 8, 16, FAILURE_S_MAX};
static const int kinds[KINDS] = {-ETIMEDOUT, -EHOSTUNREACH, -EREMOTEIO};

struct failure {
    uint32_t until; /* in ticks */
    unsigned step, kind, epoch;
};

static struct failure unpack(uint64_t slot)
{
    return (struct failure){slot >> 10 & UNTIL_MASK, slot >> 7 & 7, slot >> 5 & 3,
                            slot & EPOCH_MASK};
}

static uint64_t pack(uint64_t hash, const struct failure *failure)
{
    return (hash & ~(uint64_t)UINT32_MAX) | (uint64_t)(failure->until & UNTIL_MASK) << 10 |
           (uint64_t)failure->step << 7 | (uint64_t)failure->kind << 5 |
           (failure->epoch & EPOCH_MASK);
}

/* How long a failure rests. It came in the middle of a tick, so that one more makes the
 * time whole. */
static uint32_t whole_ticks(unsigned step)
{
    return (uint32_t)durations_s[step] * TICKS_S + 1;
}

/* Ticks that are left, 0 when over; the clock's 22 bits wrap after twelve days. */
static uint32_t left_ticks(const struct failure *failure, uint32_t now)
{
    uint32_t left = (failure->until - now) & UNTIL_MASK;
    return left <= FAILURE_S_MAX * TICKS_S + 1 ? left : 0;
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
static _Atomic uint64_t *choose(struct failure_table *table, uint64_t hash, uint32_t now)
{
    _Atomic uint64_t *set = set_of(table, hash), *best = set;
    uint32_t best_left = UINT32_MAX;
    for (unsigned way = 0; way < FAILURE_WAYS; way++) {
        uint64_t slot = atomic_load_explicit(&set[way], memory_order_relaxed);
        const struct failure failure = unpack(slot);
        uint32_t left = slot ? left_ticks(&failure, now) : 0;
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

/* Noted within the last second: its question may not be asked, whatever has happened
 * (RFC 9520 section 3.2). */
static bool is_young(const struct failure *failure, uint32_t left)
{
    return left + TICKS_S + 1 > whole_ticks(failure->step);
}

/* Noted before an outage ended. */
static bool is_void(struct failure_table *table, const struct failure *failure)
{
    uint32_t epoch = atomic_load_explicit(&table->epoch, memory_order_relaxed);
    return failure->epoch != (epoch & EPOCH_MASK);
}

int failure_find(struct failure_table *table, uint64_t hash, uint64_t now_ms)
{
    _Atomic uint64_t *slot = find(table, hash);
    if (!slot) {
        return 0;
    }
    const struct failure failure = unpack(atomic_load_explicit(slot, memory_order_relaxed));
    uint32_t left = left_ticks(&failure, (uint32_t)(now_ms / TICK_MS));
    bool young = left > 0 && is_young(&failure, left);
    if (left == 0 ||
        (!young && (is_void(table, &failure) || may_probe(table, (uint32_t)(now_ms / 1000))))) {
        return 0;
    }
    return kinds[failure.kind < KINDS ? failure.kind : 0];
}

void failure_note(struct failure_table *table, uint64_t hash, uint64_t now_ms, int err)
{
    uint32_t tick = (uint32_t)(now_ms / TICK_MS), now_s = (uint32_t)(now_ms / 1000);
    _Atomic uint64_t *slot = find(table, hash);
    struct failure next = {.epoch = atomic_load_explicit(&table->epoch, memory_order_relaxed)};
    for (unsigned kind = 0; kind < KINDS; kind++) {
        next.kind = kinds[kind] == err ? kind : next.kind;
    }
    if (slot) {
        const struct failure now = unpack(atomic_load_explicit(slot, memory_order_relaxed));
        bool repeated = ((tick - now.until) & UNTIL_MASK) <= REPEATED_S * TICKS_S;
        if (left_ticks(&now, tick) > 0) {
            return; /* of the same exchange, or a probe that failed */
        }
        next.step = !repeated ? 0 : now.step + (now.step + 1U < sizeof(durations_s));
    } else {
        slot = choose(table, hash, tick);
    }
    next.until = tick + whole_ticks(next.step);
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
