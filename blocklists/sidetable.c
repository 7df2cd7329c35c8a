// SPDX-License-Identifier: Apache-2.0
#include "blocklists/sidetable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "blocklists/blockdb_layout.h"

/* A record, in memory of its own. */
struct side_record {
    struct side_owner owner;
    uint32_t len;
    uint8_t *octets;
};

struct sidetable {
    struct side_record *records;
    size_t record_count, record_cap, bytes;
    struct blockdb_data *numbered; /* each in memory of its own */
    uint32_t numbered_count;
    struct blockdb_pattern patterns[BLOCKDB_PATTERNS_MAX];
    uint32_t pattern_count;
};

struct sidetable *sidetable_new(void)
{
    return calloc(1, sizeof(struct sidetable));
}

void sidetable_clear(struct sidetable *table)
{
    for (size_t i = 0; i < table->record_count; i++) {
        free(table->records[i].octets);
    }
    for (uint32_t i = 0; i < table->numbered_count; i++) {
        free((void *)(uintptr_t)table->numbered[i].records);
    }
    for (uint32_t i = 0; i < table->pattern_count; i++) {
        free((void *)(uintptr_t)table->patterns[i].text);
    }
    table->record_count = table->bytes = 0;
    table->numbered_count = table->pattern_count = 0;
}

void sidetable_free(struct sidetable *table)
{
    if (table) {
        sidetable_clear(table);
        free(table->records);
        free(table->numbered);
        free(table);
    }
}

static int make_room(struct sidetable *table)
{
    if (table->record_count < table->record_cap) {
        return 0;
    }
    size_t cap = table->record_cap ? 2 * table->record_cap : 64;
    void *records = realloc(table->records, cap * sizeof(*table->records));
    if (!records) {
        return -ENOMEM;
    }
    table->records = records;
    table->record_cap = cap;
    return 0;
}

int sidetable_add_data(struct sidetable *table, const struct side_owner *owner,
                       const struct span *record)
{
    if (table->record_count == SIDETABLE_RECORDS_MAX ||
        record->len > SIDETABLE_BYTES_MAX - table->bytes) {
        return -E2BIG;
    }
    int err = make_room(table);
    uint8_t *octets = err == 0 ? malloc(record->len + 1) : NULL;
    if (!octets) {
        return -ENOMEM;
    }
    memcpy(octets, record->text, record->len);
    table->records[table->record_count++] =
        (struct side_record){*owner, (uint32_t)record->len, octets};
    table->bytes += record->len;
    return 0;
}

static int compare_owners(const struct side_owner *a, const struct side_owner *b)
{
    if (a->hash != b->hash) {
        return a->hash < b->hash ? -1 : 1;
    }
    return a->source != b->source ? (int)a->source - (int)b->source : (int)a->flags - (int)b->flags;
}

static int compare_records(const void *left, const void *right)
{
    const struct side_record *a = left;
    const struct side_record *b = right;
    int order = compare_owners(&a->owner, &b->owner);
    if (order == 0) {
        order = memcmp(a->octets, b->octets, a->len < b->len ? a->len : b->len);
    }
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

static int compare_patterns(const void *left, const void *right)
{
    const struct blockdb_pattern *a = left;
    const struct blockdb_pattern *b = right;
    int order = (int)a->source - (int)b->source;
    order = order ? order : strcmp(a->text, b->text);
    order = order ? order : (int)a->flags - (int)b->flags;
    return order ? order : (int)a->action - (int)b->action;
}

/* Full: which kept pattern a smaller one replaces, so that those that stay do not
 * depend on the order in which they came; NULL when it is the greatest itself. */
static struct blockdb_pattern *find_loser(struct sidetable *table,
                                          const struct blockdb_pattern *pattern)
{
    struct blockdb_pattern *most = &table->patterns[0];
    for (uint32_t i = 1; i < table->pattern_count; i++) {
        if (compare_patterns(most, &table->patterns[i]) < 0) {
            most = &table->patterns[i];
        }
    }
    return compare_patterns(pattern, most) < 0 ? most : NULL;
}

static bool is_known(const struct sidetable *table, const struct blockdb_pattern *pattern)
{
    for (uint32_t i = 0; i < table->pattern_count; i++) {
        if (compare_patterns(pattern, &table->patterns[i]) == 0) {
            return true;
        }
    }
    return false;
}

int sidetable_add_pattern(struct sidetable *table, const struct blockdb_pattern *pattern,
                          const struct span *text)
{
    char *copy = strndup(text->text, text->len);
    struct blockdb_pattern added = *pattern;
    added.text = copy;
    if (!copy || is_known(table, &added)) {
        free(copy);
        return copy ? 0 : -ENOMEM;
    }
    if (table->pattern_count < BLOCKDB_PATTERNS_MAX) {
        table->patterns[table->pattern_count++] = added;
        return 0;
    }
    struct blockdb_pattern *loser = find_loser(table, &added);
    if (loser) {
        free((void *)(uintptr_t)loser->text);
        *loser = added;
    } else {
        free(copy);
    }
    return -E2BIG;
}

void sidetable_sort(struct sidetable *table)
{
    size_t kept = 0;
    if (table->record_count) {
        qsort(table->records, table->record_count, sizeof(*table->records), compare_records);
    }
    for (size_t i = 0; i < table->record_count; i++) {
        struct side_record *record = &table->records[i];
        if (kept && compare_records(&table->records[kept - 1], record) == 0) {
            free(record->octets);
        } else {
            table->records[kept++] = *record;
        }
    }
    table->record_count = kept;
    uint32_t patterns = 0;
    qsort(table->patterns, table->pattern_count, sizeof(table->patterns[0]), compare_patterns);
    for (uint32_t i = 0; i < table->pattern_count; i++) {
        if (patterns &&
            compare_patterns(&table->patterns[patterns - 1], &table->patterns[i]) == 0) {
            free((void *)(uintptr_t)table->patterns[i].text);
        } else {
            table->patterns[patterns++] = table->patterns[i];
        }
    }
    table->pattern_count = patterns;
}

/* The first record of an owner, or record_count. */
static size_t find_first(const struct sidetable *table, const struct side_owner *owner)
{
    size_t low = 0;
    size_t high = table->record_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_owners(&table->records[middle].owner, owner) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static int64_t number(struct sidetable *table, uint8_t *octets, size_t len)
{
    for (uint32_t i = 0; i < table->numbered_count; i++) {
        const struct blockdb_data *known = &table->numbered[i];
        if (known->len == len && memcmp(known->records, octets, len) == 0) {
            free(octets);
            return (int64_t)i + 1;
        }
    }
    void *numbered =
        realloc(table->numbered, (table->numbered_count + 1) * sizeof(*table->numbered));
    if (!numbered) {
        free(octets);
        return -ENOMEM;
    }
    table->numbered = numbered;
    table->numbered[table->numbered_count++] = (struct blockdb_data){octets, len};
    return table->numbered_count;
}

int64_t sidetable_data(struct sidetable *table, const struct side_owner *owner)
{
    size_t first = find_first(table, owner);
    size_t end = first;
    size_t len = 0;
    for (; end < table->record_count && compare_owners(&table->records[end].owner, owner) == 0;
         end++) {
        len += table->records[end].len;
    }
    if (end == first) {
        return 0;
    }
    uint8_t *octets = malloc(len + 1);
    if (!octets) {
        return -ENOMEM;
    }
    size_t at = 0;
    for (size_t i = first; i < end; i++) {
        memcpy(octets + at, table->records[i].octets, table->records[i].len);
        at += table->records[i].len;
    }
    return number(table, octets, len);
}

const struct blockdb_data *sidetable_numbered(const struct sidetable *table, uint32_t *ret_count)
{
    *ret_count = table->numbered_count;
    return table->numbered;
}

const struct blockdb_pattern *sidetable_patterns(const struct sidetable *table, uint32_t *ret_count)
{
    *ret_count = table->pattern_count;
    return table->patterns;
}
