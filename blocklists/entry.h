// SPDX-License-Identifier: Apache-2.0
/* entry: a token of a list as the domain name it stands for.
 *
 * Tokens are runs of octets with a length, never C strings. */
#pragma once
#include "blocklists/report.h"
#include "dns/name.h"

/* Read a name as lists write it: upper case, underscores, one trailing dot, hyphens
 * anywhere, UTF-8 (to A-labels by UTS 46). Returns SKIP_NONE with *ret_name, else why
 * it is none: an address, host:port, a path, a local name, a wildcard, nonsense. */
enum skip_reason entry_parse(const char *text, size_t len, struct dname *ret_name);

/* True for an IPv4 or IPv6 address, a zone index or prefix length allowed. */
bool entry_is_address(const char *text, size_t len);

enum { ENTRY_UNICODE_MAX = 1024 };

/* The name as people write it, A-labels as UTF-8; one that cannot be shown so as it is. */
const char *entry_print_unicode(const struct dname *name, char out[ENTRY_UNICODE_MAX]);
