// SPDX-License-Identifier: Apache-2.0
#include "cache/shard.h"

enum {
    CHANCES = 16,       /* entries appended again per put, so that a put stays short */
    ENTRY_MEAN = 64,    /* octets, for the size of the index: more slots than entries */
    SMALL_PERCENT = 10, /* of the words; negative entries may fill it, and of the main log */
    NEGATIVE_PERCENT = 14,
    LARGE_WORDS = 64,   /* from here on an entry must be asked for twice to be kept, */
    LARGEST_WORDS = 512 /* and from here on three times: it displaces many */
};

void shard_init(struct shard *shard, void *memory, size_t bytes)
{
    uint32_t buckets = 1;
    while ((size_t)buckets * 2 * SHARD_WAYS * ENTRY_MEAN <= bytes) {
        buckets *= 2;
    }
    size_t slots = (size_t)buckets * SHARD_WAYS, ghosts = (size_t)buckets * SHARD_GHOSTS;
    uint32_t words = (uint32_t)((bytes - slots * 9 - ghosts * 2 - 64) / 8);
    uint32_t small = words / 100 * SMALL_PERCENT;
    *shard = (struct shard){
        .bucket_mask = buckets - 1,
        .ring_words = words,
        .slots = memory,
        .small = {.end = small},
        .main = {.start = small, .end = words, .head = small, .tail = small},
        .negative_most = words / 100 * NEGATIVE_PERCENT,
    };
    shard->ring = shard->slots + slots;
    shard->seen = (_Atomic uint8_t *)(shard->ring + words);
    shard->ghosts = (uint16_t *)(shard->seen + slots);
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

static void add(_Atomic uint64_t *counter, int64_t by)
{
    uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, now + (uint64_t)by, memory_order_relaxed);
}

static bool in_main(const struct shard *shard, uint32_t at)
{
    return at >= shard->main.start;
}

/* An entry comes (+1) or goes (-1). */
static void count(struct shard *shard, uint64_t size, int sign)
{
    int64_t words = sign * (int64_t)shard_words(size);
    add(&shard->entries, sign);
    add(&shard->used_words, words);
    if (size & SHARD_NEGATIVE) {
        add(&shard->negative_words, words);
    }
}

/* The same for its place in the main log. */
static void count_main(struct shard *shard, uint64_t size, int sign)
{
    shard->main_words += (uint32_t)(sign * (int64_t)shard_words(size));
    if (size & SHARD_NEGATIVE) {
        shard->negative_main += (uint32_t)(sign * (int64_t)shard_words(size));
    }
}

static _Atomic uint8_t *seen_of(const struct shard *shard, const _Atomic uint64_t *slot)
{
    return &shard->seen[slot - shard->slots];
}

static uint8_t seen_load(const struct shard *shard, const _Atomic uint64_t *slot)
{
    return atomic_load_explicit(seen_of(shard, slot), memory_order_relaxed);
}

static void seen_save(const struct shard *shard, const _Atomic uint64_t *slot, uint8_t value)
{
    atomic_store_explicit(seen_of(shard, slot), value, memory_order_relaxed);
}

/* The slot that points at the entry, or NULL. */
static _Atomic uint64_t *find_slot(const struct shard *shard, uint64_t hash, uint32_t at)
{
    _Atomic uint64_t *bucket = shard_bucket(shard, hash);
    for (unsigned way = 0; way < SHARD_WAYS; way++) {
        if (word_load(&bucket[way]) == shard_slot_value(hash, at)) {
            return &bucket[way];
        }
    }
    return NULL;
}

/* Take an entry out of index and sums. */
static void forget(struct shard *shard, uint32_t at, _Atomic uint64_t *slot)
{
    uint64_t size = word_load(&shard->ring[at + HEAD_SIZE]);
    word_save(&shard->ring[at + HEAD_SIZE], size | SHARD_DEAD);
    word_save(slot, 0);
    count(shard, size, -1);
    if (in_main(shard, at)) {
        count_main(shard, size, -1);
    }
}

static uint16_t *ghost_bucket(const struct shard *shard, uint64_t hash)
{
    return shard->ghosts + (size_t)(hash >> 8 & shard->bucket_mask) * SHARD_GHOSTS;
}

static uint16_t fingerprint(uint64_t hash)
{
    uint16_t print = (uint16_t)(hash >> 48);
    return print ? print : 1;
}

static void ghost_add(struct shard *shard, uint64_t hash)
{
    uint16_t *ghosts = ghost_bucket(shard, hash);
    memmove(ghosts + 1, ghosts, (SHARD_GHOSTS - 1) * sizeof(*ghosts));
    ghosts[0] = fingerprint(hash);
}

static bool ghost_take(struct shard *shard, uint64_t hash)
{
    uint16_t *ghosts = ghost_bucket(shard, hash);
    for (unsigned i = 0; i < SHARD_GHOSTS; i++) {
        if (ghosts[i] == fingerprint(hash)) {
            ghosts[i] = 0;
            return true;
        }
    }
    return false;
}

/* Free words in one piece behind head; a ring is cut at its end by a filler. */
static uint32_t free_run(const struct log *log)
{
    if (log->head == log->tail) {
        return log->wrapped ? 0 : log->end - log->head;
    }
    return log->head > log->tail ? log->end - log->head : log->tail - log->head;
}

static void advance_head(struct log *log, uint32_t words)
{
    log->head += words;
    if (log->head == log->end) {
        log->head = log->start;
    }
    log->wrapped = log->head == log->tail;
}

/* Take the oldest entry off the log; its words may be written over from now on. Returns
 * its slot, or NULL when it was dead. */
static _Atomic uint64_t *take_oldest(struct shard *shard, struct log *log, uint32_t *ret_at)
{
    uint32_t at = log->tail;
    uint64_t size = word_load(&shard->ring[at]);
    log->tail += shard_words(size);
    if (log->tail == log->end) {
        log->tail = log->start;
    }
    log->wrapped = false;
    *ret_at = at;
    if (size & (SHARD_DEAD | SHARD_FILLER)) {
        return NULL;
    }
    return find_slot(shard, word_load(&shard->ring[at + HEAD_HASH]), at);
}

/* Append the entry at `at` to a log that has room. The places may overlap: the copy goes
 * upwards, and the place is the same or lower, or apart. */
static void move_entry(struct shard *shard, struct log *log, uint32_t at, _Atomic uint64_t *slot)
{
    uint32_t words = shard_words(word_load(&shard->ring[at]));
    uint64_t hash = word_load(&shard->ring[at + HEAD_HASH]);
    for (uint32_t i = 0; i < words; i++) {
        word_save(&shard->ring[log->head + i], word_load(&shard->ring[at + i]));
    }
    word_save(slot, shard_slot_value(hash, log->head));
    advance_head(log, words);
}

/* True when the ring's last piece was too short and has been filled. */
static bool cut_ring(struct shard *shard, struct log *log)
{
    if (log->head < log->tail || (log->head == log->tail && log->wrapped)) {
        return false;
    }
    word_save(&shard->ring[log->head], SHARD_FILLER | (log->end - log->head));
    advance_head(log, log->end - log->head);
    return true;
}

/* Room in the main log. Ends, since each turn takes an entry or a filler off or cuts
 * the ring, and an entry is at most a quarter of it. */
static void make_main_room(struct shard *shard, uint32_t words, unsigned *chances)
{
    struct log *log = &shard->main;
    uint32_t living_most = (log->end - log->start) / 8 * 7;
    while (free_run(log) < words) {
        uint32_t at;
        if (cut_ring(shard, log)) {
            continue;
        }
        _Atomic uint64_t *slot = take_oldest(shard, log, &at);
        if (!slot) {
            continue;
        }
        uint8_t seen = seen_load(shard, slot);
        uint32_t size = shard_words(word_load(&shard->ring[at]));
        bool wanted = (seen & SEEN_FREQ) > 0 || shard->main_words < living_most;
        if (!wanted || *chances == 0 || free_run(log) < size) {
            forget(shard, at, slot);
            continue;
        }
        --*chances;
        seen_save(shard, slot, seen - ((seen & SEEN_FREQ) > 0));
        move_entry(shard, log, at, slot);
    }
}

static unsigned asks_needed(uint32_t words)
{
    return 1 + (words >= LARGE_WORDS) + (words >= LARGEST_WORDS);
}

static bool main_takes(const struct shard *shard, uint64_t size)
{
    return !(size & SHARD_NEGATIVE) ||
           shard->negative_main + shard_words(size) <= shard->negative_most;
}

/* Room in the small log: its oldest moves to the main log or becomes a ghost. */
static void make_small_room(struct shard *shard, uint32_t words, unsigned *chances)
{
    struct log *log = &shard->small;
    while (free_run(log) < words) {
        uint32_t at;
        if (cut_ring(shard, log)) {
            continue;
        }
        _Atomic uint64_t *slot = take_oldest(shard, log, &at);
        if (!slot) {
            continue;
        }
        uint8_t seen = seen_load(shard, slot);
        uint64_t size = word_load(&shard->ring[at]);
        uint32_t own = shard_words(size);
        bool wanted = (seen & SEEN_FREQ) >= asks_needed(own) || free_run(&shard->main) >= own;
        if (!wanted || !main_takes(shard, size)) {
            ghost_add(shard, word_load(&shard->ring[at + HEAD_HASH]));
            forget(shard, at, slot);
            continue;
        }
        make_main_room(shard, own, chances);
        seen_save(shard, slot, seen & (uint8_t)~SEEN_FREQ);
        move_entry(shard, &shard->main, at, slot);
        count_main(shard, size, 1);
    }
}

/* A slot for the hash: of the entry it replaces, an empty one, or that of the entry
 * least asked for, one in the small log before one in the main log. */
static _Atomic uint64_t *choose_slot(const struct shard *shard, uint64_t hash)
{
    _Atomic uint64_t *bucket = shard_bucket(shard, hash);
    _Atomic uint64_t *best = bucket;
    unsigned best_rank = 0;
    for (unsigned way = 0; way < SHARD_WAYS; way++) {
        uint64_t slot = word_load(&bucket[way]);
        uint32_t at = (uint32_t)(slot & SHARD_PLACE) - 1;
        if (slot && word_load(&shard->ring[at + HEAD_HASH]) == hash) {
            return &bucket[way];
        }
        unsigned asked = seen_load(shard, &bucket[way]) & SEEN_FREQ;
        unsigned rank = !slot ? 16 : 1 + 2 * (SEEN_FREQ - asked) + !in_main(shard, at);
        if (rank > best_rank) {
            best = &bucket[way];
            best_rank = rank;
        }
    }
    return best;
}

static bool is_large(const struct shard *shard, const struct shard_entry *entry)
{
    return entry->words > shard->small.end / 4;
}

bool shard_takes(const struct shard *shard, const struct shard_entry *entry)
{
    return entry->words <= shard->ring_words / 4 && !(entry->negative && is_large(shard, entry));
}

bool shard_holds(const struct shard *shard, uint64_t hash)
{
    uint64_t slot = word_load(choose_slot(shard, hash));
    return slot && word_load(&shard->ring[(slot & SHARD_PLACE) - 1 + HEAD_HASH]) == hash;
}

void shard_make_room(struct shard *shard, const struct shard_entry *entry,
                     struct shard_place *ret_place)
{
    unsigned chances = CHANCES;
    uint64_t size = entry->shape | (entry->negative ? SHARD_NEGATIVE : 0);
    _Atomic uint64_t *slot = choose_slot(shard, entry->hash);
    uint64_t old = word_load(slot);
    bool to_main = entry->known_good;
    ret_place->slot = slot;
    ret_place->seen = 0;
    if (old) {
        uint32_t at = (uint32_t)(old & SHARD_PLACE) - 1;
        if (word_load(&shard->ring[at + HEAD_HASH]) == entry->hash) {
            ret_place->seen = seen_load(shard, slot) & SEEN_FREQ;
            to_main |= in_main(shard, at);
        }
        forget(shard, at, slot);
    }
    to_main |= ghost_take(shard, entry->hash);
    to_main = is_large(shard, entry) || (to_main && main_takes(shard, size));
    ret_place->log = to_main ? &shard->main : &shard->small;
    if (to_main) {
        make_main_room(shard, entry->words, &chances);
    } else {
        make_small_room(shard, entry->words, &chances);
    }
}

void shard_commit(struct shard *shard, const struct shard_entry *entry,
                  const struct shard_place *place)
{
    uint64_t size = entry->shape | (entry->negative ? SHARD_NEGATIVE : 0);
    word_save(&shard->ring[place->log->head + HEAD_SIZE], size);
    word_save(place->slot, shard_slot_value(entry->hash, place->log->head));
    seen_save(shard, place->slot, place->seen);
    advance_head(place->log, entry->words);
    count(shard, size, 1);
    if (place->log == &shard->main) {
        count_main(shard, size, 1);
    }
}

void shard_walk(const struct shard *shard, const struct log *log, shard_visit visit, void *context)
{
    uint32_t at = log->tail;
    bool more = log->head != log->tail || log->wrapped;
    while (more) {
        uint64_t size = word_load(&shard->ring[at]);
        const _Atomic uint64_t *slot =
            size & (SHARD_DEAD | SHARD_FILLER)
                ? NULL
                : find_slot(shard, word_load(&shard->ring[at + HEAD_HASH]), at);
        if (slot) {
            visit(context, shard, at, seen_load(shard, slot));
        }
        at += shard_words(size);
        at = at == log->end ? log->start : at;
        more = at != log->head;
    }
}
