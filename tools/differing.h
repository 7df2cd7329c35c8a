// SPDX-License-Identifier: Apache-2.0
/* differing: the difference of two databases, for people and as JSON. */
#pragma once
#include "blocklists/difference.h"
#include "blocklists/newly.h"
#include "tools/cli.h"

/* Members `lists` and `names`. */
void differing_add(cJSON *json, const struct difference *difference);

int differing_print(struct cli *cli, const struct difference *difference);

/* Well-known names that would be blocked newly: member `newly_blocked`. */
void differing_add_newly(cJSON *json, const struct newly_set *newly);
void differing_print_newly(struct cli *cli, const struct newly_set *newly);
