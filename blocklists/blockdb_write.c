// SPDX-License-Identifier: Apache-2.0
#include "blocklists/blockdb_write.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "blocklists/blockdb_key.h"

enum {
    WINDOW = 2 * BLOCKDB_RUN_MAX, /* lines held back, more than a run can span */
    INTERN_SLOTS = 1 << 17,       /* twice the classes that can exist */
    BUFFER = 1 << 16,
};

struct blockdb_writer {
    int fd;
    const struct blockdb_plan *plan;
    uint32_t homes;
    uint32_t base;                        /* lines before this one are written */
    uint32_t end;                         /* lines from here on are empty */
    uint8_t window[WINDOW][BLOCKDB_LINE]; /* line i stands at i % WINDOW */
    uint8_t used[WINDOW];
    uint64_t added;
    uint64_t last;

    uint32_t classes;
    uint32_t *starts; /* [classes + 1] */
    size_t starts_cap;
    struct blockdb_item *items;
    size_t item_count, items_cap;
    uint16_t *intern; /* class ids by hash of their items, 0 = free */

    uint8_t *buffer;
    size_t buffered;
    uint64_t written; /* file offset behind the buffer's start */
};

uint64_t blockdb_hash(uint64_t seed, const struct dname *name)
{
    uint64_t hash = seed;
    for (unsigned skip = name->labels; skip-- > 0;) {
        hash = blockdb_hash_label(hash, name->wire + name->offset[skip]);
    }
    return hash;
}

uint64_t blockdb_hash_address(uint64_t seed, const struct prefix *prefix)
{
    uint8_t key[BLOCKDB_ADDRESS_KEY_MAX];
    size_t len = blockdb_address_key(&prefix->addr, prefix->bits, key);
    return hash_seeded_inline(seed, key, len);
}

static int write_all(int fd, const uint8_t *data, size_t len, uint64_t at)
{
    while (len > 0) {
        ssize_t done = pwrite(fd, data, len, (off_t)at);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return done < 0 ? -errno : -EIO;
        }
        data += done;
        len -= (size_t)done;
        at += (uint64_t)done;
    }
    return 0;
}

static int flush(struct blockdb_writer *w)
{
    int err = write_all(w->fd, w->buffer, w->buffered, w->written);
    w->written += w->buffered;
    w->buffered = 0;
    return err;
}

static int put(struct blockdb_writer *w, const void *data, size_t len)
{
    const uint8_t *at = data;
    while (len > 0) {
        if (w->buffered == BUFFER) {
            int err = flush(w);
            if (err < 0) {
                return err;
            }
        }
        size_t part = len < BUFFER - w->buffered ? len : BUFFER - w->buffered;
        memcpy(w->buffer + w->buffered, at, part);
        w->buffered += part;
        at += part;
        len -= part;
    }
    return 0;
}

static uint64_t position(const struct blockdb_writer *w)
{
    return w->written + w->buffered;
}

/* Write the lines before `upto` and make room for new ones. */
static int drain(struct blockdb_writer *w, uint32_t upto)
{
    for (; w->base < upto; w->base++) {
        unsigned at = w->base % WINDOW;
        int err = put(w, w->window[at], BLOCKDB_LINE);
        if (err < 0) {
            return err;
        }
        memset(w->window[at], 0, BLOCKDB_LINE);
        w->used[at] = 0;
    }
    return 0;
}

static bool line_holds(const uint8_t *line, unsigned used, uint64_t hash)
{
    for (unsigned i = 0; i < used; i++) {
        if (le32_load(line + 4 * i) == (uint32_t)hash &&
            line[BLOCKDB_LINE_HIGH + i] == (uint8_t)(hash >> 32)) {
            return true;
        }
    }
    return false;
}

static int place(struct blockdb_writer *w, uint64_t hash, uint16_t class_id)
{
    uint32_t home = blockdb_home(hash, w->homes);
    int err = drain(w, home);
    if (err < 0) {
        return err;
    }
    for (uint32_t at = home; at < home + BLOCKDB_RUN_MAX; at++) {
        uint8_t *line = w->window[at % WINDOW];
        uint8_t *used = &w->used[at % WINDOW];
        if (line_holds(line, *used, hash)) {
            return -EEXIST;
        }
        if (*used == BLOCKDB_SLOTS) {
            line[BLOCKDB_LINE_FILTER] |= (uint8_t)(1U << (hash & 7));
            continue;
        }
        le32_store(line + (size_t)4 * *used, (uint32_t)hash);
        line[BLOCKDB_LINE_HIGH + *used] = (uint8_t)(hash >> 32);
        le16_store(line + BLOCKDB_LINE_CLASS + (size_t)2 * *used, class_id);
        ++*used;
        w->end = at + 1 > w->end ? at + 1 : w->end;
        return 0;
    }
    return -EEXIST; /* no room within reach: as rare as a clash, and cured alike */
}

static int grow(void **data, size_t unit, size_t *cap, size_t need)
{
    if (need <= *cap) {
        return 0;
    }
    size_t next = *cap * 2 > need ? *cap * 2 : need + 256;
    void *moved = realloc(*data, next * unit);
    if (!moved) {
        return -ENOMEM;
    }
    *data = moved;
    *cap = next;
    return 0;
}

_Static_assert(sizeof(struct blockdb_item) == 8, "items are hashed and compared as octets");

static bool class_equals(const struct blockdb_writer *w, uint16_t id,
                         const struct blockdb_entry *entry)
{
    uint32_t start = w->starts[id - 1];
    return w->starts[id] - start == entry->count &&
           memcmp(w->items + start, entry->items, entry->count * sizeof(*entry->items)) == 0;
}

static int intern_class(struct blockdb_writer *w, const struct blockdb_entry *entry,
                        uint16_t *ret_id)
{
    uint64_t hash = hash_seeded(0, entry->items, entry->count * sizeof(*entry->items));
    size_t at = hash % INTERN_SLOTS;
    for (; w->intern[at]; at = (at + 1) % INTERN_SLOTS) {
        if (class_equals(w, w->intern[at], entry)) {
            *ret_id = w->intern[at];
            return 0;
        }
    }
    if (w->classes == BLOCKDB_CLASS_MAX) {
        return -E2BIG;
    }
    int err =
        grow((void **)&w->items, sizeof(*w->items), &w->items_cap, w->item_count + entry->count);
    err = err < 0 ? err
                  : grow((void **)&w->starts, sizeof(*w->starts), &w->starts_cap,
                         (size_t)w->classes + 2);
    if (err < 0) {
        return err;
    }
    memcpy(w->items + w->item_count, entry->items, entry->count * sizeof(*entry->items));
    w->item_count += entry->count;
    w->starts[++w->classes] = (uint32_t)w->item_count;
    *ret_id = w->intern[at] = (uint16_t)w->classes;
    return 0;
}

int blockdb_write_begin(int fd, const struct blockdb_plan *plan, struct blockdb_writer **ret_writer)
{
    uint64_t homes = blockdb_homes(plan->names);
    if (homes > BLOCKDB_LINES_MAX || plan->source_count > UINT16_MAX) {
        return -E2BIG;
    }
    struct blockdb_writer *w = calloc(1, sizeof(*w));
    if (!w) {
        return -ENOMEM;
    }
    w->fd = fd;
    w->plan = plan;
    w->homes = (uint32_t)homes;
    w->buffer = malloc(BUFFER);
    w->intern = calloc(INTERN_SLOTS, sizeof(*w->intern));
    int err = grow((void **)&w->starts, sizeof(*w->starts), &w->starts_cap, 1);
    if (err < 0 || !w->buffer || !w->intern) {
        blockdb_write_free(w);
        return -ENOMEM;
    }
    w->starts[0] = 0;
    w->written = BLOCKDB_HEADER;
    *ret_writer = w;
    return 0;
}

int blockdb_write_entry(struct blockdb_writer *writer, const struct blockdb_entry *entry)
{
    if (entry->count == 0 || writer->added == writer->plan->names ||
        (writer->added && entry->hash <= writer->last)) {
        return -EINVAL;
    }
    uint16_t id;
    int err = intern_class(writer, entry, &id);
    err = err < 0 ? err : place(writer, entry->hash, id);
    if (err == 0) {
        writer->added++;
        writer->last = entry->hash;
    }
    return err;
}

static int put_classes(struct blockdb_writer *w, uint8_t *head)
{
    int err = 0;
    uint8_t octets[BLOCKDB_ITEM];
    le64_store(head + BLOCKDB_AT_CLASS_TABLE, position(w));
    for (uint32_t i = 0; i <= w->classes && err == 0; i++) {
        le32_store(octets, w->starts[i]);
        err = put(w, octets, 4);
    }
    le64_store(head + BLOCKDB_AT_ITEM_TABLE, position(w));
    for (size_t i = 0; i < w->item_count && err == 0; i++) {
        le16_store(octets, w->items[i].source);
        octets[2] = w->items[i].flags;
        octets[3] = w->items[i].action;
        le32_store(octets + 4, w->items[i].data);
        err = put(w, octets, sizeof(octets));
    }
    return err;
}

/* The texts of a source in the order of its record. */
static void source_texts(const struct blockdb_source *source, const char *texts[4])
{
    texts[0] = source->id;
    texts[1] = source->category;
    texts[2] = source->url;
    texts[3] = source->version;
}

static int put_sources(struct blockdb_writer *w, uint8_t *head, uint32_t *ret_strings)
{
    int err = 0;
    uint32_t offset = 0;
    const char *texts[4];
    le64_store(head + BLOCKDB_AT_SOURCE_TABLE, position(w));
    for (uint32_t i = 0; i < w->plan->source_count && err == 0; i++) {
        const struct blockdb_source *source = &w->plan->sources[i];
        uint8_t record[BLOCKDB_SOURCE] = {0};
        source_texts(source, texts);
        for (unsigned t = 0; t < 4; t++) {
            le32_store(record + 4 * t, offset);
            offset += (uint32_t)strlen(texts[t]) + 1;
        }
        le64_store(record + BLOCKDB_SOURCE_FETCHED, (uint64_t)source->fetched_at);
        le64_store(record + BLOCKDB_SOURCE_ENTRIES, source->entries);
        record[BLOCKDB_SOURCE_FORMAT] = source->format;
        record[BLOCKDB_SOURCE_MATCH] = source->match;
        err = put(w, record, sizeof(record));
    }
    *ret_strings = offset;
    return err;
}

/* Each with a text behind those of the sources. */
static int put_patterns(struct blockdb_writer *w, uint8_t *head, uint32_t *strings)
{
    int err = 0;
    le64_store(head + BLOCKDB_AT_PATTERN_TABLE, position(w));
    for (uint32_t i = 0; i < w->plan->pattern_count && err == 0; i++) {
        const struct blockdb_pattern *pattern = &w->plan->patterns[i];
        uint8_t record[BLOCKDB_PATTERN] = {0};
        le32_store(record + BLOCKDB_PATTERN_TEXT, *strings);
        le16_store(record + BLOCKDB_PATTERN_SOURCE, pattern->source);
        record[BLOCKDB_PATTERN_FLAGS] = pattern->flags;
        record[BLOCKDB_PATTERN_ACTION] = pattern->action;
        err = put(w, record, sizeof(record));
        *strings += (uint32_t)strlen(pattern->text) + 1;
    }
    return err;
}

/* The octets of each: where they begin behind this table, and how many. */
static int put_data(struct blockdb_writer *w, uint8_t *head)
{
    int err = 0;
    uint32_t offset = 0;
    le64_store(head + BLOCKDB_AT_DATA_TABLE, position(w));
    for (uint32_t i = 0; i < w->plan->data_count && err == 0; i++) {
        uint8_t record[BLOCKDB_DATUM];
        le32_store(record, offset);
        le32_store(record + 4, (uint32_t)w->plan->data[i].len);
        offset += (uint32_t)w->plan->data[i].len;
        err = put(w, record, sizeof(record));
    }
    le64_store(head + BLOCKDB_AT_DATA_BYTES, offset);
    for (uint32_t i = 0; i < w->plan->data_count && err == 0; i++) {
        err = put(w, w->plan->data[i].records, w->plan->data[i].len);
    }
    return err;
}

static int put_strings(struct blockdb_writer *w, uint8_t *head, uint32_t bytes)
{
    int err = 0;
    const char *texts[4];
    le64_store(head + BLOCKDB_AT_STRINGS, position(w));
    le64_store(head + BLOCKDB_AT_STRING_BYTES, bytes);
    for (uint32_t i = 0; i < w->plan->source_count; i++) {
        source_texts(&w->plan->sources[i], texts);
        for (unsigned t = 0; t < 4 && err == 0; t++) {
            err = put(w, texts[t], strlen(texts[t]) + 1);
        }
    }
    for (uint32_t i = 0; i < w->plan->pattern_count && err == 0; i++) {
        const char *text = w->plan->patterns[i].text;
        err = put(w, text, strlen(text) + 1);
    }
    return err;
}

/* Newest fetch of its sources: the same input gives the same time. */
static int64_t built_at(const struct blockdb_plan *plan)
{
    int64_t newest = 0;
    for (uint32_t i = 0; i < plan->source_count; i++) {
        if (plan->sources[i].fetched_at > newest) {
            newest = plan->sources[i].fetched_at;
        }
    }
    return newest;
}

static void fill_head(const struct blockdb_writer *w, uint8_t *head)
{
    memcpy(head, "GGDB", 4);
    le32_store(head + BLOCKDB_AT_VERSION, BLOCKDB_VERSION);
    le64_store(head + BLOCKDB_AT_BYTES, position(w));
    le64_store(head + BLOCKDB_AT_SEED, w->plan->seed);
    le64_store(head + BLOCKDB_AT_NAMES, w->added - w->plan->addresses);
    le64_store(head + BLOCKDB_AT_ADDRESSES, w->plan->addresses);
    le64_store(head + BLOCKDB_AT_BUILT, (uint64_t)built_at(w->plan));
    le32_store(head + BLOCKDB_AT_HOMES, w->homes);
    le32_store(head + BLOCKDB_AT_LINES, w->base);
    le32_store(head + BLOCKDB_AT_CLASSES, w->classes);
    le32_store(head + BLOCKDB_AT_ITEMS, (uint32_t)w->item_count);
    le32_store(head + BLOCKDB_AT_SOURCES, w->plan->source_count);
    le32_store(head + BLOCKDB_AT_PATTERNS, w->plan->pattern_count);
    le32_store(head + BLOCKDB_AT_DATA, w->plan->data_count);
    for (size_t i = 0; i < 2; i++) {
        le64_store(head + BLOCKDB_AT_LABELS + 8 * i, w->plan->labels[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        le64_store(head + BLOCKDB_AT_PREFIXES + 8 * i, w->plan->prefixes[i]);
    }
    le64_store(head + BLOCKDB_AT_PREFIXES_4, w->plan->prefixes_4);
}

/* The file is read back once for the checksum, so that it covers what is there; not
 * mapped, since its pages would count as the memory of this process. */
static int seal(struct blockdb_writer *w, const uint8_t *head)
{
    uint64_t size = position(w);
    uint64_t at = BLOCKDB_AT_CONTENT;
    struct hash_stream *stream = hash_stream_new(hash_seeded(0, head, BLOCKDB_AT_CHECKSUM));
    if (!stream) {
        return -ENOMEM;
    }
    while (at < size) {
        ssize_t got = pread(w->fd, w->buffer, BUFFER, (off_t)at);
        if (got <= 0 && !(got < 0 && errno == EINTR)) {
            break;
        }
        if (got > 0) {
            hash_stream_add(stream, w->buffer, (size_t)got);
            at += (uint64_t)got;
        }
    }
    uint8_t octets[8];
    le64_store(octets, hash_stream_end(stream));
    return at == size ? write_all(w->fd, octets, sizeof(octets), BLOCKDB_AT_CHECKSUM) : -EIO;
}

int blockdb_write_finish(struct blockdb_writer *writer)
{
    struct blockdb_writer *w = writer;
    if (w->added != w->plan->names) {
        return -EINVAL;
    }
    uint8_t head[BLOCKDB_HEADER] = {0};
    int err = drain(w, w->end > w->homes ? w->end : w->homes);
    err = err < 0 ? err : put_classes(w, head);
    uint32_t strings = 0;
    err = err < 0 ? err : put_sources(w, head, &strings);
    err = err < 0 ? err : put_patterns(w, head, &strings);
    err = err < 0 ? err : put_data(w, head);
    err = err < 0 ? err : put_strings(w, head, strings);
    err = err < 0 ? err : flush(w);
    if (err < 0) {
        return err;
    }
    if (ftruncate(w->fd, (off_t)position(w)) < 0) {
        return -errno;
    }
    fill_head(w, head);
    err = write_all(w->fd, head, sizeof(head), 0);
    return err < 0 ? err : seal(w, head);
}

void blockdb_write_free(struct blockdb_writer *writer)
{
    if (writer) {
        free(writer->starts);
        free(writer->items);
        free(writer->intern);
        free(writer->buffer);
        free(writer);
    }
}
