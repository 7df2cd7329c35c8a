// SPDX-License-Identifier: Apache-2.0
/* overridden: what of the lists an allow rule takes back. */
#pragma once
#include "policy/snapshot.h"

/* Fill over_list and over_entry of a rule with the first list that would block its name, for
 * its group or for any; "" when none would. A rule by pattern has none. -ENOMEM. */
__attribute__((warn_unused_result)) int overridden_note(const struct snapshot *snapshot,
                                                        struct rule *rule);

/* Does the rule remember a list's block that no list says any more? */
bool overridden_is_gone(const struct snapshot *snapshot, const struct rule *rule);
