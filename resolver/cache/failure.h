// SPDX-License-Identifier: Apache-2.0
/* failure: questions that failed a moment ago, so that they are not asked again at
 * once (RFC 9520 section 3.2; RFC 8767 section 5, failure recheck); inside cache/.
 *
 * A fixed table of atomic words shared by all workers: what finds no place displaces
 * another, which is then merely asked again. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { FAILURE_SETS = 2048, FAILURE_WAYS = 4, FAILURE_S_MAX = 30 };

struct failure_table {
    _Atomic uint32_t answered_s; /* when an upstream last answered */
    _Atomic uint32_t failed_s;   /* when a question last failed */
    _Atomic uint32_t probed_s;   /* when one was let through during an outage */
    _Atomic uint32_t epoch;      /* counts the outages that are over */
    _Atomic uint64_t slots[FAILURE_SETS * FAILURE_WAYS];
};

/* 0: ask it; else the negative errno with which the question failed. While nothing at
 * all is answered one question a second is let through, to notice the end of it, but none
 * that failed within the last second. */
int failure_find(struct failure_table *table, uint64_t hash, uint64_t now_ms);

/* It failed: 1 s the first time, then 2, 4, 8, 16 and at most FAILURE_S_MAX. */
void failure_note(struct failure_table *table, uint64_t hash, uint64_t now_ms, int err);

/* It was answered. When that ends an outage, all failures are forgotten that are
 * older than a second. */
void failure_clear(struct failure_table *table, uint64_t hash, uint32_t now_s);
