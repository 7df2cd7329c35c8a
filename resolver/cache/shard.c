// SPDX-License-Identifier: Apache-2.0
#include "cache/shard.h"

enum { SECOND_CHANCES = 8 }; /* entries kept per put, so that a put stays short */

void words_copy_in(_Atomic uint64_t *to, const void *from, size_t octets)
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

bool shard_lock(struct shard *shard)
{
    uint64_t now = atomic_load_explicit(&shard->sequence, memory_order_relaxed);
    bool taken = !(now & 1) &&
                 atomic_compare_exchange_strong_explicit(
                     &shard->sequence, &now, now + 1, memory_order_acquire, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    return taken;
}

void shard_unlock(struct shard *shard)
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
static _Atomic uint64_t *find_slot(struct shard *shard, uint64_t hash, uint32_t at)
{
    _Atomic uint64_t *bucket = shard_bucket(shard, hash);
    for (unsigned way = 0; way < SHARD_WAYS; way++) {
        if (word_load(&bucket[way]) == shard_slot_value(hash, at)) {
            return &bucket[way];
        }
    }
    return NULL;
}

static void kill_entry(struct shard *shard, uint32_t at, _Atomic uint64_t *slot)
{
    uint64_t size = word_load(&shard->ring[at + HEAD_SIZE]);
    word_save(&shard->ring[at + HEAD_SIZE], size | SHARD_DEAD);
    word_save(slot, 0);
    count(shard, -1, -(int64_t)(size & SHARD_SIZE));
}

/* Free words in one piece behind head; the ring is cut at its end by a filler. */
static uint32_t free_run(const struct shard *shard)
{
    if (shard->head == shard->tail) {
        return shard->wrapped ? 0 : shard->ring_words - shard->head;
    }
    return shard->head > shard->tail ? shard->ring_words - shard->head : shard->tail - shard->head;
}

static void advance_head(struct shard *shard, uint32_t words)
{
    shard->head += words;
    if (shard->head == shard->ring_words) {
        shard->head = 0;
    }
    shard->wrapped = shard->head == shard->tail;
}

/* Take the oldest entry off. Returns its place if it deserves a second chance (it was
 * asked for since it was written), with its slot in *ret_slot, else -1. */
static int64_t drop_oldest(struct shard *shard, _Atomic uint64_t **ret_slot)
{
    uint32_t at = shard->tail;
    uint64_t size = word_load(&shard->ring[at]);
    _Atomic uint64_t *slot = NULL;
    if (!(size & (SHARD_DEAD | SHARD_FILLER))) {
        slot = find_slot(shard, word_load(&shard->ring[at + HEAD_HASH]), at);
    }
    shard->tail += (uint32_t)(size & SHARD_SIZE);
    if (shard->tail == shard->ring_words) {
        shard->tail = 0;
    }
    shard->wrapped = false;
    if (!slot) {
        return -1;
    }
    _Atomic uint8_t *seen = &shard->seen[slot - shard->slots];
    bool wanted = atomic_load_explicit(seen, memory_order_relaxed) == SHARD_SEEN;
    atomic_store_explicit(seen, 0, memory_order_relaxed);
    *ret_slot = slot;
    if (wanted) {
        return at;
    }
    word_save(slot, 0);
    count(shard, -1, -(int64_t)(size & SHARD_SIZE));
    return -1;
}

/* Write a saved entry again at the head. */
static void write_again(struct shard *shard, const uint64_t *saved, _Atomic uint64_t *slot)
{
    uint32_t words = (uint32_t)(saved[HEAD_SIZE] & SHARD_SIZE);
    if (free_run(shard) < words) {
        word_save(slot, 0);
        count(shard, -1, -(int64_t)words);
        return;
    }
    words_copy_in(shard->ring + shard->head, saved, (size_t)words * 8);
    word_save(slot, shard_slot_value(saved[HEAD_HASH], shard->head));
    advance_head(shard, words);
}

/* Fill the piece up to the ring's end, which is too short. */
static void cut_ring(struct shard *shard)
{
    word_save(&shard->ring[shard->head], SHARD_FILLER | (shard->ring_words - shard->head));
    advance_head(shard, shard->ring_words - shard->head);
}

/* Room for `words` at head; whatever is oldest goes, but for second chances. Ends,
 * since each turn takes an entry or a filler off or cuts the ring, and an entry is at
 * most a quarter of it. */
static void make_room(struct shard *shard, uint32_t words)
{
    static _Thread_local uint64_t saved[SHARD_ENTRY_MAX / 8 + HEAD_WORDS];
    unsigned chances = SECOND_CHANCES;
    while (free_run(shard) < words) {
        if (shard->head > shard->tail || (shard->head == shard->tail && !shard->wrapped)) {
            cut_ring(shard);
            continue;
        }
        _Atomic uint64_t *slot = NULL;
        int64_t again = drop_oldest(shard, &slot);
        if (again < 0) {
            continue;
        }
        uint32_t size = (uint32_t)(word_load(&shard->ring[again]) & SHARD_SIZE);
        if (chances == 0) {
            word_save(slot, 0);
            count(shard, -1, -(int64_t)size);
            continue;
        }
        chances--;
        words_copy_out(saved, shard->ring + again, size);
        write_again(shard, saved, slot);
    }
}

/* How long ago the entry of a slot was written, in words of the log. */
static uint32_t slot_age(const struct shard *shard, uint64_t slot)
{
    uint32_t at = (uint32_t)(slot & SHARD_SIZE) - 1;
    return shard->head >= at ? shard->head - at : shard->head + shard->ring_words - at;
}

/* A slot for the hash: of the entry it replaces, an empty one, or the oldest, those
 * not asked for before those that were. */
static _Atomic uint64_t *choose_slot(struct shard *shard, uint64_t hash)
{
    _Atomic uint64_t *bucket = shard_bucket(shard, hash);
    _Atomic uint64_t *best = NULL;
    uint64_t best_rank = 0;
    for (unsigned way = 0; way < SHARD_WAYS; way++) {
        uint64_t slot = word_load(&bucket[way]);
        if (slot && word_load(&shard->ring[(slot & SHARD_SIZE) - 1 + HEAD_HASH]) == hash) {
            return &bucket[way];
        }
        bool seen = atomic_load_explicit(&shard->seen[&bucket[way] - shard->slots],
                                         memory_order_relaxed) == SHARD_SEEN;
        uint64_t rank = !slot ? UINT64_MAX : (seen ? 0 : 1ULL << 32) + slot_age(shard, slot) + 1;
        if (rank > best_rank) {
            best = &bucket[way];
            best_rank = rank;
        }
    }
    return best;
}

_Atomic uint64_t *shard_make_room(struct shard *shard, uint64_t hash, uint32_t words)
{
    _Atomic uint64_t *slot = choose_slot(shard, hash);
    if (word_load(slot)) {
        kill_entry(shard, (uint32_t)(word_load(slot) & SHARD_SIZE) - 1, slot);
    }
    make_room(shard, words);
    return slot;
}

void shard_commit(struct shard *shard, _Atomic uint64_t *slot, uint64_t hash, uint32_t words)
{
    word_save(slot, shard_slot_value(hash, shard->head));
    atomic_store_explicit(&shard->seen[slot - shard->slots], 0, memory_order_relaxed);
    advance_head(shard, words);
    count(shard, 1, words);
}
