// SPDX-License-Identifier: Apache-2.0
#include "blocklists/record.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "blocklists/format.h"

enum { SMALL = 32, BUCKETS = 256, TOP_SHIFT = 56 };

static int compare(const struct record *a, const struct record *b)
{
    if (a->hash != b->hash) {
        return a->hash < b->hash ? -1 : 1;
    }
    if (a->check != b->check) {
        return a->check < b->check ? -1 : 1;
    }
    if (a->source != b->source) {
        return a->source < b->source ? -1 : 1;
    }
    return a->flags != b->flags ? (int)a->flags - (int)b->flags : (int)a->action - (int)b->action;
}

static int compare_void(const void *a, const void *b)
{
    return compare(a, b);
}

static void sort_small(struct record *records, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct record moving = records[i];
        size_t at = i;
        for (; at > 0 && compare(&records[at - 1], &moving) > 0; at--) {
            records[at] = records[at - 1];
        }
        records[at] = moving;
    }
}

/* Put each record into the bucket of one octet of its hash by swapping in cycles
 * (American flag sort); ends[b] is where bucket b ends. */
static void partition(struct record *records, size_t count, int shift, size_t ends[BUCKETS])
{
    size_t next[BUCKETS];
    size_t sizes[BUCKETS] = {0};
    for (size_t i = 0; i < count; i++) {
        sizes[records[i].hash >> shift & 0xff]++;
    }
    size_t at = 0;
    for (unsigned b = 0; b < BUCKETS; b++) {
        next[b] = at;
        at += sizes[b];
        ends[b] = at;
    }
    for (unsigned b = 0; b < BUCKETS; b++) {
        while (next[b] < ends[b]) {
            struct record moving = records[next[b]];
            unsigned to = moving.hash >> shift & 0xff;
            while (to != b) {
                struct record displaced = records[next[to]];
                records[next[to]++] = moving;
                moving = displaced;
                to = moving.hash >> shift & 0xff;
            }
            records[next[b]++] = moving;
        }
    }
}

static void sort_from(struct record *records, size_t count, int shift)
{
    if (count <= SMALL) {
        sort_small(records, count);
        return;
    }
    if (shift < 0) {
        qsort(records, count, sizeof(*records), compare_void);
        return;
    }
    size_t ends[BUCKETS];
    partition(records, count, shift, ends);
    size_t start = 0;
    for (unsigned b = 0; b < BUCKETS; b++) {
        sort_from(records + start, ends[b] - start, shift - 8);
        start = ends[b];
    }
}

void record_sort(struct record *records, size_t count)
{
    sort_from(records, count, TOP_SHIFT);
}

/* How many records from the front are what one source says about one name. */
static size_t run_length(const struct record *records, size_t count)
{
    size_t len = 1;
    while (len < count && records[len].hash == records[0].hash &&
           records[len].check == records[0].check && records[len].source == records[0].source) {
        len++;
    }
    return len;
}

size_t record_cancel(struct record *records, size_t count, uint64_t *cancelled)
{
    size_t kept = 0;
    for (size_t at = 0; at < count;) {
        size_t end = at + run_length(records + at, count - at);
        uint64_t gone[2] = {0}; /* a bit for each combination of the flags below 128 */
        for (size_t i = at; i < end; i++) {
            unsigned flags = records[i].flags & (ENTRY_CANCELS - 1U);
            bool cancels = records[i].flags & ENTRY_CANCELS;
            gone[flags / 64] |= (uint64_t)cancels << flags % 64;
        }
        for (; at < end; at++) {
            unsigned flags = records[at].flags & (ENTRY_CANCELS - 1U);
            if (!(gone[flags / 64] >> flags % 64 & 1)) {
                records[kept++] = records[at];
            } else if (!(records[at].flags & ENTRY_CANCELS)) {
                cancelled[records[at].source]++;
            }
        }
    }
    return kept;
}

int64_t record_group(const struct record *records, size_t count)
{
    size_t len = 1;
    while (len < count && records[len].hash == records[0].hash) {
        if (records[len].check != records[0].check) {
            return -EEXIST;
        }
        len++;
    }
    return (int64_t)len;
}

/* Whether an item already says the same but for self and below. Local records of the
 * two stay apart. */
static bool is_kin(const struct blockdb_item *item, const struct record *record)
{
    const unsigned covers = record->action == BLOCKDB_LOCAL ? 0 : BLOCKDB_SELF | BLOCKDB_BELOW;
    return ((item->flags ^ record->flags) & ~covers & (ENTRY_ADDRESS - 1U)) == 0 &&
           item->action == record->action;
}

static bool is_before(const struct blockdb_item *a, const struct blockdb_item *b)
{
    return a->flags != b->flags ? a->flags < b->flags : a->action < b->action;
}

/* Joining may have changed the order of one source's items. */
static void order_items(struct blockdb_item *items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        for (size_t at = i; at > 0 && items[at - 1].source == items[at].source &&
                            is_before(&items[at], &items[at - 1]);
             at--) {
            struct blockdb_item swap = items[at];
            items[at] = items[at - 1];
            items[at - 1] = swap;
        }
    }
}

int64_t record_items(const struct record *group, size_t count, struct blockdb_item *items,
                     size_t cap)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const struct record *record = &group[i];
        size_t at = used;
        while (at > 0 && items[at - 1].source == record->source &&
               !is_kin(&items[at - 1], record)) {
            at--;
        }
        if (at > 0 && items[at - 1].source == record->source) {
            items[at - 1].flags |= record->flags & (ENTRY_ADDRESS - 1U);
        } else if (used == cap) {
            return -E2BIG;
        } else {
            items[used++] = (struct blockdb_item){
                record->source, record->flags & (ENTRY_ADDRESS - 1U), record->action, 0};
        }
    }
    order_items(items, used);
    return (int64_t)used;
}
