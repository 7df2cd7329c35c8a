// SPDX-License-Identifier: Apache-2.0
/* hash_inline: hash_seeded() for the two places that call it for every name of a list
 * and every suffix of a question.
 *
 * A call costs as much there as hashing a short name. Include it in .c files only. */
#pragma once
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/hash.h"

/* The code for longer input stays in one place. */
enum { HASH_INLINE_MAX = 128 };

/* The same value as hash_seeded(). */
__attribute__((always_inline, flatten)) static inline uint64_t
hash_seeded_inline(uint64_t seed, const void *data, size_t len)
{
    return len <= HASH_INLINE_MAX ? XXH3_64bits_withSeed(data, len, seed)
                                  : hash_seeded(seed, data, len);
}

/* The same value as hash_seeded128(). */
__attribute__((always_inline, flatten)) static inline struct hash128
hash_seeded128_inline(uint64_t seed, const void *data, size_t len)
{
    if (len > HASH_INLINE_MAX) {
        return hash_seeded128(seed, data, len);
    }
    XXH128_hash_t hash = XXH3_128bits_withSeed(data, len, seed);
    return (struct hash128){hash.low64, hash.high64};
}

/* What all suffixes of one run of octets share: XXH3 reads longer input from both
 * ends, and their ends are the same. */
struct hash_tail {
    uint64_t seed;
    uint64_t last16, last32; /* of the 16 octets before the end, of the 16 before those */
};

static inline struct hash_tail hash_tail(uint64_t seed, const uint8_t *data, size_t len)
{
    const uint8_t *end = data + len;
    struct hash_tail tail = {.seed = seed};
    if (len > 16) {
        tail.last16 = XXH3_mix16B(end - 16, XXH3_kSecret + 16, seed);
    }
    if (len > 32) {
        tail.last32 = XXH3_mix16B(end - 32, XXH3_kSecret + 48, seed);
    }
    return tail;
}

/* hash_seeded() of a suffix of that run. */
__attribute__((always_inline)) static inline uint64_t hash_suffix(const struct hash_tail *tail,
                                                                  const uint8_t *suffix, size_t len)
{
    if (len <= 16 || len > 64) {
        return hash_seeded_inline(tail->seed, suffix, len);
    }
    uint64_t sum = len * XXH_PRIME64_1 + XXH3_mix16B(suffix, XXH3_kSecret, tail->seed);
    if (len > 32) {
        sum += XXH3_mix16B(suffix + 16, XXH3_kSecret + 32, tail->seed) + tail->last32;
    }
    return XXH3_avalanche(sum + tail->last16);
}
