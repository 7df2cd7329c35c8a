// SPDX-License-Identifier: Apache-2.0
/* sockets: who serves which listening socket. */
#pragma once
#include "daemon.h"

/* Take the sockets that the service manager handed over, else open dns.listen, and share it out
 * among the workers. A negative errno with *diag. */
__attribute__((warn_unused_result)) int sockets_open(struct daemon *daemon, struct diag *diag);
