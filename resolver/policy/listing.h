// SPDX-License-Identifier: Apache-2.0
/* listing: what the lists say about a name or an address, before rules are asked.
 *
 * The longest entry decides; of one name the lowest category. Exceptions take back
 * entries of their own source. What one list wants asked over TCP alone (RPZ) counts
 * only where no other list blocks. */
#pragma once
#include "policy/lists.h"

struct listing {
    const struct policy_lists *lists;
    uint64_t blocked;                  /* the group's categories */
    const struct dname *name;          /* NULL: an address without a name */
    const struct blockdb_probe *probe; /* of the name */
    const struct addr *addr;           /* NULL: the name itself is judged */
};

/* Sets all of the verdict but mode, rule and overrode; it comes zeroed but for rule. */
void listing_judge(const struct listing *listing, struct verdict *verdict);

/* The categories in which lists that are in force name the name itself; exceptions and
 * patterns are not asked. */
uint64_t listing_categories(const struct listing *listing);
