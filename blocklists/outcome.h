// SPDX-License-Identifier: Apache-2.0
/* outcome: what an update leaves: the texts behind the generation in force, or after a dry
 * run what it would have changed. */
#pragma once
#include "blocklists/sync.h"

/* Keep texts for `check` and `lists diff` unless lists.names is false, and remove those of
 * no generation. Lists are as good without: a fault is none of the update. */
void outcome_keep(const struct sync_options *options);

/* Sets result->difference from what is in force to the compiled file; nothing to compare
 * with is no error. -ENOMEM, or the errors of blockdb_open(). */
__attribute__((warn_unused_result)) int outcome_compare(const struct sync_options *options,
                                                        struct sync_result *result,
                                                        const char *compiled, struct diag *diag);
void outcome_clear(struct sync_result *result);
