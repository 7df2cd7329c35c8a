// SPDX-License-Identifier: Apache-2.0
#include "control/rulechange.h"

#include <errno.h>

void rulechange_clear(struct rulechange *change)
{
    rule_list_clear(&change->before);
    rule_list_clear(&change->rules);
}

int rulechange_load(const struct control_call *call, struct rule_list *ret_rules)
{
    int err = rulefile_load(call->backend->rules_path, ret_rules, call->diag);
    if (err == 0) {
        *call->diag = (struct diag){0}; /* an absent file left its name there */
        rule_list_expire(ret_rules, clock_wall_s(call->backend->clock));
    }
    return err;
}

int rulechange_begin(const struct control_call *call, struct rulechange *change)
{
    *change = (struct rulechange){0};
    int err = rulechange_load(call, &change->before);
    if (err == 0 && rule_list_copy(&change->before, &change->rules) < 0) {
        err = diag_set(call->diag, -ENOMEM, "no memory for the rules");
    }
    return err;
}

int rulechange_apply(const struct control_call *call, const struct rulechange *change)
{
    const struct control_backend *backend = call->backend;
    struct diag aside = {0};
    int err = rulefile_save(backend->rules_path, &change->rules, call->diag);
    if (err < 0) {
        return err;
    }
    *call->diag = (struct diag){0};
    err = backend->set_rules(backend->owner, &change->rules, call->diag);
    if (err < 0 && rulefile_save(backend->rules_path, &change->before, &aside) < 0) {
        diag_set(call->diag, err, "%.200s; the rule file is ahead of what is in force", aside.text);
    }
    return err;
}
