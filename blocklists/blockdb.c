// SPDX-License-Identifier: Apache-2.0
#include "blocklists/blockdb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/hash_inline.h"
#include "blocklists/blockdb_layout.h"

struct blockdb {
    const uint8_t *map;
    size_t size;
    const uint8_t *lines;
    uint64_t seed;
    uint32_t homes;
    uint32_t line_count;
    uint8_t max_labels;
    uint32_t *starts; /* [classes + 1] into items */
    struct blockdb_item *items;
    struct blockdb_source *sources;
    struct blockdb_info info;
};

/* A table of the file: where it starts and how many octets it has. */
struct section {
    uint64_t at;
    uint64_t bytes;
};

static bool section_fits(const struct blockdb *db, const struct section *section)
{
    return section->at >= BLOCKDB_HEADER && section->at <= db->size &&
           section->bytes <= db->size - section->at;
}

/* Copied out of the file, so that a big-endian machine has its own order and a
 * class is one load away. */
static int read_classes(struct blockdb *db, const uint8_t *head)
{
    uint32_t item_count = le32_load(head + BLOCKDB_AT_ITEMS);
    struct section table = {le64_load(head + BLOCKDB_AT_CLASS_TABLE),
                            4 * ((uint64_t)db->info.classes + 1)};
    struct section items = {le64_load(head + BLOCKDB_AT_ITEM_TABLE), 4 * (uint64_t)item_count};
    if (db->info.classes > BLOCKDB_CLASS_MAX || !section_fits(db, &table) ||
        !section_fits(db, &items)) {
        return -EBADMSG;
    }
    db->starts = malloc((size_t)table.bytes);
    db->items = malloc((size_t)items.bytes + 1);
    if (!db->starts || !db->items) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i <= db->info.classes; i++) {
        db->starts[i] = le32_load(db->map + table.at + 4 * (size_t)i);
        bool rises = i == 0 ? db->starts[i] == 0 : db->starts[i] > db->starts[i - 1];
        if (!rises || db->starts[i] > item_count) {
            return -EBADMSG;
        }
    }
    for (uint32_t i = 0; i < item_count; i++) {
        const uint8_t *at = db->map + items.at + 4 * (size_t)i;
        db->items[i] = (struct blockdb_item){le16_load(at), at[2], at[3]};
        if (db->items[i].source >= db->info.sources) {
            return -EBADMSG;
        }
    }
    return 0;
}

static const char *read_string(const struct blockdb *db, const struct section *strings, uint32_t at)
{
    const char *text = (const char *)db->map + strings->at;
    return at < strings->bytes && memchr(text + at, 0, (size_t)(strings->bytes - at)) ? text + at
                                                                                      : NULL;
}

static int read_sources(struct blockdb *db, const uint8_t *head)
{
    struct section table = {le64_load(head + BLOCKDB_AT_SOURCE_TABLE),
                            BLOCKDB_SOURCE * (uint64_t)db->info.sources};
    struct section strings = {le64_load(head + BLOCKDB_AT_STRINGS),
                              le64_load(head + BLOCKDB_AT_STRING_BYTES)};
    if (db->info.sources > UINT16_MAX || !section_fits(db, &table) || !section_fits(db, &strings)) {
        return -EBADMSG;
    }
    db->sources = calloc(db->info.sources + 1, sizeof(*db->sources));
    if (!db->sources) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < db->info.sources; i++) {
        const uint8_t *at = db->map + table.at + BLOCKDB_SOURCE * (size_t)i;
        struct blockdb_source *source = &db->sources[i];
        source->id = read_string(db, &strings, le32_load(at + BLOCKDB_SOURCE_ID));
        source->category = read_string(db, &strings, le32_load(at + BLOCKDB_SOURCE_CATEGORY));
        source->url = read_string(db, &strings, le32_load(at + BLOCKDB_SOURCE_URL));
        source->version = read_string(db, &strings, le32_load(at + BLOCKDB_SOURCE_VERSION));
        source->fetched_at = (int64_t)le64_load(at + BLOCKDB_SOURCE_FETCHED);
        source->entries = le64_load(at + BLOCKDB_SOURCE_ENTRIES);
        if (!source->id || !source->category || !source->url || !source->version) {
            return -EBADMSG;
        }
    }
    return 0;
}

static int read_lines(struct blockdb *db, const uint8_t *head)
{
    db->seed = le64_load(head + BLOCKDB_AT_SEED);
    db->homes = le32_load(head + BLOCKDB_AT_HOMES);
    db->line_count = le32_load(head + BLOCKDB_AT_LINES);
    db->max_labels = head[BLOCKDB_AT_LABELS];
    db->lines = db->map + BLOCKDB_HEADER;
    struct section lines = {BLOCKDB_HEADER, BLOCKDB_LINE * (uint64_t)db->line_count};
    bool ok = db->homes > 0 && db->homes <= BLOCKDB_LINES_MAX && db->line_count >= db->homes &&
              db->max_labels <= DNAME_LABELS_MAX && section_fits(db, &lines);
    return ok ? 0 : -EBADMSG;
}

/* The checksum comes before the version, so that a flipped bit there is damage and
 * only a whole file of another version is -EPROTO. */
static int verify(struct blockdb *db, struct diag *diag)
{
    const uint8_t *head = db->map;
    if (!head || memcmp(head, "GGDB", 4) != 0) {
        return diag_set(diag, -EBADMSG, "not a blocklist database");
    }
    if (le64_load(head + BLOCKDB_AT_BYTES) != db->size) {
        return diag_set(diag, -EBADMSG, "damaged: wrong length");
    }
    uint64_t checksum = le64_load(head + BLOCKDB_AT_CHECKSUM);
    if (checksum != blockdb_checksum(db->map, db->size)) {
        return diag_set(diag, -EBADMSG, "damaged: wrong checksum");
    }
    if (le32_load(head + BLOCKDB_AT_VERSION) != BLOCKDB_VERSION) {
        return diag_set(diag, -EPROTO, "format version %u, this program reads version %d",
                        le32_load(head + BLOCKDB_AT_VERSION), BLOCKDB_VERSION);
    }
    db->info = (struct blockdb_info){
        .names = le64_load(head + BLOCKDB_AT_NAMES),
        .bytes = db->size,
        .classes = le32_load(head + BLOCKDB_AT_CLASSES),
        .sources = le32_load(head + BLOCKDB_AT_SOURCES),
        .generation = checksum ? checksum : 1,
        .built_at = (int64_t)le64_load(head + BLOCKDB_AT_BUILT),
    };
    int err = read_lines(db, head);
    err = err < 0 ? err : read_classes(db, head);
    err = err < 0 ? err : read_sources(db, head);
    return err == -EBADMSG ? diag_set(diag, err, "damaged: a table is out of bounds") : err;
}

static int map_file(struct blockdb *db, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    int err = 0;
    struct stat st;
    if (fstat(fd, &st) < 0) {
        err = -errno;
        goto out;
    }
    if (!S_ISREG(st.st_mode) || st.st_size < BLOCKDB_HEADER ||
        (uint64_t)st.st_size > SIZE_MAX / 2) {
        err = -EBADMSG;
        goto out;
    }
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (map == MAP_FAILED) {
        err = -errno;
        goto out;
    }
    db->map = map;
    db->size = (size_t)st.st_size;
out:
    close(fd);
    return err;
}

int blockdb_open(const char *path, struct blockdb **ret_db, struct diag *diag)
{
    struct blockdb *db = calloc(1, sizeof(*db));
    if (!db) {
        return -ENOMEM;
    }
    int err = map_file(db, path);
    if (err < 0) {
        diag_at(diag, path, 0, 0);
        diag_set(diag, err, "%s", err == -EBADMSG ? "damaged: too short" : strerror(-err));
        goto out;
    }
    err = verify(db, diag);
    if (err < 0) {
        diag_at(diag, path, 0, 0);
        goto out;
    }
    *ret_db = db;
    db = NULL;
out:
    blockdb_close(db);
    return err;
}

void blockdb_close(struct blockdb *db)
{
    if (!db) {
        return;
    }
    if (db->map) {
        munmap((void *)(uintptr_t)db->map, db->size);
    }
    free(db->starts);
    free(db->items);
    free(db->sources);
    free(db);
}

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

void blockdb_probe(const struct blockdb *db, const struct dname *name, struct blockdb_probe *probe)
{
    const unsigned labels = name->labels;
    const struct hash_tail tail = hash_tail(db->seed, name->wire, name->len);
    probe->count = (uint8_t)labels;
    probe->first = (uint8_t)(labels > db->max_labels ? labels - db->max_labels : 0);
    for (unsigned skip = probe->first; skip < labels; skip++) {
        size_t at = name->offset[skip];
        uint64_t hash = hash_suffix(&tail, name->wire + at, name->len - at);
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
        uint16_t id = find_class(db, probe->hash[skip]);
        if (id) {
            hits[count++] = (struct blockdb_hit){.class_id = id, .skip = (uint8_t)skip};
        }
    }
    return count;
}
