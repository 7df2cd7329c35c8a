// SPDX-License-Identifier: Apache-2.0
#include "blocklists/difference.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hash_inline.h"

enum { SEEN_SLOTS = 1 << 22 }; /* different names that differ; more are counted twice */

/* What the child that reads a text leaves in shared memory. */
struct tally {
    uint64_t counts[DIFFERENCE_CHANGES];
    size_t kept;
    struct difference_name names[];
};

/* One list of one side against the other side's file. */
struct comparing {
    const struct blockdb *before, *after;
    int before_index, after_index; /* of the list in them, -1: it is not there */
    const char *list;
    struct tally *tally;
    size_t rooms;
    uint64_t *seen; /* of both sides and all lists, shared with the children */
};

/* What one list says about a name itself, or about all names below it. */
struct word {
    bool blocks, excepts, important, for_all; /* for_all: the exception is against every list */
    uint8_t action;
    struct blockdb_data data;
};

struct standing {
    struct word self, below;
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

/* Longer names come first: the first block's action is the one that counts. */
static void hear(const struct blockdb *db, const struct blockdb_item *item, struct word *word)
{
    if (item->flags & BLOCKDB_EXCEPTION) {
        word->excepts = true;
        word->for_all |= (item->flags & BLOCKDB_SCOPE_ALL) != 0;
        return;
    }
    if (!word->blocks) {
        word->action = item->action;
        word->data = item->action == BLOCKDB_LOCAL ? blockdb_data(db, item->data)
                                                   : (struct blockdb_data){NULL, 0};
    }
    word->blocks = true;
    word->important |= (item->flags & BLOCKDB_IMPORTANT) != 0;
}

static void hear_class(const struct blockdb *db, const struct blockdb_hit *hit, int source,
                       struct standing *standing)
{
    size_t count;
    const struct blockdb_item *items = blockdb_class(db, hit->class_id, &count);
    for (size_t i = 0; i < count; i++) {
        if (items[i].source == source &&
            items[i].flags & (hit->skip ? BLOCKDB_BELOW : BLOCKDB_SELF)) {
            hear(db, &items[i], &standing->self);
        }
        if (items[i].source == source && items[i].flags & BLOCKDB_BELOW) {
            hear(db, &items[i], &standing->below);
        }
    }
}

static void hear_name(const struct blockdb *db, int source, const struct dname *name,
                      struct standing *standing)
{
    struct blockdb_probe probe;
    struct blockdb_hit hits[DNAME_LABELS_MAX];
    blockdb_probe(db, name, &probe);
    size_t count = blockdb_find(db, &probe, hits);
    for (size_t i = 0; i < count; i++) {
        hear_class(db, &hits[i], source, standing);
    }
}

/* By the prefix itself and by wider ones. */
static void hear_address(const struct blockdb *db, int source, const struct prefix *prefix,
                         struct standing *standing)
{
    struct blockdb_address_hit hits[BLOCKDB_ADDRESS_HITS_MAX];
    size_t count = blockdb_find_address(db, &prefix->addr, hits);
    for (size_t i = 0; i < count; i++) {
        size_t items;
        const struct blockdb_item *item = blockdb_class(db, hits[i].class_id, &items);
        for (size_t k = 0; hits[i].bits <= prefix->bits && k < items; k++) {
            if (item[k].source == source) {
                hear(db, &item[k], &standing->self);
            }
        }
    }
}

static void hear_pattern(const struct blockdb *db, int source, const struct span *text,
                         struct standing *standing)
{
    for (uint32_t i = 0; i < blockdb_info(db)->patterns; i++) {
        const struct blockdb_pattern *pattern = blockdb_pattern(db, i);
        if (pattern->source == source && strlen(pattern->text) == text->len &&
            memcmp(pattern->text, text->text, text->len) == 0) {
            const struct blockdb_item item = {.flags = pattern->flags, .action = pattern->action};
            hear(db, &item, &standing->self);
        }
    }
}

static struct standing standing_of(const struct blockdb *db, int source,
                                   const struct scan_entry *entry)
{
    struct standing standing = {.self = {.blocks = false}};
    if (source < 0) {
        return standing;
    }
    if (entry->kind == SCAN_NAME) {
        hear_name(db, source, &entry->name, &standing);
    } else if (entry->kind == SCAN_ADDRESS) {
        hear_address(db, source, &entry->prefix, &standing);
    } else {
        hear_pattern(db, source, &entry->pattern, &standing);
    }
    return standing;
}

static bool is_same(const struct word *a, const struct word *b)
{
    if (!a->blocks && !b->blocks) { /* an exception to nothing matters to other lists alone */
        return a->for_all == b->for_all;
    }
    return a->blocks == b->blocks && a->excepts == b->excepts && a->important == b->important &&
           a->for_all == b->for_all && a->action == b->action && a->data.len == b->data.len &&
           (a->data.len == 0 || memcmp(a->data.records, b->data.records, a->data.len) == 0);
}

/* False when both sides say the same. */
static bool find_change(const struct standing *before, const struct standing *after,
                        enum difference_change *ret_change)
{
    if (is_same(&before->self, &after->self) && is_same(&before->below, &after->below)) {
        return false;
    }
    bool was = before->self.blocks || before->below.blocks;
    bool is = after->self.blocks || after->below.blocks;
    *ret_change = was == is ? DIFFERENCE_CHANGED : is ? DIFFERENCE_ADDED : DIFFERENCE_REMOVED;
    return true;
}

/* A list may say a name many times, and both sides may; it differs once. */
static bool is_seen(struct comparing *comparing, const struct difference_name *name)
{
    uint64_t seed = hash_seeded_inline(0, name->list, strlen(name->list));
    uint64_t hash = hash_seeded_inline(seed, name->name, strlen(name->name)) | 1;
    for (unsigned step = 0; step < 64; step++) {
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

static void print_entry(const struct scan_entry *entry, char *out, size_t cap)
{
    char text[DNAME_TEXT_MAX];
    if (entry->kind == SCAN_NAME) {
        snprintf(out, cap, "%.255s", dname_print(&entry->name, text));
    } else if (entry->kind == SCAN_ADDRESS) {
        snprintf(out, cap, "%s/%u", addr_print(&entry->prefix.addr, text), entry->prefix.bits);
    } else {
        struct span line = {entry->pattern.text, entry->pattern.len};
        char plain[LISTTEXT_MAX];
        listtext_print(&line, plain);
        snprintf(out, cap, "/%s/", plain);
    }
}

static int compare(void *arg, const struct scan_entry *entry, const struct line_sink *sink)
{
    struct comparing *comparing = arg;
    struct difference_name name = {.name = ""};
    (void)sink;
    if (entry->flags & ENTRY_CANCELS) {
        return 0;
    }
    const struct standing before = standing_of(comparing->before, comparing->before_index, entry);
    const struct standing after = standing_of(comparing->after, comparing->after_index, entry);
    if (!find_change(&before, &after, &name.change)) {
        return 0;
    }
    print_entry(entry, name.name, sizeof(name.name));
    snprintf(name.list, sizeof(name.list), "%s", comparing->list);
    if (is_seen(comparing, &name)) {
        return 0;
    }
    struct tally *tally = comparing->tally;
    tally->counts[name.change]++;
    if (tally->kept < comparing->rooms) {
        tally->names[tally->kept++] = name;
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

static void take_tally(struct difference *difference, const struct tally *tally,
                       struct difference_list *list)
{
    size_t rooms = difference->names_max - difference->name_count;
    size_t kept = tally->kept < rooms ? tally->kept : rooms;
    for (size_t i = 0; i < DIFFERENCE_CHANGES; i++) {
        list->counts[i] += tally->counts[i];
    }
    for (size_t i = 0; i < kept; i++) {
        struct difference_name *name = &difference->names[difference->name_count++];
        *name = tally->names[i]; /* the child's word: bounded and terminated whatever it is */
        name->name[sizeof(name->name) - 1] = name->list[sizeof(name->list) - 1] = '\0';
        name->change = (unsigned)name->change < DIFFERENCE_CHANGES ? name->change : 0;
    }
}

/* The entries of one side's texts. */
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
        comparing->before_index = find_source(comparing->before, source->id);
        comparing->after_index = find_source(comparing->after, source->id);
        comparing->rooms = difference->names_max - difference->name_count;
        memset(comparing->tally->counts, 0, sizeof(comparing->tally->counts));
        comparing->tally->kept = 0;
        const struct listtext_visit visit = {.on_entry = compare, .arg = comparing};
        int err = side->open_text(side->arg, source, &text);
        if (err == 0) {
            err = listtext_visit(&text, &visit, &diag);
            close(text.fd);
        }
        list->unread |= err < 0;
        take_tally(difference, comparing->tally, list);
    }
}

/* NULL when there is no memory. */
static void *share(size_t bytes)
{
    void *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared == MAP_FAILED ? NULL : shared;
}

static void unshare(void *shared, size_t bytes)
{
    if (shared) {
        munmap(shared, bytes);
    }
}

int difference_run(const struct difference_side *before, const struct difference_side *after,
                   size_t names_max, struct difference **ret_difference)
{
    size_t tally_bytes = sizeof(struct tally) + names_max * sizeof(struct difference_name);
    size_t seen_bytes = SEEN_SLOTS * sizeof(uint64_t);
    struct comparing comparing = {.before = before->db,
                                  .after = after->db,
                                  .tally = share(tally_bytes),
                                  .seen = share(seen_bytes)};
    struct difference *difference = calloc(1, sizeof(*difference));
    int err = -ENOMEM;
    if (difference) {
        difference->names = calloc(names_max + 1, sizeof(*difference->names));
        difference->names_max = names_max;
    }
    if (difference && difference->names && comparing.tally && comparing.seen) {
        compare_side(difference, after, &comparing);
        compare_side(difference, before, &comparing);
        *ret_difference = difference;
        difference = NULL;
        err = 0;
    }
    difference_free(difference);
    unshare(comparing.tally, tally_bytes);
    unshare(comparing.seen, seen_bytes);
    return err;
}

void difference_free(struct difference *difference)
{
    if (difference) {
        free(difference->names);
        free(difference);
    }
}
