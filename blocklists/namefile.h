// SPDX-License-Identifier: Apache-2.0
/* namefile: names from a file, one in a line, "#" for comments; in its order. */
#pragma once
#include "base/diag.h"
#include "dns/name.h"

struct name_list {
    struct dname *items;
    size_t count;
};

enum { NAMEFILE_MAX = 100000 };

/* -ENOENT, -EBADMSG (with the line), -E2BIG, with *diag; *ret_list is untouched on failure. */
__attribute__((warn_unused_result)) int namefile_load(const char *path, struct name_list *ret_list,
                                                      struct diag *diag);
void name_list_clear(struct name_list *list);
