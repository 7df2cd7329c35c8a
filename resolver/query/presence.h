// SPDX-License-Identifier: Apache-2.0
/* presence: which devices asked at all in the last half day to a day, and nothing else.
 *
 * Bits at places that a random salt gives: who asked cannot be read from them, only whether
 * a device that is known otherwise did. In memory alone. Shared by the workers. */
#pragma once
#include "base/addr.h"
#include "base/hash.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

enum { PRESENCE_WORDS = 2048, PRESENCE_HALF_S = 12 * 3600, PRESENCE_MAC = 6 };

struct presence {
    uint64_t salt;
    _Atomic unsigned now; /* which half is written to */
    _Atomic uint64_t bits[2][PRESENCE_WORDS];
};

static inline uint64_t presence_place(const struct presence *presence, const void *data, size_t len)
{
    return hash_seeded(presence->salt, data, len) % (PRESENCE_WORDS * 64);
}

static inline void presence_note(struct presence *presence, const void *data, size_t len)
{
    uint64_t place = presence_place(presence, data, len), bit = 1ULL << place % 64;
    unsigned half = atomic_load_explicit(&presence->now, memory_order_relaxed);
    _Atomic uint64_t *word = &presence->bits[half][place / 64];
    if (!(atomic_load_explicit(word, memory_order_relaxed) & bit)) {
        atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
    }
}

static inline bool presence_has(const struct presence *presence, const void *data, size_t len)
{
    uint64_t place = presence_place(presence, data, len);
    uint64_t both = presence->bits[0][place / 64] | presence->bits[1][place / 64];
    return both >> place % 64 & 1;
}

/* Of an address without port and scope. */
static inline void presence_note_address(struct presence *presence, const struct addr *addr)
{
    presence_note(presence, addr->bytes, addr->family == AF_INET ? 4 : 16);
}

static inline bool presence_has_address(const struct presence *presence, const struct addr *addr)
{
    return presence_has(presence, addr->bytes, addr->family == AF_INET ? 4 : 16);
}

/* Forget the older half; by the main thread, every PRESENCE_HALF_S. */
static inline void presence_turn(struct presence *presence)
{
    unsigned next = !presence->now;
    for (unsigned i = 0; i < PRESENCE_WORDS; i++) {
        presence->bits[next][i] = 0;
    }
    presence->now = next;
}

/* NULL without memory or chance; free() it. */
static inline struct presence *presence_new(void)
{
    struct presence *presence = calloc(1, sizeof(*presence));
    if (presence &&
        getrandom(&presence->salt, sizeof(presence->salt), 0) != (ssize_t)sizeof(presence->salt)) {
        free(presence);
        presence = NULL;
    }
    return presence;
}
