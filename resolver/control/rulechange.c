// SPDX-License-Identifier: Apache-2.0
#include "control/rulechange.h"

#include <errno.h>

#include "policy/overridden.h"

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

cJSON *rulechange_json(const struct rule *rule)
{
    char name[DNAME_TEXT_MAX];
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "name", *rule->pattern ? "" : dname_print(&rule->name, name));
    cJSON_AddStringToObject(item, "pattern", rule->pattern);
    cJSON_AddStringToObject(item, "overrides_list", rule->over_list);
    cJSON_AddStringToObject(item, "overrides_entry", rule->over_entry);
    cJSON_AddStringToObject(item, "action", rule->allow ? "allow" : "block");
    cJSON_AddBoolToObject(item, "exact", rule->exact);
    cJSON_AddStringToObject(item, "group", rule->group);
    cJSON_AddStringToObject(item, "note", rule->note);
    cJSON_AddNumberToObject(item, "made_at", (double)rule->made_at);
    cJSON_AddNumberToObject(item, "expires_at", (double)rule->expires_at);
    return item;
}

static size_t count_patterns(const struct rule_list *rules)
{
    size_t count = 0;
    for (size_t i = 0; i < rules->count; i++) {
        count += rules->items[i].pattern[0] != 0;
    }
    return count;
}

int rulechange_put(struct control_call *call, struct rule *rule)
{
    struct rulechange change;
    int err = rulechange_begin(call, &change);
    const struct snapshot *snapshot = call->backend->snapshot(call->backend->owner);
    if (err == 0 && rule->allow && snapshot) {
        err = overridden_note(snapshot, rule);
    }
    if (err == 0 && *rule->pattern && count_patterns(&change.rules) >= RULE_PATTERNS_MAX) {
        err = diag_set(call->diag, -E2BIG, "there are %d patterns already; remove some first",
                       RULE_PATTERNS_MAX);
    }
    if (err == 0) {
        err = rule_list_put(&change.rules, rule);
        if (err == -E2BIG) {
            diag_set(call->diag, err, "there are %d rules already; remove some first",
                     RULE_LIST_MAX);
        }
    }
    if (err == 0) {
        err = rulechange_apply(call, &change);
    }
    if (err == 0) {
        bool replaced = change.rules.count == change.before.count;
        cJSON_AddItemToObject(call->reply, "rule", rulechange_json(rule));
        cJSON_AddBoolToObject(call->reply, "replaced", replaced);
        cJSON_AddNumberToObject(call->reply, "count", (double)change.rules.count);
    }
    rulechange_clear(&change);
    return err < 0 ? CONTROL_FAILED : CONTROL_DONE;
}
