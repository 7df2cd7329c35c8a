// SPDX-License-Identifier: Apache-2.0
/* checker: what no single value can tell, because it takes two of them. */
#pragma once
#include "config/config.h"

/* The first thing that is wrong, with the place of the later value. The origins
 * must still have their nodes. -EINVAL. */
__attribute__((warn_unused_result)) int checker_check(const struct config *config,
                                                      struct diag *diag);
