// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/regex.h"
#include "store/rulefile.h"
#include "tools/cli.h"
#include "tools/moving.h"
#include "tools/moving_write.h"

struct writing {
    struct moved *moved;
    struct rule_list list;
    unsigned patterns;
    const char **groups; /* room for all of a rule */
    int err;
};

/* Whole characters of UTF-8, and none that steer a terminal. */
static void copy_note(const char *text, char out[RULE_NOTE_MAX])
{
    size_t len = strnlen(text, RULE_NOTE_MAX);
    if (len == RULE_NOTE_MAX) {
        for (len--; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;) {
            len--;
        }
    }
    memcpy(out, text, len);
    out[len] = '\0';
    cli_make_plain_text(out);
}

/* NULL, or why the rule cannot be one here. */
static const char *fill(const cJSON *json, struct rule *rule, struct diag *diag)
{
    const char *pattern = moving_text(json, "pattern");
    *rule = (struct rule){.allow = strcmp(moving_text(json, "action"), "allow") == 0,
                          .exact = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "exact")),
                          .made_at = (int64_t)time(NULL)};
    copy_note(moving_text(json, "note"), rule->note);
    if (!*pattern) {
        return dname_parse(moving_text(json, "name"), &rule->name) < 0 ? "it is no domain name"
                                                                       : NULL;
    }
    rule->name.len = 1;
    if (strlen(pattern) >= RULE_PATTERN_MAX) {
        return "a regular expression may have 199 octets at most";
    }
    snprintf(rule->pattern, sizeof(rule->pattern), "%s", pattern);
    diag_clear(diag);
    return regex_judge(pattern, rule->allow, diag) < 0 ? diag->text : NULL;
}

static void put(struct writing *writing, struct rule *rule, const char *group)
{
    snprintf(rule->group, sizeof(rule->group), "%s", group);
    int err = rule_list_put(&writing->list, rule);
    writing->err = writing->err < 0 ? writing->err : err;
}

bool moving_is_meant(const cJSON *rule, const cJSON *policy)
{
    const char *only = moving_text(rule, "policy");
    return *only ? strcmp(only, moving_text(policy, "name")) == 0
                 : moving_concerns(cJSON_GetObjectItemCaseSensitive(rule, "sets"), policy);
}

static bool has_number(const cJSON *list, int number)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        if (item->valueint == number) {
            return true;
        }
    }
    return false;
}

/* For everybody when no policy is left out, else for each by itself. */
static size_t choose_groups(const cJSON *moving, const cJSON *json, const char **groups)
{
    const cJSON *policy, *policies = cJSON_GetObjectItemCaseSensitive(moving, "policies");
    const cJSON *lost = cJSON_GetObjectItemCaseSensitive(json, "lost"); /* true: for all */
    const cJSON *also = cJSON_GetObjectItemCaseSensitive(json, "also");
    size_t count = 0;
    int at = 0;
    if (cJSON_IsTrue(lost)) {
        return 0;
    }
    cJSON_ArrayForEach(policy, policies)
    {
        const char *group = moving_text(policy, "group");
        if (moving_is_meant(json, policy) && *group && !has_number(lost, at)) {
            groups[count++] = group;
        }
        at++;
    }
    if (count < (size_t)at) {
        return count;
    }
    count = 0;
    groups[count++] = "";
    at = 0;
    cJSON_ArrayForEach(policy, policies)
    {
        if (has_number(also, at++)) {
            groups[count++] = moving_text(policy, "group");
        }
    }
    return count;
}

static const char *refuse_count(const struct writing *writing, const cJSON *json, size_t count)
{
    const char *lost_to = moving_text(json, "lost_to");
    if (count == 0) {
        return *lost_to ? lost_to : "no group that filters anything is meant by it";
    }
    if (writing->list.count + count > RULE_LIST_MAX) {
        return "there may be 10000 rules at most: make a list of them";
    }
    if (*moving_text(json, "pattern") && writing->patterns + count > RULE_PATTERNS_MAX) {
        return "there may be 200 regular expressions at most: make a list of them, format: regex";
    }
    return NULL;
}

static void tell_rule(struct moved *moved, const cJSON *json, const char *why)
{
    const char *pattern = moving_text(json, "pattern"), *lost_to = moving_text(json, "lost_to");
    const char *name = *pattern ? pattern : moving_text(json, "name"), *state = "left";
    char text[MOVING_TEXT_MAX];
    if (!why && *lost_to) {
        snprintf(text, sizeof(text), "it is not for all of its groups any more: %s", lost_to);
        state = "changed";
    } else if (!why && cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "weak"))) {
        snprintf(text, sizeof(text),
                 "names go before expressions here: below a name that a rule "
                 "of yours %s, it does nothing; name what it is for",
                 strcmp(moving_text(json, "action"), "allow") == 0 ? "blocks" : "allows");
        state = "changed";
    } else {
        snprintf(text, sizeof(text), "%s", why ? why : "");
        state = why ? "left" : "taken";
    }
    moved_tell(moved, &(struct moved_item){"rule", name, state,
                                           why ? NULL : moving_text(json, "action"), text});
}

static void write_rule(struct writing *writing, const cJSON *moving, const cJSON *json)
{
    struct rule rule;
    struct diag diag = {0};
    const char *why = fill(json, &rule, &diag);
    size_t count = why ? 0 : choose_groups(moving, json, writing->groups);
    why = why ? why : refuse_count(writing, json, count);
    for (size_t i = 0; !why && i < count; i++) {
        put(writing, &rule, writing->groups[i]);
    }
    writing->patterns += !why && *rule.pattern ? (unsigned)count : 0;
    tell_rule(writing->moved, json, why);
}

/* The file's own writer makes the text. */
static int print(const struct writing *writing, const char *from, struct diag *diag)
{
    char title[MOVING_TEXT_MAX];
    char *text = NULL;
    size_t len;
    snprintf(title, sizeof(title),
             "# Taken over from %.100s by `greengate import`, for `greengate rules import`.\n",
             from);
    int err = rulefile_print(&writing->list, title, &text, &len);
    if (err < 0) {
        free(text);
        return diag_set(diag, err, "the local rules: %s", strerror(-err));
    }
    writing->moved->rules = text;
    return 0;
}

int moving_write_rules(const cJSON *moving, struct moved *moved, struct diag *diag)
{
    static const char *const actions[] = {"block", "allow"};
    struct writing writing = {.moved = moved};
    const cJSON *json;
    int policies = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(moving, "policies"));
    writing.groups = calloc((size_t)policies + 1, sizeof(*writing.groups));
    if (!writing.groups) {
        return -ENOMEM;
    }
    /* Of two for the same name the later stands; allow wins with all of them. */
    for (size_t i = 0; i < 2; i++) {
        cJSON_ArrayForEach(json, cJSON_GetObjectItemCaseSensitive(moving, "rules"))
        {
            if (strcmp(moving_text(json, "action"), actions[i]) == 0) {
                write_rule(&writing, moving, json);
            }
        }
    }
    int err = writing.err;
    if (err == 0 && writing.list.count) {
        err = print(&writing, moving_text(moving, "from"), diag);
    }
    rule_list_clear(&writing.list);
    free(writing.groups);
    return err;
}
