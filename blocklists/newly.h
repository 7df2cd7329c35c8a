// SPDX-License-Identifier: Apache-2.0
/* newly: well-known names that a new database would block and the one in force does not. */
#pragma once
#include "blocklists/blockdb.h"

struct judge;

struct newly_name {
    char name[256];
    char list[80], category[80];
};

struct newly_set {
    struct newly_name *items; /* best known first; one for a name and category */
    size_t count;
};

/* Of the first POPULAR_TOP names of the judge. What is protected stays allowed, and a
 * list in shadow blocks nothing: neither counts. -ENOMEM, -ECHILD. */
__attribute__((warn_unused_result)) int newly_find(const struct judge *judge,
                                                   const struct blockdb *before,
                                                   const struct blockdb *after,
                                                   struct newly_set *ret_set);
void newly_clear(struct newly_set *set);
