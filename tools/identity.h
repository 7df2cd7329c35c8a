// SPDX-License-Identifier: Apache-2.0
/* identity: as whom a command goes on that root started. */
#pragma once
#include "base/diag.h"

struct config;

/* Strangers' bytes are not for root, and files that the daemon must read are not to be
 * root's: make state_dir and go on as server.user, else as whom it belongs to. Nothing
 * happens to anybody else. */
__attribute__((warn_unused_result)) int identity_take(const struct config *config,
                                                      struct diag *diag);

/* The same for commands that only read: no folder is made. */
__attribute__((warn_unused_result)) int identity_lower(const struct config *config,
                                                       struct diag *diag);
