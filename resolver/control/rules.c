// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/rulechange.h"
#include "policy/overridden.h"
#include "policy/regex.h"

/* A page of rules must fit a frame, quotes escaped. */
enum {
    PAGE_OCTETS = CLIENT_FRAME_MAX * 3 / 4,
    RULE_OCTETS = 260,
    YEAR_S = 366 * 86400,
    YEARS_MAX = 10
};

static int read_target(const struct control_call *call, struct rule *rule)
{
    const char *group = control_text(call, "group");
    const struct snapshot *snapshot = call->backend->snapshot(call->backend->owner);
    if (!control_copy_plain(call, "pattern", rule->pattern, sizeof(rule->pattern))) {
        return diag_set(call->diag, CONTROL_USAGE, "pattern: at most %d plain characters",
                        RULE_PATTERN_MAX - 1);
    }
    bool named = dname_parse(control_text(call, "name"), &rule->name) == 0 && rule->name.labels;
    if (named == (*rule->pattern != 0)) {
        return diag_set(call->diag, CONTROL_USAGE, "name: a domain name is expected, or a pattern");
    }
    rule->name.len = named ? rule->name.len : 1;
    if (!control_copy_plain(call, "group", rule->group, sizeof(rule->group))) {
        return diag_set(call->diag, CONTROL_USAGE, "group: at most %d plain characters",
                        RULE_GROUP_MAX - 1);
    }
    bool adding = strcmp(control_text(call, "command"), "remove") != 0;
    if (adding && *group && (!snapshot || snapshot_find_group(snapshot, group) < 0)) {
        return diag_set(call->diag, CONTROL_USAGE, "no group is named %s", rule->group);
    }
    rule->exact = control_flag(call, "exact");
    return CONTROL_DONE;
}

static int read_rule(const struct control_call *call, struct rule *rule)
{
    int64_t for_s = 0;
    int code = read_target(call, rule);
    if (code != CONTROL_DONE) {
        return code;
    }
    if (*rule->pattern && regex_judge(rule->pattern, rule->allow, call->diag) < 0) {
        return CONTROL_USAGE;
    }
    if (!control_copy_plain(call, "note", rule->note, sizeof(rule->note))) {
        return diag_set(call->diag, CONTROL_USAGE, "note: at most %d plain characters",
                        RULE_NOTE_MAX - 1);
    }
    int err = control_number(call, "for_s", (int64_t)YEARS_MAX * YEAR_S, &for_s);
    if (err == -EINVAL || (err == 0 && for_s == 0)) {
        return diag_set(call->diag, CONTROL_USAGE, "for_s: seconds, from 1 to ten years");
    }
    rule->made_at = clock_wall_s(call->backend->clock);
    rule->expires_at = for_s ? rule->made_at + for_s : 0;
    return CONTROL_DONE;
}

static int put_rule(struct control_call *call, bool allow)
{
    struct rule rule = {.allow = allow};
    int code = read_rule(call, &rule);
    return code == CONTROL_DONE ? rulechange_put(call, &rule) : code;
}

int control_do_allow(struct control_call *call)
{
    return put_rule(call, true);
}

int control_do_block(struct control_call *call)
{
    return put_rule(call, false);
}

/* What is to go: the name and group, of either exactness unless "exact" is said, of
 * either action unless "action" is. */
static bool is_meant(const struct control_call *call, const struct rule *rule,
                     const struct rule *target)
{
    const char *action = control_text(call, "action");
    bool action_fits = !*action || strcmp(action, rule->allow ? "allow" : "block") == 0;
    return dname_equal(&rule->name, &target->name) && strcmp(rule->pattern, target->pattern) == 0 &&
           strcmp(rule->group, target->group) == 0 && (rule->exact || !target->exact) &&
           action_fits;
}

static size_t take_out(const struct control_call *call, struct rule_list *rules,
                       const struct rule *target)
{
    cJSON *removed = cJSON_AddArrayToObject(call->reply, "removed");
    size_t kept = 0;
    for (size_t i = 0; rules->items && i < rules->count; i++) {
        if (is_meant(call, &rules->items[i], target)) {
            cJSON_AddItemToArray(removed, rulechange_json(&rules->items[i]));
        } else {
            memmove(&rules->items[kept++], &rules->items[i], sizeof(rules->items[i]));
        }
    }
    size_t gone = rules->count - kept;
    rules->count = kept;
    return gone;
}

/* The group of a rule for the same name, so that the reader knows what to add. */
static const char *other_group(const struct rule_list *rules, const struct rule *target)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (dname_equal(&rules->items[i].name, &target->name) &&
            strcmp(rules->items[i].pattern, target->pattern) == 0) {
            return rules->items[i].group[0] ? rules->items[i].group : "(every group)";
        }
    }
    return NULL;
}

int control_do_remove(struct control_call *call)
{
    struct rulechange change;
    struct rule target = {0};
    int code = read_target(call, &target);
    if (code != CONTROL_DONE) {
        return code;
    }
    int err = rulechange_begin(call, &change);
    if (err == 0 && take_out(call, &change.rules, &target) == 0) {
        const char *group = other_group(&change.rules, &target);
        err = group ? diag_set(call->diag, -ENOENT,
                               "no such rule; the name has one of another kind or group: %s", group)
                    : diag_set(call->diag, -ENOENT, "no rule for this name");
    }
    if (err == 0) {
        err = rulechange_apply(call, &change);
    }
    if (err == 0) {
        cJSON_AddNumberToObject(call->reply, "count", (double)change.rules.count);
    }
    rulechange_clear(&change);
    return err < 0 ? CONTROL_FAILED : CONTROL_DONE;
}

/* At most so many octets of JSON: every character may need a backslash. */
static size_t rule_octets(const struct rule *rule)
{
    char name[DNAME_TEXT_MAX];
    size_t texts = strlen(dname_print(&rule->name, name)) + strlen(rule->group) +
                   strlen(rule->note) + strlen(rule->pattern) + strlen(rule->over_list) +
                   strlen(rule->over_entry);
    return RULE_OCTETS + 2 * texts;
}

int control_do_rules(struct control_call *call)
{
    struct rule_list rules = {0};
    const struct snapshot *snapshot = call->backend->snapshot(call->backend->owner);
    int64_t offset = 0;
    if (control_number(call, "offset", RULE_LIST_MAX, &offset) == -EINVAL) {
        return diag_set(call->diag, CONTROL_USAGE, "offset: a number of rules");
    }
    if (rulechange_load(call, &rules) < 0) {
        return CONTROL_FAILED;
    }
    cJSON *array = cJSON_AddArrayToObject(call->reply, "rules");
    size_t octets = 0;
    for (size_t i = (size_t)offset; i < rules.count; i++) {
        octets += rule_octets(&rules.items[i]);
        if (octets > PAGE_OCTETS) {
            break;
        }
        cJSON *item = rulechange_json(&rules.items[i]);
        bool gone = snapshot && overridden_is_gone(snapshot, &rules.items[i]);
        cJSON_AddBoolToObject(item, "not_needed", gone);
        cJSON_AddItemToArray(array, item);
    }
    cJSON_AddNumberToObject(call->reply, "count", (double)rules.count);
    rule_list_clear(&rules);
    return CONTROL_DONE;
}
