// SPDX-License-Identifier: Apache-2.0
/* protected: names that no list may block, from data_dir/protected.yaml.
 *
 * A list of maps: name, match (exact or subtree), why. */
#pragma once
#include "base/diag.h"
#include "dns/name.h"

struct protected_name {
    struct dname name;
    bool exact; /* the name alone, else all below it too */
};

struct protected_list {
    struct protected_name *items;
    size_t count;
};

/* -ENOENT, -EINVAL with *diag; *ret_list is untouched on failure. */
__attribute__((warn_unused_result)) int
protected_load(const char *data_dir, struct protected_list *ret_list, struct diag *diag);
void protected_clear(struct protected_list *list);
