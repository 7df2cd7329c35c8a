// SPDX-License-Identifier: Apache-2.0
/* regex: the lists' regular expressions, compiled once and matched without the heap.
 *
 * Compiled by the thread that builds snapshots, matched by any: each thread has its
 * own room for matching, of a fixed size. No JIT, so that no memory of the daemon is
 * both written and executed. A name whose letters rule a pattern out is never matched. */
#pragma once
#include "base/diag.h"
#include "blocklists/blockdb.h"

#include <stdbool.h>

struct regex_set;

enum { REGEX_WORDS = 8 }; /* of 64 candidates: 500 patterns at most */

/* A name as patterns see it, and which patterns its letters leave possible. */
struct regex_name {
    char text[DNAME_WIRE_MAX];
    size_t len;
    uint64_t candidates[REGEX_WORDS];
};

/* Patterns that cannot be compiled are left out: how many, and the first of them. */
struct regex_report {
    unsigned left_out;
    uint32_t first; /* its index */
    struct diag diag;
};

/* Compile the patterns of a database; *ret_set is NULL when it has none. -ENOMEM. */
__attribute__((warn_unused_result)) int regex_set_new(const struct blockdb *db,
                                                      struct regex_set **ret_set,
                                                      struct regex_report *ret_report);
/* The same of texts, of which NULL is none; an empty set for no texts. */
__attribute__((warn_unused_result)) int regex_set_from(const char *const *texts, uint32_t count,
                                                       struct regex_set **ret_set,
                                                       struct regex_report *ret_report);

/* Can it be used as a rule? -EINVAL with the place in the pattern: it cannot be compiled,
 * needs too many steps on names that lead patterns astray, or blocks nearly every name. */
__attribute__((warn_unused_result)) int regex_judge(const char *text, bool allow,
                                                    struct diag *diag);

void regex_set_free(struct regex_set *set); /* accepts NULL */

/* False when no pattern can match: the name need not be looked at again. */
bool regex_prepare(const struct regex_set *set, const struct dname *name,
                   struct regex_name *ret_name);

/* Does pattern `index` of the database match? False for one that was left out. */
bool regex_matches(const struct regex_set *set, uint32_t index, const struct regex_name *name);

/* The next candidate from `index` on, or -1. */
int regex_next(const struct regex_name *name, uint32_t index);

struct regex_cost {
    unsigned patterns;
    unsigned always;    /* of them: those that every name is matched with */
    double ns_per_name; /* what they add to a query, on average */
};

/* Measure the patterns of one source on a sample of usual names, for some
 * milliseconds. -ENOMEM. */
__attribute__((warn_unused_result)) int regex_measure(const struct blockdb *db, unsigned source,
                                                      struct regex_cost *ret_cost);
