// SPDX-License-Identifier: Apache-2.0
/* managed: state_dir/managed.yaml, what commands say beside the administrator's files.
 *
 * config_load() reads it last. Only managed_apply() writes it, under a lock, and only
 * when the whole configuration is valid with it; the file before stays otherwise. */
#pragma once
#include "base/diag.h"

#define MANAGED_NAME "managed.yaml"

struct managed_change {
    const char *put;           /* settings as a file would say them, of lists.sources and groups:
                      * items go by id and name, their keys replace the old ones, and a
                      * plain `null` takes a key away. "" = none */
    const char *const *remove; /* ids of sources to take out */
    size_t remove_count;
    int (*use)(void *arg, struct diag *diag); /* put it in force; the old file comes back
                                               * when that fails. NULL: nobody need know */
    void *arg;
};

/* -EINVAL: with a place in *diag a file is wrong, without one the change is; -ENOENT:
 * the file has no such source; -EAGAIN: another change is being made; what files say. */
__attribute__((warn_unused_result)) int
managed_apply(const char *config_path, const struct managed_change *change, struct diag *diag);

/* Where it lies, for a configuration. */
struct config;
void managed_path(const struct config *config, char *out, size_t cap);
