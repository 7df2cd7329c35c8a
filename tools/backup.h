// SPDX-License-Identifier: Apache-2.0
/* backup: what a backup holds, and where each part of it lies on this machine.
 *
 * A tar file packed by zstd, mode 0600. Its first member, manifest.json, tells the format,
 * the version that made it, and name, size and SHA-256 of every other member. */
#pragma once
#include "base/diag.h"
#include "config/config.h"

#include <limits.h>
#include <stdbool.h>

#define BACKUP_MANIFEST "manifest.json"
#define BACKUP_CONFIG   "config/greengate.yaml"
#define BACKUP_FOLDER   "config/conf.d/"
#define BACKUP_MANAGED  "state/managed.yaml"
#define BACKUP_RULES    "state/rules.yaml"
#define BACKUP_ACCOUNTS "state/accounts.db"
#define BACKUP_STATS    "state/stats.db"

enum {
    BACKUP_FORMAT = 1,
    BACKUP_NAME_MAX = 100,
    BACKUP_FILES_MAX = 300,
    BACKUP_TEXT_MAX = 16 << 20,    /* octets of a text */
    BACKUP_OCTETS_MAX = 256 << 20, /* of all together */
};

/* May a member be called so? Nothing else is ever made of a name than the paths below. */
bool backup_is_name(const char *name);
bool backup_is_database(const char *name);

/* Where a member lies: beside the configuration file, or in its state_dir. -ENAMETOOLONG. */
struct backup_place {
    const char *config_path, *state_dir;
};
__attribute__((warn_unused_result)) int backup_path(const struct backup_place *place,
                                                    const char *name, char out[PATH_MAX]);

/* Names of members, without the manifest. */
struct backup_names {
    char items[BACKUP_FILES_MAX][BACKUP_NAME_MAX];
    size_t count;
};
bool backup_has(const struct backup_names *names, const char *name);
void backup_add(struct backup_names *names, const char *name); /* each once; no more than fit */

/* What of all that a backup may hold is there. -EINVAL: a file has a name that a backup cannot
 * hold, or there are too many; -EACCES: it cannot be seen what is there; with *diag. */
__attribute__((warn_unused_result)) int backup_list(const struct backup_place *place, bool stats,
                                                    struct backup_names *ret_names,
                                                    struct diag *diag);

/* What else a backup often holds, and this machine has not. */
void backup_list_absent(const struct backup_names *names, bool stats,
                        struct backup_names *ret_absent);

/* A member's octets from where it lies, for the caller to free(). */
struct backup_data {
    char *octets;
    size_t len;
};
__attribute__((warn_unused_result)) int backup_read(const struct backup_place *place,
                                                    const char *name, struct backup_data *ret_data,
                                                    struct diag *diag);
