// SPDX-License-Identifier: Apache-2.0
/* descriptors: how many sockets there may be. */
#pragma once
#include "daemon.h"

/* Every question in flight takes sockets, so take all that we may have; says so when they
 * are few. Returns how many each worker has for that, 0 = enough. */
unsigned descriptors_raise(struct daemon *daemon);
