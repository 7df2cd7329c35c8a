// SPDX-License-Identifier: Apache-2.0
#include "cache/cache.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "cache/failure.h"
#include "cache/shard.h"

enum {
    SHARDS_MAX = 64,
    SHARD_BYTES_MIN = 256 << 10,
    READ_TRIES = 4,
    TYPE_EVERY = 0, /* of an answer that holds for every type of the name */
};

struct cache {
    struct hash_key key;
    uint32_t shard_mask;
    size_t bytes;
    void *memory;
    struct failure_table *failures;
    struct shard shards[];
};

void cache_free(struct cache *cache)
{
    if (cache) {
        if (cache->memory) {
            munmap(cache->memory, cache->bytes);
        }
        free(cache->failures);
        free(cache);
    }
}

struct cache *cache_new(size_t bytes)
{
    uint32_t shards = 1;
    while (shards < SHARDS_MAX && bytes / (shards * 2) >= SHARD_BYTES_MIN) {
        shards *= 2;
    }
    size_t size = sizeof(struct cache) + shards * sizeof(struct shard);
    struct cache *cache = aligned_alloc(64, (size + 63) & ~(size_t)63);
    if (!cache) {
        return NULL;
    }
    memset(cache, 0, size);
    cache->shard_mask = shards - 1;
    cache->bytes = bytes;
    cache->memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    cache->failures = calloc(1, sizeof(*cache->failures));
    if (cache->memory == MAP_FAILED || !cache->failures) {
        cache->memory = cache->memory == MAP_FAILED ? NULL : cache->memory;
        cache_free(cache);
        return NULL;
    }
    hash_key_random(&cache->key);
    size_t each = bytes / shards & ~(size_t)63;
    for (uint32_t i = 0; i < shards; i++) {
        shard_init(&cache->shards[i], (uint8_t *)cache->memory + each * i, each);
    }
    return cache;
}

static uint16_t key_flags(const struct cache_key *key)
{
    return (uint16_t)((key->dnssec_ok ? 1 : 0) | (key->checking_disabled ? 2 : 0));
}

static uint64_t hash_of(const struct cache *cache, const struct cache_key *key)
{
    uint8_t octets[DNAME_WIRE_MAX + 4];
    if (key->hash) {
        return key->hash;
    }
    memcpy(octets, key->name->wire, key->name->len);
    store_u16(octets + key->name->len, key->type);
    store_u16(octets + key->name->len + 2, key_flags(key));
    return hash_keyed(&cache->key, octets, (size_t)key->name->len + 4);
}

/* One look-up on its way. */
struct look {
    struct shard *shard;
    const struct cache_key *key;
    const struct cache_want *want;
    uint64_t hash;
};

/* Does the copied message begin with the question asked? */
static bool same_question(const uint8_t *message, size_t len, const struct cache_key *key)
{
    size_t name_len = key->name->len;
    return len >= DNS_HEADER + name_len + 4 &&
           memcmp(message + DNS_HEADER, key->name->wire, name_len) == 0 &&
           (key->type == TYPE_EVERY || load_u16(message + DNS_HEADER + name_len) == key->type);
}

/* Copy the entry at `at` and judge it. Whatever the words say is doubted: they may be
 * in the middle of a change. */
static bool copy_entry(const struct look *look, uint32_t at, struct cache_copy *copy)
{
    const struct shard *shard = look->shard;
    const struct cache_want *want = look->want;
    uint64_t head[HEAD_WORDS];
    if (at + HEAD_WORDS > shard->ring_words) {
        return false;
    }
    words_copy_out(head, shard->ring + at, HEAD_WORDS);
    uint64_t shape = head[HEAD_SIZE];
    copy->len = shard_len(shape);
    copy->ttl_count = shard_ttl_count(shape);
    size_t ttl_at = (copy->len + 1) & ~(size_t)1;
    size_t words = (ttl_at + copy->ttl_count * 2 + 7) / 8;
    if (shard_flags(shape) != key_flags(look->key) || words * 8 > want->cap ||
        at + HEAD_WORDS + words > shard->ring_words) {
        return false;
    }
    uint32_t stored = (uint32_t)(head[HEAD_TIME] >> 32), ttl = (uint32_t)head[HEAD_TIME];
    copy->age_s = want->now_s - stored;
    copy->ttl_s = ttl;
    copy->left_s = copy->age_s < ttl ? ttl - copy->age_s : 0;
    if (copy->age_s >= ttl && (want->stale_s == 0 || copy->age_s - ttl >= want->stale_s)) {
        return false;
    }
    words_copy_out(want->buffer, shard->ring + at + HEAD_WORDS, words);
    copy->ttl_at = (const uint16_t *)(want->buffer + ttl_at);
    copy->generation = head[HEAD_GENERATION];
    copy->tag = head[HEAD_TAG];
    copy->at = at;
    return same_question(want->buffer, copy->len, look->key);
}

/* Count the look-up. Two at once may count as one: it is a measure, not a sum. */
static void note_seen(struct shard *shard, const _Atomic uint64_t *slot, struct cache_copy *copy)
{
    copy->slot = (uint32_t)(slot - shard->slots);
    uint8_t seen = atomic_load_explicit(&shard->seen[copy->slot], memory_order_relaxed);
    uint8_t next = (uint8_t)(seen + ((seen & SEEN_FREQ) < SEEN_FREQ) +
                             ((seen & SEEN_HITS) < SEEN_HITS ? SEEN_HIT : 0));
    copy->hits = (seen & SEEN_HITS) / SEEN_HIT;
    copy->refreshing = seen & SEEN_REFRESHING;
    if (next != seen) {
        atomic_store_explicit(&shard->seen[copy->slot], next, memory_order_relaxed);
    }
}

static bool try_get(const struct look *look, struct cache_copy *copy)
{
    struct shard *shard = look->shard;
    const _Atomic uint64_t *bucket = shard_bucket(shard, look->hash);
    for (unsigned way = 0; way < SHARD_WAYS; way++) {
        uint64_t slot = word_load(&bucket[way]);
        if (slot == 0 || (slot & ~SHARD_PLACE) != (look->hash & ~SHARD_PLACE) ||
            !copy_entry(look, (uint32_t)(slot & SHARD_PLACE) - 1, copy)) {
            continue;
        }
        note_seen(shard, &bucket[way], copy);
        return true;
    }
    return false;
}

uint64_t cache_find(const struct cache *cache, const struct cache_key *key)
{
    uint64_t hash = hash_of(cache, key);
    const struct shard *shard = &cache->shards[hash & cache->shard_mask];
    __builtin_prefetch(shard_bucket(shard, hash));
    return hash;
}

void cache_fetch(const struct cache *cache, uint64_t hash)
{
    const struct shard *shard = &cache->shards[hash & cache->shard_mask];
    const _Atomic uint64_t *bucket = shard_bucket(shard, hash);
    for (unsigned way = 0; way < SHARD_WAYS; way++) {
        uint64_t slot = word_load(&bucket[way]);
        if (slot && (slot & ~SHARD_PLACE) == (hash & ~SHARD_PLACE)) {
            const char *entry = (const char *)&shard->ring[(slot & SHARD_PLACE) - 1];
            __builtin_prefetch(&shard->seen[&bucket[way] - shard->slots]);
            for (unsigned line = 0; line < 3; line++) { /* as long as most are */
                __builtin_prefetch(entry + 64 * line);
            }
            return;
        }
    }
}

static bool get_one(struct cache *cache, const struct cache_key *key, const struct cache_want *want,
                    struct cache_copy *ret_copy)
{
    uint64_t hash = hash_of(cache, key);
    struct shard *shard = &cache->shards[hash & cache->shard_mask];
    const struct look look = {shard, key, want, hash};
    for (unsigned i = 0; i < READ_TRIES; i++) {
        uint64_t before = atomic_load_explicit(&shard->sequence, memory_order_acquire);
        if (before & 1) {
            continue;
        }
        struct cache_copy copy = {.shard = (uint32_t)(shard - cache->shards), .sequence = before};
        bool found = try_get(&look, &copy);
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&shard->sequence, memory_order_relaxed) == before) {
            *ret_copy = copy;
            return found;
        }
    }
    return false; /* a miss is always right */
}

bool cache_get(struct cache *cache, const struct cache_key *key, const struct cache_want *want,
               struct cache_copy *ret_copy)
{
    struct cache_key every = *key;
    bool found = get_one(cache, key, want, ret_copy);
    if (found && ret_copy->left_s > 0) {
        return true;
    }
    uint32_t age_s = found ? ret_copy->age_s : UINT32_MAX;
    every.type = TYPE_EVERY;
    every.hash = 0;
    if (get_one(cache, &every, want, ret_copy) &&
        (ret_copy->left_s > 0 || ret_copy->age_s < age_s)) {
        return true; /* what was heard last counts */
    }
    return found && get_one(cache, key, want, ret_copy); /* the buffer may be written over */
}

/* The message and the places of its TTLs, which begin at the next even octet. */
static void write_body(_Atomic uint64_t *to, const struct answer *answer)
{
    size_t ttl_at = (answer->len + 1) & ~(size_t)1;
    size_t whole = answer->len / 8 * 8;
    size_t used = 0, next = 0;
    uint8_t shared[8]; /* the last octets and the first places share a word */
    words_copy_in(to, answer->wire, whole);
    for (size_t at = whole; at < ttl_at; at++) {
        shared[used++] = at < answer->len ? answer->wire[at] : 0;
    }
    for (; next < answer->ttl_count && used < sizeof(shared); used += 2) {
        memcpy(shared + used, &answer->ttl_at[next++], 2);
    }
    words_copy_in(to + whole / 8, shared, used);
    words_copy_in(to + whole / 8 + 1, answer->ttl_at + next, (answer->ttl_count - next) * 2);
}

void cache_put(struct cache *cache, const struct cache_key *asked, const struct answer *answer,
               const struct cache_mark *mark)
{
    const bool no_name = answer->rcode == RCODE_NXDOMAIN && load_u16(answer->wire + 6) == 0;
    const struct cache_key kept = {asked->name, no_name ? TYPE_EVERY : asked->type,
                                   asked->dnssec_ok, asked->checking_disabled};
    const struct cache_key *key = &kept;
    uint64_t hash = hash_of(cache, key);
    if (!mark->restored) {
        failure_clear(cache->failures, no_name ? hash_of(cache, asked) : hash, mark->now_s);
    }
    struct shard *shard = &cache->shards[hash & cache->shard_mask];
    size_t octets = ((answer->len + 1) & ~(size_t)1) + answer->ttl_count * 2;
    uint32_t words = (uint32_t)(HEAD_WORDS + (octets + 7) / 8);
    const struct shard_entry entry = {
        .hash = hash,
        .shape =
            shard_shape((uint32_t)answer->len, (uint32_t)answer->ttl_count, key_flags(key), words),
        .words = words,
        .negative = answer->negative,
        .known_good = mark->known_good,
    };
    if (answer->ttl == 0 || octets > SHARD_ENTRY_MAX - 64 || !shard_takes(shard, &entry) ||
        !shard_lock(shard)) {
        return;
    }
    const uint64_t head[HEAD_WORDS] = {
        [HEAD_SIZE] = entry.shape,
        [HEAD_HASH] = hash,
        [HEAD_TIME] = (uint64_t)mark->now_s << 32 | answer->ttl,
        [HEAD_GENERATION] = mark->generation,
        [HEAD_TAG] = mark->tag,
    };
    struct shard_place place;
    if (mark->restored && shard_holds(shard, hash)) {
        shard_unlock(shard);
        return;
    }
    shard_make_room(shard, &entry, &place);
    _Atomic uint64_t *at = shard->ring + place.log->head;
    words_copy_in(at, head, sizeof(head));
    write_body(at + HEAD_WORDS, answer);
    shard_commit(shard, &entry, &place);
    shard_unlock(shard);
}

void cache_mark_refresh(struct cache *cache, const struct cache_copy *copy)
{
    struct shard *shard = &cache->shards[copy->shard];
    if (atomic_load_explicit(&shard->sequence, memory_order_relaxed) == copy->sequence) {
        atomic_fetch_or_explicit(&shard->seen[copy->slot], SEEN_REFRESHING, memory_order_relaxed);
    }
}

void cache_tag(struct cache *cache, const struct cache_copy *copy, uint64_t generation,
               uint64_t tag)
{
    struct shard *shard = &cache->shards[copy->shard];
    uint64_t expected = copy->sequence;
    if (!atomic_compare_exchange_strong_explicit(&shard->sequence, &expected, expected + 1,
                                                 memory_order_acquire, memory_order_relaxed)) {
        return;
    }
    atomic_thread_fence(memory_order_release);
    word_save(&shard->ring[copy->at + HEAD_GENERATION], generation);
    word_save(&shard->ring[copy->at + HEAD_TAG], tag);
    shard_unlock(shard);
}

int cache_failed(struct cache *cache, const struct cache_key *key, uint64_t now_ms)
{
    return failure_find(cache->failures, hash_of(cache, key), now_ms);
}

void cache_note_failure(struct cache *cache, const struct cache_key *key, uint64_t now_ms, int err)
{
    failure_note(cache->failures, hash_of(cache, key), now_ms, err);
}

struct pour {
    cache_visit visit;
    void *context;
    uint64_t words[SHARD_ENTRY_MAX / 8];
};

static void pour_entry(void *context, const struct shard *shard, uint32_t at, uint8_t seen)
{
    struct pour *pour = context;
    uint64_t shape = word_load(&shard->ring[at + HEAD_SIZE]);
    uint64_t time = word_load(&shard->ring[at + HEAD_TIME]);
    const struct cache_item item = {
        .message = (const uint8_t *)pour->words,
        .len = shard_len(shape),
        .ttl_count = shard_ttl_count(shape),
        .stored_s = (uint32_t)(time >> 32),
        .ttl_s = (uint32_t)time,
        .dnssec_ok = shard_flags(shape) & 1,
        .checking_disabled = shard_flags(shape) & 2,
        .negative = shape & SHARD_NEGATIVE,
        .asked = (seen & SEEN_FREQ) || at >= shard->main.start,
    };
    words_copy_out(pour->words, shard->ring + at + HEAD_WORDS, shard_words(shape) - HEAD_WORDS);
    pour->visit(pour->context, &item);
}

void cache_pour(struct cache *cache, cache_visit visit, void *context)
{
    struct pour *pour = calloc(1, sizeof(*pour));
    for (uint32_t i = 0; pour && i <= cache->shard_mask; i++) {
        struct shard *shard = &cache->shards[i];
        pour->visit = visit;
        pour->context = context;
        shard_walk(shard, &shard->main, pour_entry, pour);
        shard_walk(shard, &shard->small, pour_entry, pour);
        size_t octets = cache->bytes / (cache->shard_mask + 1) & ~(size_t)63;
        (void)madvise((void *)shard->slots, octets, MADV_DONTNEED); /* whole pages or not at all */
    }
    free(pour);
}

void cache_measure(const struct cache *cache, struct cache_use *ret_use)
{
    *ret_use = (struct cache_use){.bytes_max = cache->bytes};
    for (uint32_t i = 0; i <= cache->shard_mask; i++) {
        struct shard *shard = (struct shard *)&cache->shards[i];
        ret_use->entries += atomic_load_explicit(&shard->entries, memory_order_relaxed);
        ret_use->bytes += 8 * atomic_load_explicit(&shard->used_words, memory_order_relaxed);
        ret_use->negative_bytes +=
            8 * atomic_load_explicit(&shard->negative_words, memory_order_relaxed);
    }
}
