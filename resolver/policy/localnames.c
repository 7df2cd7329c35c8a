// SPDX-License-Identifier: Apache-2.0
#include "policy/localnames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct local_names {
    struct dname own;
    uint64_t lengths;    /* bit n: some name has n octets, modulo 64 */
    struct dname *zones; /* of upstream.zones */
    size_t zone_count;
    size_t count;
    struct local_record records[]; /* by name; equal names in the order of the settings */
};

static int compare_names(const struct dname *a, const struct dname *b)
{
    return a->len != b->len ? a->len - b->len : memcmp(a->wire, b->wire, a->len);
}

static uint64_t length_bit(const struct dname *name)
{
    return UINT64_C(1) << (name->len & 63);
}

/* "NAME ADDRESS", as check_record() has found it good. */
static bool read_record(const char *text, struct local_record *ret_record)
{
    size_t len = strcspn(text, " ");
    return text[len] == ' ' && dname_parse_len(text, len, &ret_record->name) == 0 &&
           addr_parse(text + len + 1, &ret_record->address) == 0;
}

static int compare_records(const void *left, const void *right)
{
    const struct local_record *a = left, *b = right;
    int order = compare_names(&a->name, &b->name);
    return order ? order : a->order < b->order ? -1 : a->order > b->order;
}

static int read_zones(struct local_names *names, const struct text_list *list)
{
    names->zones = calloc(list->count + 1, sizeof(*names->zones));
    for (size_t i = 0; names->zones && i < list->count; i++) {
        size_t len = strcspn(list->items[i], " ");
        names->zone_count +=
            dname_parse_len(list->items[i], len, &names->zones[names->zone_count]) == 0;
    }
    return names->zones ? 0 : -ENOMEM;
}

struct local_names *local_names_new(const struct config *config)
{
    const struct text_list *list = &config->dns.records;
    struct local_names *names =
        calloc(1, sizeof(*names) + list->count * sizeof(struct local_record));
    if (!names || read_zones(names, &config->upstream.zones) < 0) {
        free(names);
        return NULL;
    }
    for (size_t i = 0; i < list->count; i++) {
        struct local_record *record = &names->records[names->count];
        if (read_record(list->items[i], record)) {
            record->order = (unsigned)i;
            names->lengths |= length_bit(&record->name);
            names->count++;
        }
    }
    qsort(names->records, names->count, sizeof(names->records[0]), compare_records);
    if (dname_parse(config->server.name, &names->own) == 0) {
        names->lengths |= length_bit(&names->own);
        names->lengths |= UINT64_C(1) << ((names->own.len + LOCAL_NAMES_PREFIX) & 63);
    }
    return names;
}

void local_names_free(struct local_names *names)
{
    if (names) {
        free(names->zones);
        free(names);
    }
}

bool local_names_is_elsewhere(const struct local_names *names, const struct dname *name)
{
    for (size_t i = 0; i < names->zone_count; i++) {
        if (dname_is_below(name, &names->zones[i])) {
            return true;
        }
    }
    return false;
}

const struct dname *local_names_own(const struct local_names *names)
{
    return &names->own;
}

bool local_names_may_have(const struct local_names *names, const struct dname *name)
{
    return names->lengths & length_bit(name);
}

const struct local_record *local_names_find(const struct local_names *names,
                                            const struct dname *name, size_t *ret_count)
{
    size_t low = 0, high = names->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_names(&names->records[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    size_t end = low;
    while (end < names->count && compare_names(&names->records[end].name, name) == 0) {
        end++;
    }
    *ret_count = end - low;
    return end > low ? &names->records[low] : NULL;
}

const struct dname *local_names_of(const struct local_names *names, const struct addr *address)
{
    for (size_t i = 0; i < names->count; i++) {
        if (addr_equal(&names->records[i].address, address)) {
            return &names->records[i].name;
        }
    }
    return NULL;
}

const struct local_record *local_names_all(const struct local_names *names, size_t *ret_count)
{
    *ret_count = names->count;
    return names->records;
}
