// SPDX-License-Identifier: Apache-2.0
#include "blocklists/recordset.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BITS_MAX = 12 };

/* A run of records of one part; chunk i stands i * chunk_cap records behind `at`. */
struct chunk {
    uint32_t count;
    uint32_t part;
};

struct recordset {
    struct recordset_plan plan;
    unsigned bits;          /* of the hash that choose the part; 0: all in memory */
    struct record *records; /* [cap]; while adding, chunk_cap of them for each part */
    size_t cap, chunk_cap;
    uint64_t added;
    uint32_t *fill; /* records waiting in memory, of each part */
    struct chunk *chunks;
    size_t chunk_count, chunk_max;
};

static int transfer(const struct recordset *set, size_t chunk, struct record *records, bool write)
{
    size_t left = set->chunks[chunk].count * sizeof(*records);
    off_t at = (off_t)(set->plan.at + (uint64_t)chunk * set->chunk_cap * sizeof(*records));
    char *data = (char *)records;
    while (left) {
        ssize_t done =
            write ? pwrite(set->plan.fd, data, left, at) : pread(set->plan.fd, data, left, at);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return done < 0 ? -errno : -EIO;
        }
        data += done;
        at += done;
        left -= (size_t)done;
    }
    return 0;
}

static unsigned part_of(const struct recordset *set, uint64_t hash)
{
    return set->bits ? (unsigned)(hash >> (64 - set->bits)) : 0;
}

static size_t chunk_bound(const struct recordset *set)
{
    return (size_t)(set->plan.total / set->chunk_cap) + recordset_parts(set);
}

/* Parts are filled evenly but for repeated names, so half of the memory is room
 * enough; sorting takes the repetitions out. */
static int divide(struct recordset *set)
{
    set->cap = set->plan.memory / sizeof(*set->records);
    if (set->plan.total <= set->cap) {
        set->cap = (size_t)set->plan.total + 1;
        set->chunk_cap = set->cap;
        return 0;
    }
    for (set->bits = 1; set->plan.total >> set->bits > set->cap / 2; set->bits++) {
        if (set->bits == BITS_MAX) {
            return -EINVAL;
        }
    }
    set->chunk_cap = set->cap >> set->bits;
    return set->chunk_cap ? 0 : -EINVAL;
}

int recordset_new(const struct recordset_plan *plan, struct recordset **ret_set)
{
    struct recordset *set = calloc(1, sizeof(*set));
    if (!set) {
        return -ENOMEM;
    }
    set->plan = *plan;
    int err = divide(set);
    if (err < 0) {
        goto out;
    }
    void *map = mmap(NULL, set->cap * sizeof(*set->records), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    set->records = map == MAP_FAILED ? NULL : map;
    set->fill = calloc(recordset_parts(set), sizeof(*set->fill));
    set->chunk_max = chunk_bound(set);
    set->chunks = calloc(set->chunk_max + 1, sizeof(*set->chunks));
    if (!set->records || !set->fill || !set->chunks) {
        err = -ENOMEM;
        goto out;
    }
    *ret_set = set;
    set = NULL;
out:
    recordset_free(set);
    return err;
}

void recordset_free(struct recordset *set)
{
    if (!set) {
        return;
    }
    if (set->records) {
        munmap(set->records, set->cap * sizeof(*set->records));
    }
    free(set->fill);
    free(set->chunks);
    free(set);
}

void recordset_clear(struct recordset *set)
{
    set->added = 0;
    set->chunk_count = 0;
    memset(set->fill, 0, recordset_parts(set) * sizeof(*set->fill));
}

static int flush(struct recordset *set, unsigned part)
{
    if (set->fill[part] == 0) {
        return 0;
    }
    size_t chunk = set->chunk_count++;
    set->chunks[chunk] = (struct chunk){set->fill[part], part};
    set->fill[part] = 0;
    return transfer(set, chunk, set->records + part * set->chunk_cap, true);
}

int recordset_add(struct recordset *set, const struct record *record)
{
    if (set->added == set->plan.total) {
        return -E2BIG;
    }
    unsigned part = part_of(set, record->hash);
    set->added++;
    set->records[part * set->chunk_cap + set->fill[part]++] = *record;
    return set->bits && set->fill[part] == set->chunk_cap ? flush(set, part) : 0;
}

/* Sort and drop what is there twice. */
static size_t sort_unique(struct record *records, size_t count)
{
    size_t kept = 0;
    record_sort(records, count);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || memcmp(&records[kept - 1], &records[i], sizeof(*records)) != 0) {
            records[kept++] = records[i];
        }
    }
    return kept;
}

/* The chunks of a part into memory, in their order. */
static int gather(struct recordset *set, unsigned part, size_t *ret_count)
{
    size_t count = 0;
    for (size_t i = 0; i < set->chunk_count; i++) {
        const struct chunk *chunk = &set->chunks[i];
        if (chunk->part != part || chunk->count == 0) {
            continue;
        }
        if (set->cap - count < chunk->count) {
            count = sort_unique(set->records, count);
        }
        if (set->cap - count < chunk->count) {
            return -ENOMEM;
        }
        int err = transfer(set, i, set->records + count, false);
        if (err < 0) {
            return err;
        }
        count += chunk->count;
    }
    *ret_count = count;
    return 0;
}

/* Back into the same chunks, which have room for at least as many. */
static int scatter(struct recordset *set, unsigned part, size_t count)
{
    size_t at = 0;
    for (size_t i = 0; i < set->chunk_count; i++) {
        struct chunk *chunk = &set->chunks[i];
        if (chunk->part != part) {
            continue;
        }
        size_t some = count - at < set->chunk_cap ? count - at : set->chunk_cap;
        chunk->count = (uint32_t)some;
        int err = transfer(set, i, set->records + at, true);
        if (err < 0) {
            return err;
        }
        at += some;
    }
    return 0;
}

/* What is left of sorted records. */
static size_t settle(const struct recordset *set, size_t count)
{
    count = sort_unique(set->records, count);
    return set->plan.cancelled ? record_cancel(set->records, count, set->plan.cancelled) : count;
}

static int count_names(const struct record *records, size_t count, uint64_t *names)
{
    for (size_t at = 0; at < count; ++*names) {
        int64_t group = record_group(records + at, count - at);
        if (group < 0) {
            return (int)group;
        }
        at += (size_t)group;
    }
    return 0;
}

static int sort_part(struct recordset *set, unsigned part, uint64_t *names)
{
    size_t count;
    int err = gather(set, part, &count);
    if (err < 0) {
        return err;
    }
    count = settle(set, count);
    err = count_names(set->records, count, names);
    return err < 0 ? err : scatter(set, part, count);
}

int recordset_sort(struct recordset *set, uint64_t *ret_names)
{
    int err = 0;
    *ret_names = 0;
    if (!set->bits) {
        set->fill[0] = (uint32_t)settle(set, set->fill[0]);
        return count_names(set->records, set->fill[0], ret_names);
    }
    for (unsigned part = 0; part < recordset_parts(set) && err == 0; part++) {
        err = flush(set, part);
    }
    for (unsigned part = 0; part < recordset_parts(set) && err == 0; part++) {
        err = sort_part(set, part, ret_names);
    }
    return err;
}

unsigned recordset_parts(const struct recordset *set)
{
    return 1U << set->bits;
}

int recordset_load(struct recordset *set, unsigned part, const struct record **ret_records,
                   size_t *ret_count)
{
    *ret_records = set->records;
    *ret_count = set->fill[part];
    return set->bits ? gather(set, part, ret_count) : 0;
}
