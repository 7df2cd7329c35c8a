// SPDX-License-Identifier: Apache-2.0
/* words: memory that readers may look at while a writer changes it; inside cache/.
 *
 * It is made of 64-bit words that are loaded and stored with relaxed atomics: a shard's
 * sequence number tells whether what was read hangs together. */
#pragma once
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t word_load(const _Atomic uint64_t *at)
{
    return atomic_load_explicit((_Atomic uint64_t *)at, memory_order_relaxed);
}

static inline void word_save(_Atomic uint64_t *at, uint64_t value)
{
    atomic_store_explicit(at, value, memory_order_relaxed);
}

static inline void words_copy_out(void *to, const _Atomic uint64_t *from, size_t words)
{
    uint8_t *out = to;
    for (size_t i = 0; i < words; i++) {
        uint64_t value = word_load(&from[i]);
        memcpy(out + 8 * i, &value, 8);
    }
}

static inline void words_copy_in(_Atomic uint64_t *to, const void *from, size_t octets)
{
    const uint8_t *at = from;
    size_t whole = octets / 8;
    for (size_t i = 0; i < whole; i++) {
        uint64_t value;
        memcpy(&value, at + 8 * i, 8);
        word_save(&to[i], value);
    }
    if (octets % 8) {
        uint64_t value = 0;
        memcpy(&value, at + 8 * whole, octets % 8);
        word_save(&to[whole], value);
    }
}
