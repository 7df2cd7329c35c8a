// SPDX-License-Identifier: Apache-2.0
/* announcement: what routers and DHCP servers tell devices about resolvers, read from the
 * octets of strangers. */
#pragma once
#include "base/addr.h"

enum { ANNOUNCEMENT_RESOLVERS = 16, ANNOUNCEMENT_INFORM = 300 };

struct announcement {
    struct addr from;
    struct addr resolvers[ANNOUNCEMENT_RESOLVERS];
    size_t count;
};

/* A router advertisement from its ICMPv6 header on (RFC 4861 section 4.2), its RDNSS options
 * (RFC 8106 section 5.1) with a lifetime. -EINVAL: it is none, or its options do not fit. */
__attribute__((warn_unused_result)) int announcement_read_ra(const uint8_t *data, size_t len,
                                                             struct announcement *ret_said);

/* A DHCP server's answer to the question with this id (RFC 2131), its option 6. -EINVAL. */
__attribute__((warn_unused_result)) int
announcement_read_dhcp(const uint8_t *data, size_t len, uint32_t id, struct announcement *ret_said);

/* DHCPINFORM of a client that has this address (RFC 2131 section 3.4). */
void announcement_make_inform(const struct addr *own, uint32_t id,
                              uint8_t out[ANNOUNCEMENT_INFORM]);
