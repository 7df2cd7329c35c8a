// SPDX-License-Identifier: Apache-2.0
/* judge: what the gate's answers mean for the sources of an update: who is held back,
 * and which line of which list is to blame. */
#pragma once
#include "blocklists/sync.h"

struct judge {
    const struct sync_options *options;
    struct protected_list built_in;
    struct name_list essential, popular;
    struct catalog *catalog;
};

/* The names to ask for. A file of the configuration that cannot be read is an error, with
 * *diag; close it in any case. */
__attribute__((warn_unused_result)) int judge_open(const struct sync_options *options,
                                                   struct judge *ret_judge, struct diag *diag);
void judge_close(struct judge *judge);

/* Ask the compiled file at `path`: 1 when a source was refused and it must be compiled
 * again, else 0; fills in the result's hits and what its sources hit. -ENOMEM, or the
 * errors of blockdb_open(). */
__attribute__((warn_unused_result)) int judge_database(const struct judge *judge,
                                                       struct sync_result *result, const char *path,
                                                       struct diag *diag);
