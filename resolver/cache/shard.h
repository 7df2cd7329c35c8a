// SPDX-License-Identifier: Apache-2.0
/* shard: one shard of the cache, two log rings of entries with an index; inside cache/.
 *
 * S3-FIFO (Yang and others, SOSP 2023): new entries are appended to the small log, a
 * tenth of the memory. What is oldest there moves to the main log if it was asked for
 * meanwhile, else only a fingerprint of it stays for a while; an answer that comes back
 * in that time goes to the main log at once. The oldest of the main log is appended
 * again as often as it was asked for, and while much of that log is dead, of entries
 * that were replaced.
 *
 * What is here is for whoever holds the shard, the writer. */
#pragma once
#include "cache/words.h"

#include <stdbool.h>

enum {
    SHARD_WAYS = 8,   /* slots of a bucket: one cache line */
    SHARD_GHOSTS = 4, /* fingerprints of a bucket */
    SHARD_ENTRY_MAX = 65536,
};

/* An entry's `seen` octet: how often it was asked for, up to 3, taken off again by the
 * eviction (FREQ) and since it was written (HITS), and whether a refresh is on its way. */
enum {
    SEEN_FREQ = 3,
    SEEN_HIT = 4,
    SEEN_HITS = 12,
    SEEN_REFRESHING = 128,
};

/* Words of an entry's head; the message and the places of its TTLs follow. */
enum {
    HEAD_SIZE, /* see shard_shape() | SHARD_DEAD | SHARD_FILLER | SHARD_NEGATIVE */
    HEAD_HASH,
    HEAD_TIME, /* stored at, ttl: 32 bits each */
    HEAD_GENERATION,
    HEAD_TAG,
    HEAD_WORDS,
};
#define SHARD_NEGATIVE (1ULL << 61)
#define SHARD_DEAD     (1ULL << 62)
#define SHARD_FILLER   (1ULL << 63)
#define SHARD_PLACE    0xffffffffULL /* in a slot; a filler's words */

/* A ring: the words from start to end of the shard's. The writer's alone. */
struct log {
    uint32_t start, end;
    uint32_t head, tail; /* where the next entry goes, where the oldest stands */
    bool wrapped;        /* it is full: head == tail */
};

/* A slot is 0 or the upper half of the hash and the entry's place + 1. */
struct shard {
    _Alignas(64) _Atomic uint64_t sequence; /* odd while a writer is inside */
    uint32_t ring_words;
    uint32_t bucket_mask;
    _Atomic uint64_t *ring;
    _Atomic uint64_t *slots;
    _Atomic uint8_t *seen; /* one octet per slot, written by readers too */
    uint16_t *ghosts;      /* SHARD_GHOSTS per bucket, newest first */
    struct log small, main;
    uint32_t main_words;    /* of living entries in the main log, */
    uint32_t negative_main; /* and of negative ones among them */
    uint32_t negative_most; /* and how many there may be */
    _Atomic uint64_t entries, used_words, negative_words;
};

/* What is to be written. */
struct shard_entry {
    uint64_t hash;
    uint64_t shape;
    uint32_t words;
    bool negative;
    bool known_good; /* asked for in an earlier life: straight to the main log */
};

/* Where it is to be written. */
struct shard_place {
    struct log *log;
    _Atomic uint64_t *slot;
    uint8_t seen; /* what is known of the entry that it replaces */
};

static inline uint64_t shard_slot_value(uint64_t hash, uint32_t at)
{
    return (hash & ~SHARD_PLACE) | (at + 1);
}

/* The first word of an entry: octets of the message, TTL fields, flags of the question
 * (two bits), words of the whole. */
static inline uint64_t shard_shape(uint32_t len, uint32_t ttl_count, uint32_t flags, uint32_t words)
{
    return words | (uint64_t)len << 20 | (uint64_t)ttl_count << 36 | (uint64_t)flags << 52;
}
static inline uint16_t shard_len(uint64_t shape)
{
    return (uint16_t)(shape >> 20);
}
static inline uint16_t shard_ttl_count(uint64_t shape)
{
    return (uint16_t)(shape >> 36);
}
static inline uint16_t shard_flags(uint64_t shape)
{
    return shape >> 52 & 3;
}
static inline uint32_t shard_words(uint64_t shape)
{
    return (uint32_t)(shape & (shape & SHARD_FILLER ? SHARD_PLACE : 0xfffff));
}

static inline _Atomic uint64_t *shard_bucket(const struct shard *shard, uint64_t hash)
{
    return shard->slots + (size_t)(hash >> 8 & shard->bucket_mask) * SHARD_WAYS;
}

/* Lay a shard out over `bytes` octets of zeroed memory, 64-aligned. */
void shard_init(struct shard *shard, void *memory, size_t bytes);

/* Try to become the shard's writer; false when another is. Never waits. */
bool shard_lock(struct shard *shard);
void shard_unlock(struct shard *shard);

/* Is there any place for it? */
bool shard_takes(const struct shard *shard, const struct shard_entry *entry);

/* Is there an entry of that hash? */
bool shard_holds(const struct shard *shard, uint64_t hash);

/* Make room: an older entry of the same hash goes, then what S3-FIFO says. The entry is
 * to be written at place->log->head, then committed. */
void shard_make_room(struct shard *shard, const struct shard_entry *entry,
                     struct shard_place *ret_place);
void shard_commit(struct shard *shard, const struct shard_entry *entry,
                  const struct shard_place *place);

/* Call `visit` with the place of each living entry of a log, the oldest first. */
typedef void (*shard_visit)(void *context, const struct shard *shard, uint32_t at, uint8_t seen);
void shard_walk(const struct shard *shard, const struct log *log, shard_visit visit, void *context);
