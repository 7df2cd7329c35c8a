// SPDX-License-Identifier: Apache-2.0
/* cookie: DNS cookies as a client (RFC 7873): ours is random for each server, and what it
 * gave back goes with it the next time. */
#pragma once
#include "upstream/server.h"

/* What a query to the server carries. */
void cookie_put(const struct server *server, struct ask_extras *extras);

/* Learn from an answer to a query that carried ours. False: it is forged, since its
 * cookie is not ours, or the server gives cookies and this has none (section 5.3). */
__attribute__((warn_unused_result)) bool cookie_take(struct server *server,
                                                     const struct ask_verdict *verdict);
