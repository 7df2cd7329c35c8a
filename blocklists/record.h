// SPDX-License-Identifier: Apache-2.0
/* record: what one line said about one name, 16 octets, and the sorting of millions. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "blocklists/blockdb.h"

struct record {
    uint64_t hash;  /* of the name, under the seed of the file */
    uint32_t check; /* of an independent hash, to tell a collision from a repetition */
    uint16_t source;
    uint8_t flags;  /* enum blockdb_flag, ENTRY_ADDRESS, ENTRY_CANCELS */
    uint8_t action; /* enum blockdb_action */
};

/* By hash, then check, source and flags; in place, without more memory. */
void record_sort(struct record *records, size_t count);

/* Take out the sorted records that cancel, and those that they cancel; counts the
 * latter by source. Returns how many records are left. */
size_t record_cancel(struct record *records, size_t count, uint64_t *cancelled);

/* The number of records from the front that are about one name, or -EEXIST when two
 * names have one hash. count >= 1; records are sorted. */
__attribute__((warn_unused_result)) int64_t record_group(const struct record *records,
                                                         size_t count);

/* A group as class items in canonical order: what one source says twice is joined.
 * Returns how many, or -E2BIG when they are more than `cap`. */
__attribute__((warn_unused_result)) int64_t record_items(const struct record *group, size_t count,
                                                         struct blockdb_item *items, size_t cap);
