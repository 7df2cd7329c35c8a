// SPDX-License-Identifier: Apache-2.0
/* folders: which folders of the UT1 archive belong to a category of ours. */
#pragma once
#include "config/config.h"

/* From ut1.yaml in data_dir. A category that none belongs to gives an empty list. The
 * caller clears it with folders_clear(). -ENOENT, -EINVAL with *diag, -ENOMEM. */
__attribute__((warn_unused_result)) int folders_of_category(const char *data_dir,
                                                            const char *category,
                                                            struct text_list *ret_list,
                                                            struct diag *diag);
void folders_clear(struct text_list *list);
