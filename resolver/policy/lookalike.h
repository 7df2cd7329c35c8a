// SPDX-License-Identifier: Apache-2.0
/* lookalike: the plain name that an internationalised one can be mistaken for.
 *
 * Labels in punycode (RFC 3492) or in raw UTF-8 are decoded, and letters of other scripts
 * that look like a-z and 0-9 are replaced by those. */
#pragma once
#include "dns/name.h"

#include <stdbool.h>

/* False, and cheap to tell, of a name that is plain already, and of one that holds a letter
 * that looks like none of ours: who writes in another script means it. */
bool lookalike_find(const struct dname *name, struct dname *ret_plain);
