// SPDX-License-Identifier: Apache-2.0
/* bucket: how often each client may ask, in a table of fixed size.
 *
 * Shared by all workers: a take is one compare-and-swap, and nobody waits. A client
 * that is not in the table has a full bucket; of a full row the one that has been quiet
 * longest gives way, so that too many clients make the limit looser, never stricter. */
#pragma once
#include "base/addr.h"

#include <stdbool.h>

struct bucket_table;

enum { BUCKET_NETWORK = 16 };

/* A bucket for an address, and for each IPv6 network of 64 bits one that holds
 * BUCKET_NETWORK times as much; kinds have buckets of their own. */
struct bucket_claim {
    const struct addr *client;
    uint8_t kind;
    bool together;  /* an IPv6 network is one client */
    uint32_t per_s; /* > 0; as many at once when the client was quiet for a second */
};

/* NULL without memory. */
struct bucket_table *bucket_table_new(void);
void bucket_table_free(struct bucket_table *table);

/* One more query at now_us (monotonic): is it within the limit? */
bool bucket_take(struct bucket_table *table, const struct bucket_claim *claim, uint64_t now_us);
