// SPDX-License-Identifier: Apache-2.0
/* privileges: from root to a user of our own, for good. */
#pragma once
#include "base/diag.h"

/* Become `user` with its groups and no way back, and give up new privileges
 * (no_new_privs). An empty user only does the latter. -ENOENT: no such user; -EPERM:
 * not root. */
__attribute__((warn_unused_result)) int privileges_drop(const char *user, struct diag *diag);
