// SPDX-License-Identifier: Apache-2.0
/* rulechange: one change of the rules file, which counts whole or not at all. */
#pragma once
#include "control/commands.h"
#include "store/rulefile.h"

/* The rules as they are, and a copy to change. */
struct rulechange {
    struct rule_list before, rules;
};

/* The rules that are not over. On failure with *call->diag. */
__attribute__((warn_unused_result)) int rulechange_load(const struct control_call *call,
                                                        struct rule_list *ret_rules);
__attribute__((warn_unused_result)) int rulechange_begin(const struct control_call *call,
                                                         struct rulechange *change);

/* Write, then make it count; when the second fails, the old rules come back. */
__attribute__((warn_unused_result)) int rulechange_apply(const struct control_call *call,
                                                         const struct rulechange *change);
void rulechange_clear(struct rulechange *change);

/* Put one rule in force, with "rule", "replaced" and "count" in the reply; an allow rule notes
 * what it takes back. An exit code. */
int rulechange_put(struct control_call *call, struct rule *rule);

/* A rule as replies show it. */
cJSON *rulechange_json(const struct rule *rule);
