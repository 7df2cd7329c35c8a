// SPDX-License-Identifier: Apache-2.0
#include "cache/cache.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/hash.h"

/* All memory that readers may look at while a writer changes it is made of 64-bit
 * words that are loaded and stored with relaxed atomics: the sequence number tells
 * whether what was read hangs together. */
typedef _Atomic uint64_t word;

enum {
    WAYS = 8, /* slots of a bucket: one cache line */
    SHARDS_MAX = 64,
    SHARD_MIN = 256 << 10,
    ENTRY_MAX = 65536,
    MEAN_ENTRY = 192, /* octets, for the size of the index */
    READ_TRIES = 4,
    SECOND_CHANCES = 8, /* entries kept per put, so that a put stays short */
    SEEN = 1,
};

/* Words of an entry's head. */
enum {
    HEAD_SIZE, /* words of the whole entry | DEAD | FILLER */
    HEAD_HASH,
    HEAD_TIME, /* stored at, ttl: 32 bits each */
    HEAD_GENERATION,
    HEAD_TAG,
    HEAD_SHAPE, /* message octets, TTL fields, question flags: 16 bits each */
    HEAD_WORDS,
};
#define DEAD   (1ULL << 62)
#define FILLER (1ULL << 63)
#define SIZE   0xffffffffULL

/* A slot is 0 or the upper half of the hash and the entry's place + 1. */
struct shard {
    _Alignas(64) _Atomic uint64_t sequence; /* odd while a writer is inside */
    _Atomic uint64_t entries;
    _Atomic uint64_t used_words;
    uint32_t head, tail; /* words; the writer's alone */
    bool wrapped;        /* the ring is not empty though head == tail */
    word *ring;
    word *slots;
    _Atomic uint8_t *seen; /* one octet per slot, set by readers */
};

struct cache {
    struct hash_key key;
    uint32_t shard_mask;
    uint32_t ring_words;
    uint32_t bucket_mask;
    size_t bytes;
    void *memory;
    struct shard shards[];
};

static uint64_t load(const word *at)
{
    return atomic_load_explicit((word *)at, memory_order_relaxed);
}

static void save(word *at, uint64_t value)
{
    atomic_store_explicit(at, value, memory_order_relaxed);
}

static void copy_out(void *to, const word *from, size_t words)
{
    uint8_t *out = to;
    for (size_t i = 0; i < words; i++) {
        uint64_t value = load(&from[i]);
        memcpy(out + 8 * i, &value, 8);
    }
}

static void copy_in(word *to, const void *from, size_t octets)
{
    const uint8_t *at = from;
    size_t whole = octets / 8;
    for (size_t i = 0; i < whole; i++) {
        uint64_t value;
        memcpy(&value, at + 8 * i, 8);
        save(&to[i], value);
    }
    if (octets % 8) {
        uint64_t value = 0;
        memcpy(&value, at + 8 * whole, octets % 8);
        save(&to[whole], value);
    }
}

static void place_shards(struct cache *cache)
{
    uint32_t buckets = cache->bucket_mask + 1;
    size_t slots = (size_t)buckets * WAYS;
    size_t each = (size_t)cache->ring_words * 8 + slots * 9;
    each = (each + 63) & ~(size_t)63;
    for (uint32_t i = 0; i <= cache->shard_mask; i++) {
        uint8_t *at = (uint8_t *)cache->memory + each * i;
        struct shard *shard = &cache->shards[i];
        shard->slots = (word *)at;
        shard->ring = shard->slots + slots;
        shard->seen = (_Atomic uint8_t *)(shard->ring + cache->ring_words);
    }
}

struct cache *cache_new(size_t bytes)
{
    uint32_t shards = 1;
    while (shards < SHARDS_MAX && bytes / (shards * 2) >= SHARD_MIN) {
        shards *= 2;
    }
    size_t size = sizeof(struct cache) + shards * sizeof(struct shard);
    struct cache *cache = aligned_alloc(64, (size + 63) & ~(size_t)63);
    if (!cache) {
        return NULL;
    }
    memset(cache, 0, size);
    size_t each = bytes / shards;
    uint32_t buckets = 1;
    while ((size_t)buckets * 2 * WAYS * MEAN_ENTRY <= each) {
        buckets *= 2;
    }
    cache->shard_mask = shards - 1;
    cache->bucket_mask = buckets - 1;
    cache->bytes = bytes;
    cache->ring_words = (uint32_t)((each - (size_t)buckets * WAYS * 9 - 64) / 8);
    cache->memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (cache->memory == MAP_FAILED) {
        free(cache);
        return NULL;
    }
    hash_key_random(&cache->key);
    place_shards(cache);
    return cache;
}

void cache_free(struct cache *cache)
{
    if (cache) {
        munmap(cache->memory, cache->bytes);
        free(cache);
    }
}

static uint16_t key_flags(const struct cache_key *key)
{
    return (uint16_t)((key->dnssec_ok ? 1 : 0) | (key->checking_disabled ? 2 : 0));
}

static uint64_t hash_of(const struct cache *cache, const struct cache_key *key)
{
    uint8_t octets[DNAME_WIRE_MAX + 4];
    memcpy(octets, key->name->wire, key->name->len);
    store_u16(octets + key->name->len, key->type);
    store_u16(octets + key->name->len + 2, key_flags(key));
    return hash_keyed(&cache->key, octets, (size_t)key->name->len + 4);
}

static struct shard *shard_of(struct cache *cache, uint64_t hash)
{
    return &cache->shards[hash & cache->shard_mask];
}

static word *bucket_of(const struct cache *cache, struct shard *shard, uint64_t hash)
{
    return shard->slots + (size_t)(hash >> 8 & cache->bucket_mask) * WAYS;
}

static uint64_t slot_value(uint64_t hash, uint32_t at)
{
    return (hash & ~SIZE) | (at + 1);
}

static uint16_t shape_len(uint64_t shape)
{
    return (uint16_t)shape;
}

static uint16_t shape_ttls(uint64_t shape)
{
    return (uint16_t)(shape >> 16);
}

static uint16_t shape_flags(uint64_t shape)
{
    return (uint16_t)(shape >> 32);
}

/* Does the copied message begin with the question asked? */
static bool same_question(const uint8_t *message, size_t len, const struct cache_key *key)
{
    size_t name_len = key->name->len;
    return len >= DNS_HEADER + name_len + 4 &&
           memcmp(message + DNS_HEADER, key->name->wire, name_len) == 0 &&
           load_u16(message + DNS_HEADER + name_len) == key->type;
}

/* Copy the entry at `at` and judge it. Whatever the words say is doubted: they may be
 * in the middle of a change. */
static bool copy_entry(const struct cache *cache, const struct shard *shard, uint32_t at,
                       const struct cache_want *want, struct cache_copy *copy)
{
    uint64_t head[HEAD_WORDS];
    if (at + HEAD_WORDS > cache->ring_words) {
        return false;
    }
    copy_out(head, shard->ring + at, HEAD_WORDS);
    copy->len = shape_len(head[HEAD_SHAPE]);
    copy->ttl_count = shape_ttls(head[HEAD_SHAPE]);
    size_t ttl_at = (copy->len + 1) & ~(size_t)1;
    size_t words = (ttl_at + copy->ttl_count * 2 + 7) / 8;
    if (words * 8 > want->cap || at + HEAD_WORDS + words > cache->ring_words) {
        return false;
    }
    uint32_t stored = (uint32_t)(head[HEAD_TIME] >> 32), ttl = (uint32_t)head[HEAD_TIME];
    copy->age_s = want->now_s - stored;
    copy->left_s = copy->age_s < ttl ? ttl - copy->age_s : 0;
    if (copy->age_s >= ttl && (want->stale_s == 0 || copy->age_s - ttl >= want->stale_s)) {
        return false;
    }
    copy_out(want->buffer, shard->ring + at + HEAD_WORDS, words);
    copy->ttl_at = (const uint16_t *)(want->buffer + ttl_at);
    copy->generation = head[HEAD_GENERATION];
    copy->tag = head[HEAD_TAG];
    copy->at = at;
    return true;
}

static bool try_get(struct cache *cache, const struct cache_key *key, uint64_t hash,
                    const struct cache_want *want, struct cache_copy *copy)
{
    struct shard *shard = shard_of(cache, hash);
    word *bucket = bucket_of(cache, shard, hash);
    for (unsigned way = 0; way < WAYS; way++) {
        uint64_t slot = load(&bucket[way]);
        if ((slot & ~SIZE) != (hash & ~SIZE) || (slot & SIZE) == 0) {
            continue;
        }
        uint32_t at = (uint32_t)(slot & SIZE) - 1;
        if (!copy_entry(cache, shard, at, want, copy) ||
            shape_flags(load(&shard->ring[at + HEAD_SHAPE])) != key_flags(key) ||
            !same_question(want->buffer, copy->len, key)) {
            continue;
        }
        _Atomic uint8_t *seen = &shard->seen[&bucket[way] - shard->slots];
        if (atomic_load_explicit(seen, memory_order_relaxed) != SEEN) {
            atomic_store_explicit(seen, SEEN, memory_order_relaxed);
        }
        return true;
    }
    return false;
}

bool cache_get(struct cache *cache, const struct cache_key *key, const struct cache_want *want,
               struct cache_copy *ret_copy)
{
    uint64_t hash = hash_of(cache, key);
    struct shard *shard = shard_of(cache, hash);
    for (unsigned i = 0; i < READ_TRIES; i++) {
        uint64_t before = atomic_load_explicit(&shard->sequence, memory_order_acquire);
        if (before & 1) {
            continue;
        }
        struct cache_copy copy = {.shard = (uint32_t)(shard - cache->shards), .sequence = before};
        bool found = try_get(cache, key, hash, want, &copy);
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&shard->sequence, memory_order_relaxed) == before) {
            *ret_copy = copy;
            return found;
        }
    }
    return false; /* a miss is always right */
}

static bool lock(struct shard *shard)
{
    uint64_t now = atomic_load_explicit(&shard->sequence, memory_order_relaxed);
    bool taken = !(now & 1) &&
                 atomic_compare_exchange_strong_explicit(
                     &shard->sequence, &now, now + 1, memory_order_acquire, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    return taken;
}

static void unlock(struct shard *shard)
{
    uint64_t now = atomic_load_explicit(&shard->sequence, memory_order_relaxed);
    atomic_store_explicit(&shard->sequence, now + 1, memory_order_release);
}

static void count(struct shard *shard, int64_t entries, int64_t words)
{
    uint64_t now = atomic_load_explicit(&shard->entries, memory_order_relaxed);
    atomic_store_explicit(&shard->entries, now + (uint64_t)entries, memory_order_relaxed);
    now = atomic_load_explicit(&shard->used_words, memory_order_relaxed);
    atomic_store_explicit(&shard->used_words, now + (uint64_t)words, memory_order_relaxed);
}

/* The slot that points at the entry, or NULL. */
static word *find_slot(const struct cache *cache, struct shard *shard, uint64_t hash, uint32_t at)
{
    word *bucket = bucket_of(cache, shard, hash);
    for (unsigned way = 0; way < WAYS; way++) {
        if (load(&bucket[way]) == slot_value(hash, at)) {
            return &bucket[way];
        }
    }
    return NULL;
}

static void kill_entry(struct shard *shard, uint32_t at, word *slot)
{
    uint64_t size = load(&shard->ring[at + HEAD_SIZE]);
    save(&shard->ring[at + HEAD_SIZE], size | DEAD);
    save(slot, 0);
    count(shard, -1, -(int64_t)(size & SIZE));
}

/* Free words in one piece behind head; the ring is cut at its end by a filler. */
static uint32_t free_run(const struct cache *cache, const struct shard *shard)
{
    if (shard->head == shard->tail) {
        return shard->wrapped ? 0 : cache->ring_words - shard->head;
    }
    return shard->head > shard->tail ? cache->ring_words - shard->head : shard->tail - shard->head;
}

static void advance_head(const struct cache *cache, struct shard *shard, uint32_t words)
{
    shard->head += words;
    if (shard->head == cache->ring_words) {
        shard->head = 0;
    }
    shard->wrapped = shard->head == shard->tail;
}

/* Take the oldest entry off. Returns its place if it deserves a second chance (it was
 * asked for since it was written), with its slot in *ret_slot, else -1. */
static int64_t drop_oldest(const struct cache *cache, struct shard *shard, word **ret_slot)
{
    uint32_t at = shard->tail;
    uint64_t size = load(&shard->ring[at]);
    word *slot = NULL;
    if (!(size & (DEAD | FILLER))) {
        slot = find_slot(cache, shard, load(&shard->ring[at + HEAD_HASH]), at);
    }
    shard->tail += (uint32_t)(size & SIZE);
    if (shard->tail == cache->ring_words) {
        shard->tail = 0;
    }
    shard->wrapped = false;
    if (!slot) {
        return -1;
    }
    _Atomic uint8_t *seen = &shard->seen[slot - shard->slots];
    bool wanted = atomic_load_explicit(seen, memory_order_relaxed) == SEEN;
    atomic_store_explicit(seen, 0, memory_order_relaxed);
    *ret_slot = slot;
    if (wanted) {
        return at;
    }
    save(slot, 0);
    count(shard, -1, -(int64_t)(size & SIZE));
    return -1;
}

/* Write a saved entry again at the head. */
static void write_again(const struct cache *cache, struct shard *shard, const uint64_t *saved,
                        word *slot)
{
    uint32_t words = (uint32_t)(saved[HEAD_SIZE] & SIZE);
    if (free_run(cache, shard) < words) {
        save(slot, 0);
        count(shard, -1, -(int64_t)words);
        return;
    }
    copy_in(shard->ring + shard->head, saved, (size_t)words * 8);
    save(slot, slot_value(saved[HEAD_HASH], shard->head));
    advance_head(cache, shard, words);
}

/* Fill the piece up to the ring's end, which is too short. */
static void cut_ring(const struct cache *cache, struct shard *shard)
{
    save(&shard->ring[shard->head], FILLER | (cache->ring_words - shard->head));
    advance_head(cache, shard, cache->ring_words - shard->head);
}

/* Room for `words` at head; whatever is oldest goes, but for second chances. Ends,
 * since each turn takes an entry or a filler off or cuts the ring, and an entry is at
 * most a quarter of it. */
static void make_room(const struct cache *cache, struct shard *shard, uint32_t words)
{
    static _Thread_local uint64_t saved[ENTRY_MAX / 8 + HEAD_WORDS];
    unsigned chances = SECOND_CHANCES;
    while (free_run(cache, shard) < words) {
        if (shard->head > shard->tail || (shard->head == shard->tail && !shard->wrapped)) {
            cut_ring(cache, shard);
            continue;
        }
        word *slot = NULL;
        int64_t again = drop_oldest(cache, shard, &slot);
        if (again < 0) {
            continue;
        }
        uint32_t size = (uint32_t)(load(&shard->ring[again]) & SIZE);
        if (chances == 0) {
            save(slot, 0);
            count(shard, -1, -(int64_t)size);
            continue;
        }
        chances--;
        copy_out(saved, shard->ring + again, size);
        write_again(cache, shard, saved, slot);
    }
}

/* How long ago the entry of a slot was written, in words of the log. */
static uint32_t slot_age(const struct cache *cache, const struct shard *shard, uint64_t slot)
{
    uint32_t at = (uint32_t)(slot & SIZE) - 1;
    return shard->head >= at ? shard->head - at : shard->head + cache->ring_words - at;
}

/* A slot for the hash: of the entry it replaces, an empty one, or the oldest, those
 * not asked for before those that were. */
static word *choose_slot(const struct cache *cache, struct shard *shard, uint64_t hash)
{
    word *bucket = bucket_of(cache, shard, hash);
    word *best = NULL;
    uint64_t best_rank = 0;
    for (unsigned way = 0; way < WAYS; way++) {
        uint64_t slot = load(&bucket[way]);
        if (slot && load(&shard->ring[(slot & SIZE) - 1 + HEAD_HASH]) == hash) {
            return &bucket[way];
        }
        bool seen = atomic_load_explicit(&shard->seen[&bucket[way] - shard->slots],
                                         memory_order_relaxed) == SEEN;
        uint64_t rank =
            !slot ? UINT64_MAX : (seen ? 0 : 1ULL << 32) + slot_age(cache, shard, slot) + 1;
        if (rank > best_rank) {
            best = &bucket[way];
            best_rank = rank;
        }
    }
    return best;
}

static void write_entry(struct shard *shard, const struct answer *answer, const uint64_t *head)
{
    word *to = shard->ring + shard->head;
    size_t ttl_at = (answer->len + 1) & ~(size_t)1;
    uint8_t tail[8 + 2];
    copy_in(to, head, HEAD_WORDS * 8);
    to += HEAD_WORDS;
    size_t whole = answer->len / 8 * 8;
    copy_in(to, answer->wire, whole);
    /* The message's last octets and the first TTL places share a word. */
    size_t used = 0;
    for (size_t at = whole; at < ttl_at; at++) {
        tail[used++] = at < answer->len ? answer->wire[at] : 0;
    }
    size_t next = 0;
    while (next < answer->ttl_count && used < 8) {
        memcpy(tail + used, &answer->ttl_at[next++], 2);
        used += 2;
    }
    copy_in(to + whole / 8, tail, used);
    copy_in(to + whole / 8 + 1, answer->ttl_at + next, (answer->ttl_count - next) * 2);
}

void cache_put(struct cache *cache, const struct cache_key *key, const struct answer *answer,
               const struct cache_mark *mark)
{
    size_t ttl_at = (answer->len + 1) & ~(size_t)1;
    size_t octets = ttl_at + answer->ttl_count * 2;
    uint32_t words = (uint32_t)(HEAD_WORDS + (octets + 7) / 8 + 1);
    if (answer->ttl == 0 || octets > ENTRY_MAX - 64 || words > cache->ring_words / 4) {
        return;
    }
    uint64_t hash = hash_of(cache, key);
    struct shard *shard = shard_of(cache, hash);
    if (!lock(shard)) {
        return;
    }
    word *slot = choose_slot(cache, shard, hash);
    if (load(slot)) {
        kill_entry(shard, (uint32_t)(load(slot) & SIZE) - 1, slot);
    }
    make_room(cache, shard, words);
    const uint64_t head[HEAD_WORDS] = {
        [HEAD_SIZE] = words,
        [HEAD_HASH] = hash,
        [HEAD_TIME] = (uint64_t)mark->now_s << 32 | answer->ttl,
        [HEAD_GENERATION] = mark->generation,
        [HEAD_TAG] = mark->tag,
        [HEAD_SHAPE] =
            answer->len | (uint64_t)answer->ttl_count << 16 | (uint64_t)key_flags(key) << 32,
    };
    write_entry(shard, answer, head);
    save(slot, slot_value(hash, shard->head));
    atomic_store_explicit(&shard->seen[slot - shard->slots], 0, memory_order_relaxed);
    advance_head(cache, shard, words);
    count(shard, 1, words);
    unlock(shard);
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
    save(&shard->ring[copy->at + HEAD_GENERATION], generation);
    save(&shard->ring[copy->at + HEAD_TAG], tag);
    unlock(shard);
}

void cache_measure(const struct cache *cache, struct cache_use *ret_use)
{
    *ret_use = (struct cache_use){.bytes_max = cache->bytes};
    for (uint32_t i = 0; i <= cache->shard_mask; i++) {
        struct shard *shard = (struct shard *)&cache->shards[i];
        ret_use->entries += atomic_load_explicit(&shard->entries, memory_order_relaxed);
        ret_use->bytes += 8 * atomic_load_explicit(&shard->used_words, memory_order_relaxed);
    }
}
