// SPDX-License-Identifier: Apache-2.0
/* protected: names that are treated in a way of their own, from the data folder.
 *
 * protected.yaml: names that no list may block; canaries.yaml: names by which browsers
 * and devices ask whether they may go around the filter. Each has one list of maps:
 * name, match (exact or subtree), why. */
#pragma once
#include "base/diag.h"
#include "dns/name.h"

struct protected_name {
    struct dname name;
    bool exact; /* the name alone, else all below it too */
    bool relay; /* of a canary: asked by a relay that hides all traffic */
};

struct protected_list {
    struct protected_name *items;
    size_t count;
};

/* Read the list `what` of data_dir/`what`.yaml. -ENOENT, -EINVAL with *diag; *ret_list is
 * untouched on failure. */
__attribute__((warn_unused_result)) int protected_load(const char *data_dir, const char *what,
                                                       struct protected_list *ret_list,
                                                       struct diag *diag);
void protected_clear(struct protected_list *list);
