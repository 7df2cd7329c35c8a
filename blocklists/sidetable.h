// SPDX-License-Identifier: Apache-2.0
/* sidetable: what a database holds beside its hashed names, while it is built: local
 * records of RPZ zones, and regular expressions. Both are few and bounded. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "blocklists/blockdb.h"
#include "blocklists/format.h"

struct sidetable;

enum { SIDETABLE_RECORDS_MAX = 65536, SIDETABLE_BYTES_MAX = 4 << 20 };

/* Which item local records belong to. */
struct side_owner {
    uint64_t hash; /* of the name */
    uint16_t source;
    uint8_t flags; /* enum blockdb_flag, ENTRY_ADDRESS */
};

/* NULL without memory. */
struct sidetable *sidetable_new(void);
void sidetable_free(struct sidetable *table); /* accepts NULL */

/* Back to nothing. */
void sidetable_clear(struct sidetable *table);

/* One record of an owner; copied. -E2BIG past the limits, -ENOMEM. */
__attribute__((warn_unused_result)) int sidetable_add_data(struct sidetable *table,
                                                           const struct side_owner *owner,
                                                           const struct span *record);

/* Copied; `pattern->text` is `text`. -E2BIG: past BLOCKDB_PATTERNS_MAX one had to go, the
 * last in the order of sources and texts. -ENOMEM. */
__attribute__((warn_unused_result)) int sidetable_add_pattern(struct sidetable *table,
                                                              const struct blockdb_pattern *pattern,
                                                              const struct span *text);

/* After the last add: an order that does not depend on theirs, repetitions gone. */
void sidetable_sort(struct sidetable *table);

/* All records of an owner as an index for blockdb_data(), numbered in the order in
 * which they are first asked for; 0 for none, negative errno. */
__attribute__((warn_unused_result)) int64_t sidetable_data(struct sidetable *table,
                                                           const struct side_owner *owner);

/* What was numbered: index i is [i - 1]. */
const struct blockdb_data *sidetable_numbered(const struct sidetable *table, uint32_t *ret_count);
const struct blockdb_pattern *sidetable_patterns(const struct sidetable *table,
                                                 uint32_t *ret_count);
