// SPDX-License-Identifier: Apache-2.0
/* recordset: all records of a build in bounded memory.
 *
 * What does not fit is kept in a file by the top bits of its hash; each part is then
 * sorted on its own, and the parts follow each other in the order of the hash. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "blocklists/record.h"

struct recordset;

struct recordset_plan {
    uint64_t total;      /* records that will come at most */
    size_t memory;       /* octets for records */
    int fd;              /* open for both; written only when they do not fit */
    uint64_t at;         /* from this offset on */
    uint64_t *cancelled; /* by source, when some records cancel others; else NULL */
};

/* -ENOMEM; -EINVAL: too little memory for so many records. */
__attribute__((warn_unused_result)) int recordset_new(const struct recordset_plan *plan,
                                                      struct recordset **ret_set);
void recordset_free(struct recordset *set); /* accepts NULL */

/* Back to no records. */
void recordset_clear(struct recordset *set);

/* -E2BIG: more than planned; or an error of writing. */
__attribute__((warn_unused_result)) int recordset_add(struct recordset *set,
                                                      const struct record *record);

/* After the last add: sort, let cancels act, and count the names. -EEXIST as record_group(); -ENOMEM:
 * one part is too large; or an error of the file. */
__attribute__((warn_unused_result)) int recordset_sort(struct recordset *set, uint64_t *ret_names);

/* Parts 0 to recordset_parts() - 1 hold the sorted records, each valid until the next
 * call; a name never spans two. */
unsigned recordset_parts(const struct recordset *set);
__attribute__((warn_unused_result)) int recordset_load(struct recordset *set, unsigned part,
                                                       const struct record **ret_records,
                                                       size_t *ret_count);
