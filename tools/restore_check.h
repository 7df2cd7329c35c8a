// SPDX-License-Identifier: Apache-2.0
/* restore_check: is a backup whole, and is what it holds valid? Before anything is changed. */
#pragma once
#include "tools/backup.h"

#include <cjson/cJSON.h>

struct restore_check {
    const char *path;   /* the backup */
    const char *folder; /* made by restore_make_folders() */
    struct backup_names *names;
};

/* In a confined child: read it, compare it with its manifest, and lay its files into the folder.
 * -EBADMSG: damaged, or no backup; -ENOTSUP: of a newer format; with *diag. */
__attribute__((warn_unused_result)) int restore_check_file(struct restore_check *check,
                                                           cJSON **ret_manifest, struct diag *diag);

/* What `config check` checks, and the rules, of the files in the folder. -EINVAL with *diag. */
__attribute__((warn_unused_result)) int
restore_check_set(const char *folder, struct config **ret_config, struct diag *diag);

/* Make server.state_dir for its user when it is missing. */
__attribute__((warn_unused_result)) int restore_check_folders(const struct config *config,
                                                              struct diag *diag);
