// SPDX-License-Identifier: Apache-2.0
/* addresses: what lists say about the addresses in answers. */
#pragma once
#include "base/addr.h"
#include "blocklists/format.h"

/* An address or a prefix; host bits are taken off. */
bool address_read(const struct span *token, struct prefix *ret_prefix);

/* Whether the prefix touches a network that no list may block: private, loopback,
 * link-local, multicast or unspecified (RFC 6890). */
bool address_is_local(const struct prefix *prefix);
