// SPDX-License-Identifier: Apache-2.0
#include "blocklists/popular.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What one class says for one source about a name that it covers. */
static void read_class(const struct blockdb *db, const struct blockdb_hit *hit, uint16_t source,
                       bool ret_says[3])
{
    size_t count;
    const struct blockdb_item *items = blockdb_class(db, hit->class_id, &count);
    for (size_t i = 0; i < count; i++) {
        bool covers = items[i].flags & (hit->skip ? BLOCKDB_BELOW : BLOCKDB_SELF);
        if (!covers || items[i].source != source) {
            continue;
        }
        bool exception = items[i].flags & BLOCKDB_EXCEPTION;
        ret_says[0] |= !exception;
        ret_says[1] |= exception;
        ret_says[2] |= !exception && items[i].flags & BLOCKDB_IMPORTANT;
    }
}

/* A name and what is listed of it. */
struct listed {
    struct dname name;
    struct blockdb_hit hits[DNAME_LABELS_MAX];
    size_t count;
};

static void look_up(const struct blockdb *db, struct listed *listed)
{
    struct blockdb_probe probe;
    blockdb_probe(db, &listed->name, &probe);
    listed->count = blockdb_find(db, &probe, listed->hits);
}

/* The labels to take off the name to reach the entry by which that source blocks it,
 * after the source's own exceptions; -1 when it does not. */
static int blocks(const struct blockdb *db, const struct listed *listed, uint16_t source)
{
    bool says[3] = {false, false, false}; /* blocks, excepts, blocks as important */
    int skip = -1;
    for (size_t h = 0; h < listed->count; h++) {
        read_class(db, &listed->hits[h], source, says);
        skip = skip < 0 && says[0] ? listed->hits[h].skip : skip;
    }
    return says[2] || (says[0] && !says[1]) ? skip : -1;
}

static bool add_www(const struct dname *name, struct dname *ret_name)
{
    char text[DNAME_TEXT_MAX + 4] = "www.";
    dname_print(name, text + 4);
    return dname_parse(text, ret_name) == 0;
}

static void note_example(struct popular_source *source, const struct dname *name,
                         const struct listed *by, int skip)
{
    size_t len;
    size_t pos = 0;
    const uint8_t *entry = dname_suffix(&by->name, (unsigned)skip, &len);
    if (source->example_count < POPULAR_EXAMPLES &&
        dname_read(entry, len, &pos, &source->entries[source->example_count]) == 0) {
        source->examples[source->example_count++] = *name;
    }
}

static void count_name(const struct blockdb *db, const struct dname *name, size_t rank,
                       struct popular_source *per_source)
{
    struct listed own = {.name = *name};
    struct listed www = {.count = 0};
    look_up(db, &own);
    if (add_www(name, &www.name)) {
        look_up(db, &www);
    }
    for (unsigned i = 0; (own.count || www.count) && i < blockdb_info(db)->sources; i++) {
        struct popular_source *source = &per_source[i];
        int skip = blocks(db, &own, (uint16_t)i);
        int www_skip = blocks(db, &www, (uint16_t)i);
        if (skip < 0 && www_skip < 0) {
            continue;
        }
        source->all++;
        source->top += rank < POPULAR_TOP;
        note_example(source, name, skip >= 0 ? &own : &www, skip >= 0 ? skip : www_skip);
    }
}

int popular_measure(const struct blockdb *db, const struct name_list *names,
                    struct popular_source **ret_per_source)
{
    struct popular_source *per_source =
        calloc((size_t)blockdb_info(db)->sources + 1, sizeof(*per_source));
    if (!per_source) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < names->count; i++) {
        count_name(db, &names->items[i], i, per_source);
    }
    *ret_per_source = per_source;
    return 0;
}
