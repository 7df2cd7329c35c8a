// SPDX-License-Identifier: Apache-2.0
/* reverse: names of addresses below in-addr.arpa and ip6.arpa. */
#pragma once
#include "base/addr.h"
#include "dns/name.h"

/* The address that a whole reverse name stands for (RFC 1035 section 3.5, RFC 3596
 * section 2.5). -EINVAL for any other name. */
__attribute__((warn_unused_result)) int reverse_read(const struct dname *name,
                                                     struct addr *ret_addr);

/* The reverse name of an address. */
void reverse_write(const struct addr *addr, struct dname *ret_name);

/* Does the name lie in a reverse zone that means something else in every network
 * (RFC 6303 section 4, RFC 7793)? *ret_skip labels stand before the zone's name. */
bool reverse_is_private(const struct dname *name, unsigned *ret_skip);
