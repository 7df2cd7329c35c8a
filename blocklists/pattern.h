// SPDX-License-Identifier: Apache-2.0
/* pattern: whether a regular expression of a list can be used on names. */
#pragma once
#include "blocklists/format.h"

/* SKIP_NONE; SKIP_REGEX: PCRE2 does not compile it, or it takes too long; SKIP_WIDE: it
 * matches a quarter of the well-known names. */
enum skip_reason pattern_judge(const struct span *text);
