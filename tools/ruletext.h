// SPDX-License-Identifier: Apache-2.0
/* ruletext: the line of a list behind each entry that a check named. */
#pragma once
#include "tools/cli.h"

/* To every listing of a reply to `check` that has `list`, `entry` and `exception`, and to
 * the reply itself: `rule_text`, `line` and `format`. What cannot be read gets none;
 * `texts` of the reply then says why. */
void ruletext_add(struct cli *cli, cJSON *why);
