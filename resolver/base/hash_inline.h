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
