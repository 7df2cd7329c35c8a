// SPDX-License-Identifier: Apache-2.0
#include "blocklists/builder.h"

#include <errno.h>

#include "blocklists/blockdb_key.h"

/* What folds, and what is folded into: plain blocks of a name and all below. */
static bool is_subtree(const struct scan_entry *entry)
{
    return entry->kind == SCAN_NAME && entry->flags == (BLOCKDB_SELF | BLOCKDB_BELOW) &&
           entry->action == BLOCKDB_BLOCK;
}

/* Does the list block a parent of it, and all below that? A public suffix was narrowed
 * to the name alone. */
static bool is_folded(const struct reading *reading, const struct scan_entry *entry)
{
    const struct builder *b = reading->builder;
    unsigned skip = 0;
    if (!reading->folds || !is_subtree(entry)) {
        return false;
    }
    while ((skip = fold_set_parent(b->parents, reading->key, &entry->name, skip + 1))) {
        struct dname parent;
        size_t len;
        size_t pos = 0;
        const uint8_t *wire = dname_suffix(&entry->name, skip, &len);
        if (dname_read(wire, len, &pos, &parent) == 0 && !suffix_is_public(b->suffixes, &parent)) {
            return true;
        }
    }
    return false;
}

static struct record name_record(struct builder *b, const struct dname *name)
{
    b->plan.labels[name->labels / 64] |= 1ULL << name->labels % 64;
    return (struct record){
        .hash = blockdb_hash(b->seed, name),
        .check = (uint32_t)hash_seeded128_inline(b->seed, name->wire, name->len).high,
    };
}

static struct record address_record(struct builder *b, const struct prefix *prefix)
{
    uint8_t key[BLOCKDB_ADDRESS_KEY_MAX];
    size_t len = blockdb_address_key(&prefix->addr, prefix->bits, key);
    if (prefix->addr.family == AF_INET) {
        b->plan.prefixes_4 |= 1ULL << prefix->bits;
    } else {
        b->plan.prefixes[prefix->bits / 64] |= 1ULL << prefix->bits % 64;
    }
    return (struct record){
        .hash = blockdb_hash_address(b->seed, prefix),
        .check = (uint32_t)hash_seeded128_inline(b->seed, key, len).high,
        .flags = ENTRY_ADDRESS,
    };
}

/* More patterns than a database holds are skipped and counted. */
static int keep_pattern(struct reading *reading, const struct scan_entry *entry, unsigned flags)
{
    struct builder *b = reading->builder;
    struct source_report *report = &b->reports[reading->source];
    const struct blockdb_pattern pattern = {
        .source = reading->index, .flags = (uint8_t)flags, .action = entry->action};
    int err = sidetable_add_pattern(b->beside, &pattern, &entry->pattern);
    if (err == -E2BIG) {
        report->patterns--;
        report->skipped[SKIP_REGEX]++;
        return 0;
    }
    return err;
}

static int keep_record(struct reading *reading, const struct scan_entry *entry, unsigned flags)
{
    struct builder *b = reading->builder;
    struct record record =
        entry->kind == SCAN_NAME ? name_record(b, &entry->name) : address_record(b, &entry->prefix);
    record.source = reading->index;
    record.flags |= (uint8_t)flags;
    record.action = entry->action;
    int err = recordset_add(b->records, &record);
    if (err == 0 && entry->action == BLOCKDB_LOCAL) {
        const struct side_owner owner = {record.hash, record.source, record.flags};
        err = sidetable_add_data(b->beside, &owner, &entry->data);
        err = err == -E2BIG ? -EOVERFLOW : err;
    }
    return err;
}

void builder_count(void *arg, const struct scan_entry *entry)
{
    struct reading *reading = arg;
    uint64_t hash = 0;
    if (entry->kind == SCAN_NAME) {
        hash = hash_seeded_inline(reading->key + entry->flags, entry->name.wire, entry->name.len);
    } else if (entry->kind == SCAN_ADDRESS) {
        hash = blockdb_hash_address(reading->key + entry->flags, &entry->prefix);
    }
    reading->builder->reports[reading->source].closest +=
        entry->flags & BLOCKDB_CLOSEST || entry->action == BLOCKDB_TCP_ONLY;
    reading->sum += hash;
    reading->squares += hash * hash;
    if (is_subtree(entry)) {
        fold_set_add(reading->builder->parents, reading->key, &entry->name);
    }
}

void builder_keep(void *arg, const struct scan_entry *entry)
{
    struct reading *reading = arg;
    struct builder *b = reading->builder;
    unsigned flags = entry->flags;
    if (b->fault < 0) {
        return;
    }
    if (is_folded(reading, entry)) {
        b->reports[reading->source].folded++;
        return;
    }
    flags |= flags & BLOCKDB_EXCEPTION ? reading->scope : 0;
    b->fault = entry->kind == SCAN_PATTERN ? keep_pattern(reading, entry, flags)
                                           : keep_record(reading, entry, flags);
}
