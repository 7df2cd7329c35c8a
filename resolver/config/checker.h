// SPDX-License-Identifier: Apache-2.0
/* checker: what no single value can tell, because it takes two of them. */
#pragma once
#include "base/addr.h"
#include "config/config.h"

/* The first thing that is wrong, with the place of the later value. The origins
 * must still have their nodes. -EINVAL. */
__attribute__((warn_unused_result)) int checker_check(const struct config *config,
                                                      struct diag *diag);

/* The item of dns.listen or dns.tls_listen at which a query to `server` would arrive, or
 * NULL: it is none of ours. */
const char *checker_find_own(const struct config *config, const struct addr *server);
