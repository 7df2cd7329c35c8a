// SPDX-License-Identifier: Apache-2.0
/* fold: which names a list blocks with all below them, so that what it says again of a
 * name below one is left out.
 *
 * A set of hashes in fixed memory. When it is full it keeps those below a bound, which
 * depends on what was added and not on the order: folding is then partial, and the
 * same for the same lists. */
#pragma once
#include <stdbool.h>

#include "dns/name.h"

struct fold_set;

enum { FOLD_NAMES_MAX = 3 << 18 }; /* 786,432 */

/* NULL without memory. */
struct fold_set *fold_set_new(void);
void fold_set_free(struct fold_set *set); /* accepts NULL */

/* `key` stands for the list. */
void fold_set_add(struct fold_set *set, uint64_t key, const struct dname *name);

/* After the last name, before the first question. */
void fold_set_settle(struct fold_set *set);

/* The nearest parent of the name that was added under the same key, as labels to take
 * off the name, from `from` on; 0 for none. */
unsigned fold_set_parent(const struct fold_set *set, uint64_t key, const struct dname *name,
                         unsigned from);
