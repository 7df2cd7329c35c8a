// SPDX-License-Identifier: Apache-2.0
/* preview: what a compiled file would change if it came into force. */
#pragma once
#include "blocklists/judge.h"

/* Fill in the result's difference and newly, against what is in force; nothing to compare
 * with is no error. -ENOMEM, -ECHILD, or the errors of blockdb_open(). */
__attribute__((warn_unused_result)) int preview_make(const struct judge *judge,
                                                     struct sync_result *result, const char *path,
                                                     struct diag *diag);
void preview_clear(struct sync_result *result);
