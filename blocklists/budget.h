// SPDX-License-Identifier: Apache-2.0
/* budget: how lists.memory_mb is shared out in an update.
 *
 * The two programs take a fixed part; the rest is for what grows with the lists. Where
 * state_dir lies in memory, half of that is for files. */
#pragma once
#include <stdbool.h>

#include "config/config.h"

struct budget {
    uint64_t records; /* octets of names while compiling; the rest waits in a file */
    uint64_t decoder; /* of xz */
    uint64_t file;    /* of the largest file, 0 = no bound but the general ones */
};

struct budget budget_of(const struct config *config);

/* lists.memory_mb that compiling so many names takes where files lie in memory. */
unsigned budget_needed(uint64_t names);

/* Say that the database of so many names is too large there; -EFBIG. */
int budget_explain(const struct config *config, uint64_t names, struct diag *diag);
