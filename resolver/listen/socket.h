// SPDX-License-Identifier: Apache-2.0
/* socket: the listening sockets, opened together before privileges are dropped. */
#pragma once
#include "base/addr.h"
#include "base/diag.h"

/* Bound, non-blocking, with SO_REUSEPORT so that each worker has its own. Port 0 lets
 * the kernel choose. The descriptor, or a negative errno with *diag. */
__attribute__((warn_unused_result)) int socket_open_udp(const struct addr *addr, struct diag *diag);
__attribute__((warn_unused_result)) int socket_open_tcp(const struct addr *addr, struct diag *diag);

/* Make a socket that somebody else bound like those above. `type` is SOCK_DGRAM or
 * SOCK_STREAM. A negative errno with *diag. */
__attribute__((warn_unused_result)) int socket_adopt(int fd, int type, struct diag *diag);
