// SPDX-License-Identifier: Apache-2.0
/* The file as it is mapped and verified: every table is checked against its length. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blocklists/blockdb_layout.h"
#include "blocklists/blockdb_map.h"

enum { PIECE = 64 << 10 }; /* is read at a time; stays in a processor's cache */

/* A table of the file: where it starts and how many octets it has. */
struct section {
    uint64_t at;
    uint64_t bytes;
};

static bool is_first_version(const struct blockdb *db)
{
    return db->info.version == 1;
}

static size_t header_bytes(const struct blockdb *db)
{
    return is_first_version(db) ? BLOCKDB_HEADER_1 : BLOCKDB_HEADER;
}

static bool section_fits(const struct blockdb *db, const struct section *section)
{
    return section->at >= header_bytes(db) && section->at <= db->size &&
           section->bytes <= db->size - section->at;
}

/* Copied out of the file, so that a big-endian machine has its own order and a
 * class is one load away. */
static int read_classes(struct blockdb *db, const uint8_t *head)
{
    uint32_t item_count = le32_load(head + BLOCKDB_AT_ITEMS);
    struct section table = {le64_load(head + BLOCKDB_AT_CLASS_TABLE),
                            4 * ((uint64_t)db->info.classes + 1)};
    size_t item_bytes = is_first_version(db) ? BLOCKDB_ITEM_1 : BLOCKDB_ITEM;
    struct section items = {le64_load(head + BLOCKDB_AT_ITEM_TABLE),
                            item_bytes * (uint64_t)item_count};
    if (db->info.classes > BLOCKDB_CLASS_MAX || !section_fits(db, &table) ||
        !section_fits(db, &items)) {
        return -EBADMSG;
    }
    db->starts = malloc((size_t)table.bytes);
    db->items = calloc((size_t)item_count + 1, sizeof(*db->items));
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
        const uint8_t *at = db->map + items.at + item_bytes * i;
        uint32_t data = is_first_version(db) ? 0 : le32_load(at + 4);
        db->items[i] = (struct blockdb_item){le16_load(at), at[2], at[3], data};
        if (db->items[i].source >= db->info.sources || at[3] >= BLOCKDB_ACTIONS ||
            data > db->data_count || (data == 0 && at[3] == BLOCKDB_LOCAL)) {
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
    size_t record_bytes = is_first_version(db) ? BLOCKDB_SOURCE_1 : BLOCKDB_SOURCE;
    struct section table = {le64_load(head + BLOCKDB_AT_SOURCE_TABLE),
                            record_bytes * (uint64_t)db->info.sources};
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
        const uint8_t *at = db->map + table.at + record_bytes * i;
        struct blockdb_source *source = &db->sources[i];
        source->id = read_string(db, &strings, le32_load(at + BLOCKDB_SOURCE_ID));
        source->category = read_string(db, &strings, le32_load(at + BLOCKDB_SOURCE_CATEGORY));
        source->url = read_string(db, &strings, le32_load(at + BLOCKDB_SOURCE_URL));
        source->version = read_string(db, &strings, le32_load(at + BLOCKDB_SOURCE_VERSION));
        source->fetched_at = (int64_t)le64_load(at + BLOCKDB_SOURCE_FETCHED);
        source->entries = le64_load(at + BLOCKDB_SOURCE_ENTRIES);
        if (!is_first_version(db)) {
            source->format = at[BLOCKDB_SOURCE_FORMAT];
            source->match = at[BLOCKDB_SOURCE_MATCH];
        }
        if (!source->id || !source->category || !source->url || !source->version) {
            return -EBADMSG;
        }
    }
    return 0;
}

static int read_patterns(struct blockdb *db, const uint8_t *head)
{
    struct section table = {le64_load(head + BLOCKDB_AT_PATTERN_TABLE),
                            BLOCKDB_PATTERN * (uint64_t)db->info.patterns};
    struct section strings = {le64_load(head + BLOCKDB_AT_STRINGS),
                              le64_load(head + BLOCKDB_AT_STRING_BYTES)};
    if (db->info.patterns > BLOCKDB_PATTERNS_MAX || !section_fits(db, &table) ||
        !section_fits(db, &strings)) {
        return -EBADMSG;
    }
    db->patterns = calloc(db->info.patterns + 1, sizeof(*db->patterns));
    if (!db->patterns) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < db->info.patterns; i++) {
        const uint8_t *at = db->map + table.at + BLOCKDB_PATTERN * (size_t)i;
        struct blockdb_pattern *pattern = &db->patterns[i];
        pattern->text = read_string(db, &strings, le32_load(at + BLOCKDB_PATTERN_TEXT));
        pattern->source = le16_load(at + BLOCKDB_PATTERN_SOURCE);
        pattern->flags = at[BLOCKDB_PATTERN_FLAGS];
        pattern->action = at[BLOCKDB_PATTERN_ACTION];
        if (!pattern->text || pattern->source >= db->info.sources ||
            pattern->action >= BLOCKDB_LOCAL) {
            return -EBADMSG;
        }
    }
    return 0;
}

/* Whole records, each within its bounds. */
static bool data_is_whole(const struct blockdb_data *data)
{
    size_t at = 0;
    while (at < data->len) {
        if (data->len - at < 8) {
            return false;
        }
        size_t rdlen = (size_t)data->records[at + 6] << 8 | data->records[at + 7];
        if (data->len - at - 8 < rdlen) {
            return false;
        }
        at += 8 + rdlen;
    }
    return data->len > 0;
}

static int read_data(struct blockdb *db, const uint8_t *head)
{
    db->data_count = le32_load(head + BLOCKDB_AT_DATA);
    struct section table = {le64_load(head + BLOCKDB_AT_DATA_TABLE),
                            BLOCKDB_DATUM * (uint64_t)db->data_count};
    if (!section_fits(db, &table)) {
        return -EBADMSG;
    }
    struct section octets = {table.at + table.bytes, le64_load(head + BLOCKDB_AT_DATA_BYTES)};
    if (!section_fits(db, &octets)) {
        return -EBADMSG;
    }
    db->data = calloc((size_t)db->data_count + 1, sizeof(*db->data));
    if (!db->data) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < db->data_count; i++) {
        const uint8_t *at = db->map + table.at + BLOCKDB_DATUM * (size_t)i;
        uint64_t begin = le32_load(at);
        uint64_t len = le32_load(at + 4);
        db->data[i] = (struct blockdb_data){db->map + octets.at + begin, (size_t)len};
        if (begin > octets.bytes || len > octets.bytes - begin || !data_is_whole(&db->data[i])) {
            return -EBADMSG;
        }
    }
    return 0;
}

/* Version 1 says only how long the longest name is. */
static int read_lengths(struct blockdb *db, const uint8_t *head)
{
    if (is_first_version(db)) {
        db->labels_max = head[BLOCKDB_AT_LABELS_1];
        db->whole_names = true;
        return db->labels_max <= DNAME_LABELS_MAX ? 0 : -EBADMSG;
    }
    for (unsigned i = 0; i < 2; i++) {
        db->labels[i] = le64_load(head + BLOCKDB_AT_LABELS + 8 * (size_t)i);
    }
    for (unsigned i = 0; i < 3; i++) {
        db->prefixes[i] = le64_load(head + BLOCKDB_AT_PREFIXES + 8 * (size_t)i);
    }
    db->prefixes_4 = le64_load(head + BLOCKDB_AT_PREFIXES_4);
    for (unsigned n = 0; n <= DNAME_LABELS_MAX; n++) {
        db->labels_max = db->labels[n / 64] >> n % 64 & 1 ? n : db->labels_max;
    }
    return db->prefixes[2] > 1 || db->prefixes_4 >> 33 ? -EBADMSG : 0;
}

static int read_lines(struct blockdb *db, const uint8_t *head)
{
    db->seed = le64_load(head + BLOCKDB_AT_SEED);
    db->homes = le32_load(head + BLOCKDB_AT_HOMES);
    db->line_count = le32_load(head + BLOCKDB_AT_LINES);
    db->lines = db->map + header_bytes(db);
    struct section lines = {header_bytes(db), BLOCKDB_LINE * (uint64_t)db->line_count};
    bool ok = db->homes > 0 && db->homes <= BLOCKDB_LINES_MAX && db->line_count >= db->homes &&
              section_fits(db, &lines);
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
    if (checksum != db->checksum) {
        return diag_set(diag, -EBADMSG, "damaged: wrong checksum");
    }
    uint32_t version = le32_load(head + BLOCKDB_AT_VERSION);
    if (version != BLOCKDB_VERSION && version != BLOCKDB_VERSION - 1) {
        return diag_set(diag, -EPROTO, "format version %u, this program reads versions %d and %d",
                        version, BLOCKDB_VERSION - 1, BLOCKDB_VERSION);
    }
    db->info = (struct blockdb_info){
        .version = version,
        .names = le64_load(head + BLOCKDB_AT_NAMES),
        .bytes = db->size,
        .classes = le32_load(head + BLOCKDB_AT_CLASSES),
        .sources = le32_load(head + BLOCKDB_AT_SOURCES),
        .generation = checksum ? checksum : 1,
        .built_at = (int64_t)le64_load(head + BLOCKDB_AT_BUILT),
    };
    if (db->size < header_bytes(db)) {
        return diag_set(diag, -EBADMSG, "damaged: too short");
    }
    int err = read_lengths(db, head);
    err = err < 0 ? err : read_lines(db, head);
    if (version > 1) {
        db->info.addresses = le64_load(head + BLOCKDB_AT_ADDRESSES);
        db->info.patterns = le32_load(head + BLOCKDB_AT_PATTERNS);
        err = err < 0 ? err : read_data(db, head);
        err = err < 0 ? err : read_patterns(db, head);
    }
    err = err < 0 ? err : read_classes(db, head);
    err = err < 0 ? err : read_sources(db, head);
    return err == -EBADMSG ? diag_set(diag, err, "damaged: a table is out of bounds") : err;
}

/* Fill a piece of the file; -EIO also when it ends before. */
static int read_piece(int fd, uint8_t *piece, size_t len, uint64_t at)
{
    while (len > 0) {
        ssize_t got = pread(fd, piece, len, (off_t)at);
        if (got < 0 && errno != EINTR) {
            return -errno;
        }
        if (got == 0) {
            return -EIO;
        }
        piece += got > 0 ? got : 0;
        at += got > 0 ? (uint64_t)got : 0;
        len -= got > 0 ? (size_t)got : 0;
    }
    return 0;
}

/* blockdb_checksum() of a file that is not mapped yet: what a disk cannot read is an
 * error here, where the same page of a mapping would be a signal. */
static int sum_file(int fd, size_t size, uint64_t *ret_checksum)
{
    uint8_t *piece = malloc(PIECE);
    struct hash_stream *stream = NULL;
    int err = piece ? 0 : -ENOMEM;
    for (size_t at = 0; err == 0 && at < size; at += PIECE) {
        size_t len = size - at < PIECE ? size - at : PIECE;
        size_t skip = at == 0 ? BLOCKDB_AT_CONTENT : 0;
        err = read_piece(fd, piece, len, at);
        if (err == 0 && at == 0) {
            stream = hash_stream_new(hash_seeded(0, piece, BLOCKDB_AT_CHECKSUM));
            err = stream ? 0 : -ENOMEM;
        }
        if (err == 0) {
            hash_stream_add(stream, piece + skip, len - skip);
        }
    }
    free(piece);
    *ret_checksum = stream ? hash_stream_end(stream) : 0;
    return err;
}

/* Lookups need no page fault then. Where the kernel does not know it (before 5.14) or
 * cannot, pages come when they are touched. */
static void touch(void *map, size_t size)
{
#ifdef MADV_POPULATE_READ
    (void)madvise(map, size, MADV_POPULATE_READ);
#else
    (void)map, (void)size;
#endif
}

static int map_file(struct blockdb *db, const char *path, struct diag *diag)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* never wait for a writer */
    if (fd < 0) {
        return -errno;
    }
    int err = 0;
    struct stat st;
    if (fstat(fd, &st) < 0) {
        err = -errno;
        goto out;
    }
    if (!S_ISREG(st.st_mode)) {
        err = diag_set(diag, -EBADMSG, "not a file");
        goto out;
    }
    if (st.st_size < BLOCKDB_HEADER_1 || (uint64_t)st.st_size > SIZE_MAX / 2) {
        err = diag_set(diag, -EBADMSG, "damaged: too short");
        goto out;
    }
    err = sum_file(fd, (size_t)st.st_size, &db->checksum);
    if (err < 0) {
        goto out;
    }
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        err = -errno;
        goto out;
    }
    touch(map, (size_t)st.st_size);
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
    int err = map_file(db, path, diag);
    if (err < 0 && err != -EBADMSG) {
        diag_set(diag, err, "%s", strerror(-err));
    }
    err = err < 0 ? err : verify(db, diag);
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
    free(db->patterns);
    free(db->data);
    free(db);
}
