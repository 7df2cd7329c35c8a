// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/wholefile.h"
#include "policy/regex.h"
#include "store/rulefile.h"
#include "tools/cli.h"
#include "tools/moving.h"
#include "tools/moving_write.h"

enum { FILE_OCTETS_MAX = 8 << 20 };

struct writing {
    struct moved *moved;
    struct rule_list list;
    unsigned patterns;
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
static const char *fill(const struct writing *writing, const cJSON *json, struct rule *rule,
                        struct diag *diag)
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
    if (writing->patterns == RULE_PATTERNS_MAX) {
        return "there may be 200 regular expressions at most: make a list of them, format: regex";
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

/* For everybody when no policy is left out, else for each by itself. */
static unsigned put_for_policies(struct writing *writing, const cJSON *moving, const cJSON *json,
                                 struct rule *rule)
{
    const cJSON *policy, *policies = cJSON_GetObjectItemCaseSensitive(moving, "policies");
    const cJSON *sets = cJSON_GetObjectItemCaseSensitive(json, "sets");
    const char *only = moving_text(json, "policy");
    unsigned hit = 0, all = 0;
    for (int pass = 0; pass < 2; pass++) {
        cJSON_ArrayForEach(policy, policies)
        {
            bool meant = *only ? strcmp(only, moving_text(policy, "name")) == 0
                               : moving_concerns(sets, policy);
            const char *group = moving_text(policy, "group");
            if (pass == 0) {
                all++;
                hit += meant && *group;
            } else if (meant && *group) {
                put(writing, rule, group);
            }
        }
        if (pass == 0 && (hit == all || hit == 0)) {
            break;
        }
    }
    if (hit == all) {
        put(writing, rule, "");
        return 1;
    }
    return hit;
}

static void write_rule(struct writing *writing, const cJSON *moving, const cJSON *json)
{
    struct rule rule;
    struct diag diag = {0};
    const char *pattern = moving_text(json, "pattern");
    const char *name = *pattern ? pattern : moving_text(json, "name");
    const char *why = fill(writing, json, &rule, &diag);
    /* One rule may stand for each policy by itself: all of them must fit. */
    int policies = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(moving, "policies"));
    size_t most = policies > 1 ? (size_t)policies : 1;
    if (!why && writing->list.count + most > RULE_LIST_MAX) {
        why = "there may be 10000 rules at most: make a list of them";
    }
    if (!why) {
        size_t before = writing->list.count;
        why = put_for_policies(writing, moving, json, &rule) == 0
                  ? "no group that filters anything is meant by it"
                  : NULL;
        writing->patterns += *pattern ? (unsigned)(writing->list.count - before) : 0;
    }
    moved_tell(writing->moved, &(struct moved_item){"rule", name, why ? "left" : "taken",
                                                    why ? NULL : moving_text(json, "action"), why});
}

/* The file's own writer makes the text, in a folder of ours. */
static int print(struct writing *writing, struct diag *diag)
{
    char folder[] = "/tmp/greengate-import-XXXXXX", path[64];
    size_t len;
    if (!mkdtemp(folder)) {
        return diag_set(diag, -errno, "/tmp: %s", strerror(errno));
    }
    snprintf(path, sizeof(path), "%s/rules.yaml", folder);
    int err = rulefile_save(path, &writing->list, diag);
    if (err == 0) {
        err = wholefile_read(path, FILE_OCTETS_MAX, &writing->moved->rules, &len);
    }
    unlink(path);
    rmdir(folder);
    return err;
}

int moving_write_rules(const cJSON *moving, struct moved *moved, struct diag *diag)
{
    static const char *const actions[] = {"block", "allow"};
    struct writing writing = {.moved = moved};
    const cJSON *json;
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
        err = print(&writing, diag);
    }
    rule_list_clear(&writing.list);
    return err;
}
