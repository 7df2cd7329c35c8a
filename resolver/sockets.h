// SPDX-License-Identifier: Apache-2.0
/* sockets: who serves which listening socket, and how many sockets there may be. */
#pragma once
#include "daemon.h"

/* Take the sockets that the service manager handed over, else open dns.listen, and share it out
 * among the workers. A negative errno with *diag. */
__attribute__((warn_unused_result)) int sockets_open(struct daemon *daemon, struct diag *diag);

/* Every question in flight takes sockets, so take all that we may have; says so when they
 * are few. Returns how many each worker has for that, 0 = enough. */
unsigned sockets_raise_limit(struct daemon *daemon);
