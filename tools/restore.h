// SPDX-License-Identifier: Apache-2.0
/* restore: putting files in the place of others so that either all of them change or none. */
#pragma once
#include "tools/backup.h"

/* Members from a folder ("config/greengate.yaml" lies in it as just that) into their places. */
struct restore_set {
    const char *folder; /* where they are taken from */
    const struct backup_place *to;
    const struct backup_names *names; /* what may be there; what is not in the folder is removed,
                                       * but for databases, which stay */
};

/* Copy what lies in the places into the folder, which must be there and empty. */
__attribute__((warn_unused_result)) int restore_set_aside(const struct restore_set *set,
                                                          struct diag *diag);

/* Replace. Texts are written beside their places first, and renamed when all are there; a
 * failure before that changes nothing. After one, call this with the set that was laid aside. */
__attribute__((warn_unused_result)) int restore_install(const struct restore_set *set,
                                                        struct diag *diag);

/* "FOLDER/NAME"; -ENAMETOOLONG. */
__attribute__((warn_unused_result)) int restore_path(const char *folder, const char *name,
                                                     char out[PATH_MAX]);

/* Make FOLDER with config, config/conf.d and state in it, mode 0700; and take all away again. */
__attribute__((warn_unused_result)) int restore_make_folders(const char *folder);
void restore_remove_folders(const char *folder);

/* Write a file of a folder above: new, mode 0600. */
__attribute__((warn_unused_result)) int restore_put(const char *path, const void *data, size_t len);
