// SPDX-License-Identifier: Apache-2.0
/* marks: which items of the data files name a domain: services, engines, ways around.
 *
 * Immutable once made; a look-up hashes each suffix of the name once. */
#pragma once
#include "config/known.h"
#include "dns/name.h"

enum { MARKS_MAX = 8 };

struct mark {
    uint16_t item; /* index into known->items */
    uint8_t skip;  /* labels taken off the name to reach it */
};

struct marks;

/* NULL without memory. The items stay the caller's and must outlive it. */
struct marks *marks_new(const struct known *known);
void marks_free(struct marks *marks); /* accepts NULL */

/* The marks of a name, the longest domain first, at most MARKS_MAX. Returns how many. */
size_t marks_find(const struct marks *marks, const struct dname *name,
                  struct mark ret_marks[MARKS_MAX]);

/* An engine's enforced name at that level, NULL when it has none. */
const struct dname *marks_target(const struct marks *marks, uint16_t item, bool moderate);
