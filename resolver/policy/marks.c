// SPDX-License-Identifier: Apache-2.0
#include "policy/marks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { MARK_SEED = 0x6d61726b };

/* One name of one item. */
struct row {
    uint16_t item;
    bool exact;
    uint32_t next; /* row + 1 in the same bucket, 0 ends */
    struct dname name;
};

struct targets {
    struct dname strict, moderate; /* len 0: none */
};

struct marks {
    struct row *rows;
    uint32_t count;
    uint32_t bucket_mask;
    uint32_t *buckets;       /* row + 1 */
    struct targets *targets; /* of each item */
};

static uint32_t bucket_of(const struct marks *marks, const uint8_t *wire, size_t len)
{
    return (uint32_t)hash_seeded(MARK_SEED, wire, len) & marks->bucket_mask;
}

/* The texts have been checked: each is a name. */
static void add_name(struct marks *marks, uint16_t item, const char *text, bool exact)
{
    struct row *row = &marks->rows[marks->count];
    if (dname_parse(text, &row->name) < 0) {
        return;
    }
    uint32_t bucket = bucket_of(marks, row->name.wire, row->name.len);
    row->item = item;
    row->exact = exact;
    row->next = marks->buckets[bucket];
    marks->buckets[bucket] = ++marks->count;
}

static void add_item(struct marks *marks, const struct known *known, size_t at)
{
    const struct known_item *item = &known->items[at];
    struct targets *targets = &marks->targets[at];
    char www[300];
    for (size_t i = 0; i < item->domains.count; i++) {
        add_name(marks, (uint16_t)at, item->domains.items[i], false);
    }
    for (size_t i = 0; i < item->hosts.count; i++) {
        add_name(marks, (uint16_t)at, item->hosts.items[i], true);
        if (item->www) {
            snprintf(www, sizeof(www), "www.%s", item->hosts.items[i]);
            add_name(marks, (uint16_t)at, www, true);
        }
    }
    if (!item->target || dname_parse(item->target, &targets->strict) < 0) {
        targets->strict.len = 0;
    }
    if (!item->moderate || dname_parse(item->moderate, &targets->moderate) < 0) {
        targets->moderate.len = 0;
    }
}

struct marks *marks_new(const struct known *known)
{
    size_t names = 1;
    uint32_t buckets = 64;
    struct marks *marks = calloc(1, sizeof(*marks));
    for (size_t i = 0; i < known->count; i++) {
        names += known->items[i].domains.count + 2 * known->items[i].hosts.count;
    }
    while (buckets < names * 4) {
        buckets *= 2;
    }
    if (!marks) {
        return NULL;
    }
    marks->rows = calloc(names, sizeof(*marks->rows));
    marks->buckets = calloc(buckets, sizeof(*marks->buckets));
    marks->targets = calloc(known->count + 1, sizeof(*marks->targets));
    marks->bucket_mask = buckets - 1;
    if (!marks->rows || !marks->buckets || !marks->targets) {
        marks_free(marks);
        return NULL;
    }
    for (size_t i = 0; i < known->count; i++) {
        add_item(marks, known, i);
    }
    return marks;
}

void marks_free(struct marks *marks)
{
    if (marks) {
        free(marks->rows);
        free(marks->buckets);
        free(marks->targets);
    }
    free(marks);
}

size_t marks_find(const struct marks *marks, const struct dname *name,
                  struct mark ret_marks[MARKS_MAX])
{
    size_t count = 0;
    for (unsigned skip = 0; skip < name->labels; skip++) {
        size_t len;
        const uint8_t *suffix = dname_suffix(name, skip, &len);
        uint32_t at = marks->buckets[bucket_of(marks, suffix, len)];
        for (; at && count < MARKS_MAX; at = marks->rows[at - 1].next) {
            const struct row *row = &marks->rows[at - 1];
            if (row->name.len == len && (skip == 0 || !row->exact) &&
                memcmp(row->name.wire, suffix, len) == 0) {
                ret_marks[count++] = (struct mark){row->item, (uint8_t)skip};
            }
        }
    }
    return count;
}

const struct dname *marks_target(const struct marks *marks, uint16_t item, bool moderate)
{
    const struct targets *targets = &marks->targets[item];
    const struct dname *target =
        moderate && targets->moderate.len ? &targets->moderate : &targets->strict;
    return target->len ? target : NULL;
}
