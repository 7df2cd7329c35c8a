// SPDX-License-Identifier: Apache-2.0
/* shard: one shard of the cache, a log ring of entries with an index; inside cache/.
 *
 * All memory that readers may look at while a writer changes it is made of 64-bit
 * words that are loaded and stored with relaxed atomics: the sequence number tells
 * whether what was read hangs together. Functions named shard_put... and the like
 * are for whoever holds the shard. */
#pragma once
#include "base/hash.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    SHARD_WAYS = 8, /* slots of a bucket: one cache line */
    SHARD_ENTRY_MAX = 65536,
    SHARD_SEEN = 1,
};

/* Words of an entry's head; the message and the places of its TTLs follow. */
enum {
    HEAD_SIZE, /* words of the whole entry | SHARD_DEAD | SHARD_FILLER */
    HEAD_HASH,
    HEAD_TIME, /* stored at, ttl: 32 bits each */
    HEAD_GENERATION,
    HEAD_TAG,
    HEAD_SHAPE, /* message octets, TTL fields, question flags: 16 bits each */
    HEAD_WORDS,
};
#define SHARD_DEAD   (1ULL << 62)
#define SHARD_FILLER (1ULL << 63)
#define SHARD_SIZE   0xffffffffULL

/* A slot is 0 or the upper half of the hash and the entry's place + 1. */
struct shard {
    _Alignas(64) _Atomic uint64_t sequence; /* odd while a writer is inside */
    _Atomic uint64_t entries;
    _Atomic uint64_t used_words;
    uint32_t head, tail; /* words; the writer's alone */
    bool wrapped;        /* the ring is full: head == tail */
    uint32_t ring_words;
    uint32_t bucket_mask;
    _Atomic uint64_t *ring;
    _Atomic uint64_t *slots;
    _Atomic uint8_t *seen; /* one octet per slot, set by readers */
};

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

static inline uint64_t shard_slot_value(uint64_t hash, uint32_t at)
{
    return (hash & ~SHARD_SIZE) | (at + 1);
}

static inline _Atomic uint64_t *shard_bucket(const struct shard *shard, uint64_t hash)
{
    return shard->slots + (size_t)(hash >> 8 & shard->bucket_mask) * SHARD_WAYS;
}

void words_copy_in(_Atomic uint64_t *to, const void *from, size_t octets);

/* Try to become the shard's writer; false when another is. Never waits. */
bool shard_lock(struct shard *shard);
void shard_unlock(struct shard *shard);

/* Room for an entry of `words` with that hash: the older entry of the hash goes, then
 * whatever is oldest, but for what was asked for since. Returns the slot to point at
 * it; the entry is to be written at shard->head. */
_Atomic uint64_t *shard_make_room(struct shard *shard, uint64_t hash, uint32_t words);

/* The entry has been written at head. */
void shard_commit(struct shard *shard, _Atomic uint64_t *slot, uint64_t hash, uint32_t words);
