// SPDX-License-Identifier: Apache-2.0
#include "blocklists/fold.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "blocklists/blockdb_key.h"

enum { SLOTS = 1 << 20, PENDING = 16 };

struct fold_set {
    uint64_t *slots; /* hashes, 0 = free; at hash's high bits, then the next free one */
    size_t count;
    unsigned shift; /* hashes with bits under this many low ones are kept no more */
    /* The last ones, 0 = none: they come in when the memory of their slots has come. */
    uint64_t pending[PENDING];
    unsigned next;
};

struct fold_set *fold_set_new(void)
{
    struct fold_set *set = calloc(1, sizeof(*set));
    void *map = mmap(NULL, SLOTS * sizeof(uint64_t), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!set || map == MAP_FAILED) {
        free(set);
        return NULL;
    }
    set->slots = map;
    return set;
}

void fold_set_free(struct fold_set *set)
{
    if (set) {
        munmap(set->slots, SLOTS * sizeof(uint64_t));
        free(set);
    }
}

static bool is_kept(const struct fold_set *set, uint64_t hash)
{
    return (hash & ((1ULL << set->shift) - 1)) == 0;
}

static size_t find_slot(const struct fold_set *set, uint64_t hash)
{
    size_t at = hash >> 44;
    while (set->slots[at] && set->slots[at] != hash) {
        at = (at + 1) % SLOTS;
    }
    return at;
}

static void insert(struct fold_set *set, uint64_t hash)
{
    size_t at = find_slot(set, hash);
    set->count += set->slots[at] == 0;
    set->slots[at] = hash;
}

/* Halve what is kept. The run of used slots that wraps around the end is taken out and
 * put back with the rest, slot by slot. */
static void shrink(struct fold_set *set)
{
    size_t first = 0;
    set->shift++;
    set->count = 0;
    while (set->slots[first]) {
        first++;
    }
    for (size_t i = 1; i <= SLOTS; i++) {
        size_t at = (first + i) % SLOTS;
        uint64_t hash = set->slots[at];
        set->slots[at] = 0;
        if (hash && is_kept(set, hash)) {
            insert(set, hash);
        }
    }
}

/* Never 0, which stands for a free slot; the lowest bits are for is_kept(). */
static uint64_t mark(uint64_t hash)
{
    return hash | 1ULL << 43;
}

/* `hash` takes the place of the oldest that waits, which goes into the set. */
static void replace_oldest(struct fold_set *set, uint64_t hash)
{
    uint64_t oldest = set->pending[set->next];
    set->pending[set->next] = hash;
    set->next = (set->next + 1) % PENDING;
    if (oldest && is_kept(set, oldest)) {
        insert(set, oldest);
    }
    if (set->count > FOLD_NAMES_MAX) {
        shrink(set);
    }
}

void fold_set_add(struct fold_set *set, uint64_t key, const struct dname *name)
{
    uint64_t hash = key;
    for (unsigned skip = name->labels; skip-- > 0;) {
        hash = blockdb_hash_label(hash, name->wire + name->offset[skip]);
    }
    if (is_kept(set, mark(hash))) {
        __builtin_prefetch(&set->slots[mark(hash) >> 44], 1);
        replace_oldest(set, mark(hash));
    }
}

void fold_set_settle(struct fold_set *set)
{
    for (unsigned i = 0; i < PENDING; i++) {
        replace_oldest(set, 0);
    }
}

unsigned fold_set_parent(const struct fold_set *set, uint64_t key, const struct dname *name,
                         unsigned from)
{
    unsigned found = 0;
    uint64_t hash = key;
    for (unsigned skip = name->labels; set->count && skip-- > from;) {
        hash = blockdb_hash_label(hash, name->wire + name->offset[skip]);
        if (is_kept(set, mark(hash)) && set->slots[find_slot(set, mark(hash))]) {
            found = skip;
        }
    }
    return found;
}
