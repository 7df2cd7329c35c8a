// SPDX-License-Identifier: Apache-2.0
/* pattern: whether a regular expression of a list can be used on names. */
#pragma once
#include "blocklists/blockdb.h"
#include "blocklists/format.h"
#include "blocklists/namefile.h"

/* SKIP_NONE; SKIP_REGEX: PCRE2 does not compile it, or it takes too long; SKIP_WIDE: it
 * matches a quarter of the well-known names. */
enum skip_reason pattern_judge(const struct span *text);

/* Which patterns of a database match the first `count` names or their www. twins:
 * (*ret_fits)[pattern * count + name], freed by the caller; NULL when there is none.
 * Matched in a confined child. -ENOMEM, -ECHILD. */
__attribute__((warn_unused_result)) int pattern_try(const struct blockdb *db,
                                                    const struct name_list *names, size_t count,
                                                    uint8_t **ret_fits);
