// SPDX-License-Identifier: Apache-2.0
#include "blocklists/blockdb.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "blocklists/blockdb_key.h"
#include "blocklists/blockdb_map.h"

const struct blockdb_info *blockdb_info(const struct blockdb *db)
{
    return &db->info;
}

const struct blockdb_source *blockdb_source(const struct blockdb *db, unsigned index)
{
    return index < db->info.sources ? &db->sources[index] : NULL;
}

const struct blockdb_item *blockdb_class(const struct blockdb *db, uint16_t class_id,
                                         size_t *ret_count)
{
    if (class_id == 0 || class_id > db->info.classes) {
        *ret_count = 0;
        return NULL;
    }
    uint32_t start = db->starts[class_id - 1];
    *ret_count = db->starts[class_id] - start;
    return db->items + start;
}

static const uint8_t *home_line(const struct blockdb *db, uint64_t hash)
{
    return db->lines + (size_t)blockdb_home(hash, db->homes) * BLOCKDB_LINE;
}

static void probe_whole_names(const struct blockdb *db, const struct dname *name,
                              struct blockdb_probe *probe)
{
    const struct hash_tail tail = hash_tail(db->seed, name->wire, name->len);
    for (unsigned skip = probe->first; skip < probe->count; skip++) {
        size_t at = name->offset[skip];
        uint64_t hash = hash_suffix(&tail, name->wire + at, name->len - at);
        probe->hash[skip] = hash;
        __builtin_prefetch(home_line(db, hash));
    }
}

void blockdb_probe(const struct blockdb *db, const struct dname *name, struct blockdb_probe *probe)
{
    const unsigned labels = name->labels;
    probe->count = (uint8_t)labels;
    probe->first = (uint8_t)(labels > db->labels_max ? labels - db->labels_max : 0);
    if (db->whole_names) {
        probe_whole_names(db, name, probe);
        return;
    }
    uint64_t hash = db->seed;
    for (unsigned skip = labels; skip-- > probe->first;) {
        hash = blockdb_hash_label(hash, name->wire + name->offset[skip]);
        probe->hash[skip] = hash;
        __builtin_prefetch(home_line(db, hash));
    }
}

/* Bit i: slot i has these low 32 bits. */
static unsigned match_low(const uint8_t *line, uint32_t low)
{
#ifdef __SSE2__
    const __m128i want = _mm_set1_epi32((int)low);
    __m128i a = _mm_loadu_si128((const __m128i *)(const void *)line);
    __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(line + 16));
    __m128i both = _mm_packs_epi32(_mm_cmpeq_epi32(a, want), _mm_cmpeq_epi32(b, want));
    unsigned mask = (unsigned)_mm_movemask_epi8(_mm_packs_epi16(both, _mm_setzero_si128()));
    return mask | (unsigned)(le32_load(line + 32) == low) << 8;
#else
    unsigned mask = 0;
    for (unsigned i = 0; i < BLOCKDB_SLOTS; i++) {
        mask |= (unsigned)(le32_load(line + 4 * i) == low) << i;
    }
    return mask;
#endif
}

/* The class of a hash, or 0. */
static uint16_t find_class(const struct blockdb *db, uint64_t hash)
{
    uint32_t at = blockdb_home(hash, db->homes);
    const uint8_t high = (uint8_t)(hash >> 32);
    for (unsigned step = 0; step < BLOCKDB_RUN_MAX && at < db->line_count; step++, at++) {
        const uint8_t *line = db->lines + (size_t)at * BLOCKDB_LINE;
        for (unsigned mask = match_low(line, (uint32_t)hash); mask; mask &= mask - 1) {
            unsigned slot = (unsigned)__builtin_ctz(mask);
            uint16_t id = le16_load(line + BLOCKDB_LINE_CLASS + (size_t)2 * slot);
            if (id && line[BLOCKDB_LINE_HIGH + slot] == high) {
                return id <= db->info.classes ? id : 0;
            }
        }
        if (!(line[BLOCKDB_LINE_FILTER] >> (hash & 7) & 1)) {
            break;
        }
    }
    return 0;
}

size_t blockdb_find(const struct blockdb *db, const struct blockdb_probe *probe,
                    struct blockdb_hit hits[DNAME_LABELS_MAX])
{
    size_t count = 0;
    for (unsigned skip = probe->first; skip < probe->count; skip++) {
        unsigned labels = probe->count - skip;
        if (!db->whole_names && !(db->labels[labels / 64] >> labels % 64 & 1)) {
            continue; /* no entry is that long */
        }
        uint16_t id = find_class(db, probe->hash[skip]);
        if (id) {
            hits[count++] = (struct blockdb_hit){.class_id = id, .skip = (uint8_t)skip};
        }
    }
    return count;
}

static bool has_prefixes(const struct blockdb *db, bool four, unsigned bits)
{
    return four ? db->prefixes_4 >> bits & 1 : db->prefixes[bits / 64] >> bits % 64 & 1;
}

size_t blockdb_find_address(const struct blockdb *db, const struct addr *addr,
                            struct blockdb_address_hit hits[BLOCKDB_ADDRESS_HITS_MAX])
{
    size_t count = 0;
    uint8_t key[BLOCKDB_ADDRESS_KEY_MAX];
    const bool four = addr->family == AF_INET;
    if (db->info.addresses == 0) {
        return 0;
    }
    for (unsigned bits = four ? 33 : 129; bits-- > 0;) {
        if (!has_prefixes(db, four, bits)) {
            continue;
        }
        size_t len = blockdb_address_key(addr, bits, key);
        uint16_t id = find_class(db, hash_seeded_inline(db->seed, key, len));
        if (id) {
            hits[count++] = (struct blockdb_address_hit){id, (uint8_t)bits};
        }
    }
    return count;
}

struct blockdb_data blockdb_data(const struct blockdb *db, uint32_t index)
{
    return index && index <= db->data_count ? db->data[index - 1] : (struct blockdb_data){0};
}

const struct blockdb_pattern *blockdb_pattern(const struct blockdb *db, uint32_t index)
{
    return index < db->info.patterns ? &db->patterns[index] : NULL;
}
