// SPDX-License-Identifier: Apache-2.0
/* client: from an address to a number, first match wins.
 *
 * Prefixes nest or are disjoint, so they flatten into one sorted run of ranges; a
 * lookup is a binary search whose cost hardly grows with groups and subnets. */
#pragma once
#include "base/addr.h"

enum { CLIENT_NONE = 0xffff };

struct client_rule {
    struct prefix prefix;
    uint16_t value; /* the least value of all that cover an address wins */
};

struct client_index;

/* NULL without memory. The rules are copied. */
struct client_index *client_index_new(const struct client_rule *rules, size_t count);
void client_index_free(struct client_index *index);

/* CLIENT_NONE when nothing covers the address. */
uint16_t client_find(const struct client_index *index, const struct addr *addr);

/* The directly connected prefixes of this host's interfaces, at most cap of them, with
 * that value. Returns how many. */
size_t client_local_prefixes(struct client_rule *rules, size_t cap, uint16_t value);
