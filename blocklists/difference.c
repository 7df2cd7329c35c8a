// SPDX-License-Identifier: Apache-2.0
#include "blocklists/difference.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hash_inline.h"

enum { SEEN_SLOTS = 1 << 22 }; /* different names of one list that differ; more are counted twice */

/* What the child that reads a text leaves in shared memory. */
struct tally {
    uint64_t count;
    size_t kept;
    struct difference_name names[];
};

/* One list of one side against the other side's file. */
struct comparing {
    const struct blockdb *other;
    int index; /* of the list there, -1: it is new */
    const char *list;
    bool added;
    struct tally *tally;
    size_t rooms;
    uint64_t *seen; /* of the child alone */
};

static int find_source(const struct blockdb *db, const char *id)
{
    for (unsigned i = 0; i < blockdb_info(db)->sources; i++) {
        if (strcmp(blockdb_source(db, i)->id, id) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static bool class_covers(const struct blockdb *db, const struct blockdb_hit *hit, int source)
{
    size_t count;
    const struct blockdb_item *items = blockdb_class(db, hit->class_id, &count);
    for (size_t i = 0; i < count; i++) {
        if (items[i].source == source && !(items[i].flags & BLOCKDB_EXCEPTION) &&
            items[i].flags & (hit->skip ? BLOCKDB_BELOW : BLOCKDB_SELF)) {
            return true;
        }
    }
    return false;
}

static bool covers(const struct blockdb *db, int source, const struct dname *name)
{
    struct blockdb_probe probe;
    struct blockdb_hit hits[DNAME_LABELS_MAX];
    blockdb_probe(db, name, &probe);
    size_t count = blockdb_find(db, &probe, hits);
    for (size_t i = 0; source >= 0 && i < count; i++) {
        if (class_covers(db, &hits[i], source)) {
            return true;
        }
    }
    return false;
}

bool difference_covers(const struct blockdb *db, const char *list, const struct dname *name)
{
    return covers(db, find_source(db, list), name);
}

/* A list may say a name many times; it differs once. */
static bool is_seen(struct comparing *comparing, const struct dname *name)
{
    uint64_t hash = hash_seeded_inline(0, name->wire, name->len) | 1;
    if (!comparing->seen) {
        comparing->seen = calloc(SEEN_SLOTS, sizeof(*comparing->seen));
    }
    for (unsigned step = 0; comparing->seen && step < 64; step++) {
        uint64_t *slot = &comparing->seen[((hash >> 40) + step) % SEEN_SLOTS];
        if (*slot == hash) {
            return true;
        }
        if (*slot == 0) {
            *slot = hash;
            return false;
        }
    }
    return false;
}

static int compare(void *arg, const struct scan_entry *entry, const struct line_sink *sink)
{
    struct comparing *comparing = arg;
    char text[DNAME_TEXT_MAX];
    (void)sink;
    if (entry->kind != SCAN_NAME || entry->flags & (BLOCKDB_EXCEPTION | ENTRY_CANCELS) ||
        covers(comparing->other, comparing->index, &entry->name) ||
        is_seen(comparing, &entry->name)) {
        return 0;
    }
    struct tally *tally = comparing->tally;
    tally->count++;
    if (tally->kept < comparing->rooms) {
        struct difference_name *name = &tally->names[tally->kept++];
        snprintf(name->name, sizeof(name->name), "%.255s", dname_print(&entry->name, text));
        snprintf(name->list, sizeof(name->list), "%s", comparing->list);
        name->added = comparing->added;
    }
    return 0;
}

static struct difference_list *list_of(struct difference *difference, const char *id)
{
    for (size_t i = 0; i < difference->list_count; i++) {
        if (strcmp(difference->lists[i].id, id) == 0) {
            return &difference->lists[i];
        }
    }
    if (difference->list_count == DIFFERENCE_LISTS_MAX) {
        return NULL;
    }
    struct difference_list *list = &difference->lists[difference->list_count++];
    snprintf(list->id, sizeof(list->id), "%s", id);
    return list;
}

static void take_tally(struct difference *difference, const struct tally *tally)
{
    size_t rooms = difference->names_max - difference->name_count;
    size_t kept = tally->kept < rooms ? tally->kept : rooms;
    for (size_t i = 0; i < kept; i++) {
        struct difference_name *name = &difference->names[difference->name_count++];
        *name = tally->names[i];
        name->name[sizeof(name->name) - 1] = name->list[sizeof(name->list) - 1] = '\0';
    }
}

/* Names of `side` that the other side does not block by the same list. */
static void compare_side(struct difference *difference, const struct difference_side *side,
                         struct comparing *comparing)
{
    for (unsigned i = 0; i < blockdb_info(side->db)->sources; i++) {
        const struct blockdb_source *source = blockdb_source(side->db, i);
        struct difference_list *list = list_of(difference, source->id);
        struct build_source text;
        struct diag diag = {0};
        if (!list) {
            return;
        }
        comparing->list = source->id;
        comparing->index = find_source(comparing->other, source->id);
        comparing->rooms = difference->names_max - difference->name_count;
        comparing->tally->count = comparing->tally->kept = 0;
        const struct listtext_visit visit = {.on_entry = compare, .arg = comparing};
        int err = side->open_text(side->arg, source, &text);
        if (err == 0) {
            err = listtext_visit(&text, &visit, &diag);
            close(text.fd);
        }
        list->unread |= err < 0;
        *(comparing->added ? &list->added : &list->removed) += comparing->tally->count;
        take_tally(difference, comparing->tally);
    }
}

int difference_run(const struct difference_side *before, const struct difference_side *after,
                   size_t names_max, struct difference **ret_difference)
{
    size_t bytes = sizeof(struct tally) + names_max * sizeof(struct difference_name);
    struct difference *difference = calloc(1, sizeof(*difference));
    void *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (difference) {
        difference->names = calloc(names_max + 1, sizeof(*difference->names));
        difference->names_max = names_max;
    }
    if (!difference || !difference->names || shared == MAP_FAILED) {
        if (shared != MAP_FAILED) {
            munmap(shared, bytes);
        }
        difference_free(difference);
        return -ENOMEM;
    }
    struct comparing added = {.other = before->db, .added = true, .tally = shared};
    struct comparing removed = {.other = after->db, .tally = shared};
    compare_side(difference, after, &added);
    compare_side(difference, before, &removed);
    munmap(shared, bytes);
    *ret_difference = difference;
    return 0;
}

void difference_free(struct difference *difference)
{
    if (difference) {
        free(difference->names);
        free(difference);
    }
}
