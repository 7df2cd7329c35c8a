// SPDX-License-Identifier: Apache-2.0
/* census: how many TCP connections each client has, over all workers.
 *
 * Counters in a table of fixed size that no worker waits for. Clients may share
 * counters; a client's count is the least of its two, never less than the truth. */
#pragma once
#include "base/addr.h"

struct census;

/* NULL without memory. */
struct census *census_new(void);
void census_free(struct census *census);

enum { CENSUS_NETWORK = 16 };

/* One connection more or less of this client. census_join() returns how many there are
 * then; of an IPv6 network of 64 bits the CENSUS_NETWORKth part, if that is more. */
unsigned census_join(struct census *census, const struct addr *client);
void census_leave(struct census *census, const struct addr *client);
