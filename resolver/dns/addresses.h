// SPDX-License-Identifier: Apache-2.0
/* addresses: every address to which an answer leads. */
#pragma once
#include "base/addr.h"

#include <stddef.h>

/* Call `visit` with the address of each A and AAAA record and of each ipv4hint and
 * ipv6hint (RFC 9460 section 7.3) in the answer section of a rebuilt answer; a negative
 * return ends the walk and is returned. -EBADMSG. */
typedef int (*addresses_visit)(void *context, const struct addr *addr);
__attribute__((warn_unused_result)) int addresses_walk(const uint8_t *wire, size_t len,
                                                       addresses_visit visit, void *context);
