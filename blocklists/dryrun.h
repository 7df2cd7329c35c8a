// SPDX-License-Identifier: Apache-2.0
/* dryrun: what an update would change, were it installed. */
#pragma once
#include "blocklists/sync.h"

/* Sets result->difference from what is in force to the compiled file; nothing to compare
 * with is no error. -ENOMEM, or the errors of blockdb_open(). */
__attribute__((warn_unused_result)) int dryrun_compare(const struct sync_options *options,
                                                       struct sync_result *result,
                                                       const char *compiled, struct diag *diag);
void dryrun_clear(struct sync_result *result);
