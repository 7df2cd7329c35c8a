// SPDX-License-Identifier: Apache-2.0
/* cache: answers in wire form by question, shared by all workers; knows no policy.
 *
 * Shards of fixed size, each a log ring with an index. Readers never lock: they copy
 * and check the shard's sequence number afterwards. Writers take a shard by one
 * compare-and-swap and give up when it is busy, so nobody ever waits. What is asked
 * often stays (S3-FIFO, see shard.h); negative answers take a quarter at most. */
#pragma once
#include "dns/answer.h"

struct cache;

struct cache_key {
    const struct dname *name;
    uint16_t type;
    bool dnssec_ok;
    bool checking_disabled;
    uint64_t hash; /* of cache_find(), 0 = not yet known */
};

/* A copied answer. Where the entry stands is only for cache_tag(). */
struct cache_copy {
    size_t len;             /* octets of the message in the caller's buffer */
    const uint16_t *ttl_at; /* inside the buffer, behind the message */
    size_t ttl_count;
    uint32_t age_s;
    uint32_t left_s; /* until it expires, 0 when stale */
    uint32_t ttl_s;  /* when it was written */
    uint8_t hits;    /* look-ups before this one since it was written, 3 = or more */
    bool refreshing; /* cache_mark_refresh() came before */
    uint64_t generation;
    uint64_t tag;
    uint32_t shard, slot, at;
    uint64_t sequence;
};

struct cache_use {
    uint64_t entries;
    uint64_t bytes; /* in use, of all shards */
    uint64_t negative_bytes;
    uint64_t bytes_max;
};

/* bytes is the bound on all memory of the cache; untouched pages cost nothing.
 * NULL without memory. */
struct cache *cache_new(size_t bytes);
void cache_free(struct cache *cache);

/* Copy the answer to key into buffer (cap octets) as the whole message. True when
 * found and younger than its TTL, or than its TTL and stale_s seconds. Neither
 * allocates nor waits. */
struct cache_want {
    uint8_t *buffer;
    size_t cap;
    uint32_t now_s; /* a clock that only goes forward */
    uint32_t stale_s;
};
bool cache_get(struct cache *cache, const struct cache_key *key, const struct cache_want *want,
               struct cache_copy *ret_copy);

/* In two steps, so that memory is on its way for a whole batch of questions before the
 * first is looked up: the place in the index (returns the hash for the key), then, when
 * that has come, the entry itself. */
uint64_t cache_find(const struct cache *cache, const struct cache_key *key);
void cache_fetch(const struct cache *cache, uint64_t hash);

/* Keep an answer with a TTL over 0; replaces an older one. `generation` and `tag` as
 * in cache_tag(). May drop it silently: too large, or the shard is busy. A name that
 * does not exist does not exist for any type (RFC 2308 section 5). The question has
 * not failed any more. */
struct cache_mark {
    uint64_t generation;
    uint64_t tag;
    uint32_t now_s;  /* when the answer came */
    bool known_good; /* it was asked for often before */
    bool restored;   /* of an earlier life: what is there already is newer */
};
void cache_put(struct cache *cache, const struct cache_key *asked, const struct answer *answer,
               const struct cache_mark *mark);

/* Note what an inspection of a copied entry found: tag 0 means that nothing in it
 * touches anything of this generation. Does nothing when the entry has moved. */
void cache_tag(struct cache *cache, const struct cache_copy *copy, uint64_t generation,
               uint64_t tag);

/* The copied entry is being refreshed; forgotten when it is replaced. */
void cache_mark_refresh(struct cache *cache, const struct cache_copy *copy);

/* 0, or the negative errno with which the question failed a moment ago: it is not to be
 * asked again yet (RFC 9520). */
int cache_failed(struct cache *cache, const struct cache_key *key, uint64_t now_ms);
void cache_note_failure(struct cache *cache, const struct cache_key *key, uint64_t now_ms, int err);

/* Call `visit` with each answer and give its memory back, when no worker runs any more:
 * the cache is good for nothing but cache_free() afterwards. */
struct cache_item {
    const uint8_t *message;
    size_t len, ttl_count;
    uint32_t stored_s, ttl_s;
    bool dnssec_ok, checking_disabled, negative;
    bool asked; /* it stood in the main log or was asked for */
};
typedef void (*cache_visit)(void *context, const struct cache_item *item);
void cache_pour(struct cache *cache, cache_visit visit, void *context);

void cache_measure(const struct cache *cache, struct cache_use *ret_use);
