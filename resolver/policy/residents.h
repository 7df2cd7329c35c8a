// SPDX-License-Identifier: Apache-2.0
/* residents: addresses of devices that groups name by MAC or by host.
 *
 * Made by the main thread from what the kernel's neighbour table and DHCP leases say now,
 * and the groups; immutable, and counted by that thread. Holds no name that anybody asked. */
#pragma once
#include "policy/keyring.h"

enum resident_why { RESIDENT_MAC, RESIDENT_HOST };

struct resident {
    struct addr addr; /* port 0; with its scope when link-local */
    uint16_t group;
    uint8_t why; /* enum resident_why */
};

struct residents;

/* NULL without memory. */
struct residents *residents_new(void);
void residents_ref(struct residents *residents);   /* accepts NULL */
void residents_unref(struct residents *residents); /* accepts NULL */

/* Only before it is in a snapshot. Of several rows of an address the least group counts.
 * -ENOMEM. */
__attribute__((warn_unused_result)) int residents_add(struct residents *residents,
                                                      const struct resident *resident);

/* NULL: nobody of that address. NULL residents are allowed. */
const struct resident *residents_find(const struct residents *residents, const struct addr *addr);

bool residents_equal(const struct residents *a, const struct residents *b);
size_t residents_count(const struct residents *residents, uint16_t group);
