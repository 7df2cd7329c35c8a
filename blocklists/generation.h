// SPDX-License-Identifier: Apache-2.0
/* generation: the kept databases, and the link to the one in force.
 *
 * state_dir/generations/NNNNNN.ggdb; state_dir/blocklist.ggdb is a relative link that
 * is swapped by one rename, so that a reader sees the old or the new one. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

enum { GENERATIONS_MAX = 256 };

struct generation {
    unsigned number;
    bool in_force;
    bool damaged; /* does not open: the rest is 0 */
    int64_t built_at;
    int64_t installed_at;           /* when its file was written */
    uint64_t names, bytes, content; /* content: first 64 bits of its checksum */
    uint32_t sources;
};

/* Oldest first; returns how many, at most GENERATIONS_MAX. 0 without a folder. */
size_t generation_list(const char *state_dir, struct generation out[GENERATIONS_MAX]);

/* The number in force, or -ENOENT. */
int generation_in_force(const char *state_dir);

/* Put a compiled, synced file in force as a new generation. */
__attribute__((warn_unused_result)) int generation_install(const char *state_dir,
                                                           const char *temp_path,
                                                           unsigned *ret_number, struct diag *diag);

/* Put a kept one in force, after it was verified. -ENOENT, -EBADMSG, -EPROTO. */
__attribute__((warn_unused_result)) int generation_use(const char *state_dir, unsigned number,
                                                       struct diag *diag);

/* Keep the one in force until generation_unpin(): state_dir/pinned. The newest is not
 * pinned, for nothing is held back by it. 1 when pinned, else 0; negative errno. */
__attribute__((warn_unused_result)) int generation_pin(const char *state_dir, struct diag *diag);
void generation_unpin(const char *state_dir);

/* The number that is pinned and in force, or -ENOENT. */
int generation_pinned(const char *state_dir);

/* Remove the oldest until `keep` are left; never the one in force. */
void generation_prune(const char *state_dir, size_t keep);

/* Remove unfinished files that a killed update left. */
void generation_clean(const char *state_dir);

/* The one before that in force, or -ENOENT. */
int generation_previous(const char *state_dir);
