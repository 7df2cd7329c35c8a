// SPDX-License-Identifier: Apache-2.0
#include "store/rulefile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wholefile.h"
#include "config/yaml.h"

enum { FILE_OCTETS_MAX = 4 << 20 }; /* what yaml_read() takes */

static const char *const header =
    "# Local rules. The daemon writes this file: use `greengate allow`, `block` and `rules`.\n";

static int fail_at(struct diag *diag, const char *path, const struct yaml_node *node,
                   const char *text)
{
    diag_at(diag, path, node->line, node->column);
    return diag_set(diag, -EINVAL, "%s", text);
}

static int read_number(const char *text, int64_t *ret_number)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno || end == text || *end || number < 0) {
        return -EINVAL;
    }
    *ret_number = number;
    return 0;
}

static int read_flag(const char *text, bool *ret_flag, const char *yes, const char *no)
{
    *ret_flag = strcmp(text, yes) == 0;
    return *ret_flag || strcmp(text, no) == 0 ? 0 : -EINVAL;
}

static int read_text(const char *text, char *out, size_t cap)
{
    int len = snprintf(out, cap, "%s", text);
    return len >= 0 && (size_t)len < cap ? 0 : -EINVAL;
}

/* One "key: value"; NULL or what is wrong with it. */
static const char *read_key(const struct yaml_node *node, struct rule *rule)
{
    const char *text = node->text;
    if (node->kind != YAML_SCALAR) {
        return "a text or number is expected";
    }
    if (strcmp(node->key, "name") == 0) {
        return dname_parse(text, &rule->name) < 0 ? "not a domain name" : NULL;
    }
    if (strcmp(node->key, "action") == 0) {
        return read_flag(text, &rule->allow, "allow", "block") < 0 ? "allow or block" : NULL;
    }
    if (strcmp(node->key, "exact") == 0) {
        return read_flag(text, &rule->exact, "true", "false") < 0 ? "true or false" : NULL;
    }
    if (strcmp(node->key, "group") == 0) {
        return read_text(text, rule->group, sizeof(rule->group)) < 0 ? "too long" : NULL;
    }
    if (strcmp(node->key, "note") == 0) {
        return read_text(text, rule->note, sizeof(rule->note)) < 0 ? "too long" : NULL;
    }
    if (strcmp(node->key, "made_at") == 0) {
        return read_number(text, &rule->made_at) < 0 ? "seconds since 1970" : NULL;
    }
    if (strcmp(node->key, "expires_at") == 0) {
        return read_number(text, &rule->expires_at) < 0 ? "seconds since 1970" : NULL;
    }
    return "unknown key";
}

static int read_rule(const struct yaml_node *item, struct rule *rule, const char *path,
                     struct diag *diag)
{
    *rule = (struct rule){0};
    if (item->kind != YAML_MAP) {
        return fail_at(diag, path, item, "a rule is a map with name and action");
    }
    if (!yaml_get(item, "name") || !yaml_get(item, "action")) {
        return fail_at(diag, path, item, "a rule needs name and action");
    }
    for (const struct yaml_node *node = item->first; node; node = node->next) {
        const char *wrong = read_key(node, rule);
        if (wrong) {
            return fail_at(diag, path, node, wrong);
        }
    }
    return 0;
}

static int append(struct rule_list *rules, const struct rule *rule)
{
    struct rule *items = realloc(rules->items, (rules->count + 1) * sizeof(*items));
    if (!items) {
        return -ENOMEM;
    }
    rules->items = items;
    rules->items[rules->count++] = *rule;
    return 0;
}

/* Rules that replace each other are not looked for: the file is ours, and 10,000 of
 * them would be compared 50 million times. */
static int read_rules(const struct yaml_node *root, struct rule_list *rules, const char *path,
                      struct diag *diag)
{
    const struct yaml_node *list = yaml_get(root, "rules");
    if (!list) {
        /* An empty file is an empty list; another key is a mistake. */
        return root->first ? fail_at(diag, path, root->first, "only the key rules is known") : 0;
    }
    if (root->count != 1 || list->kind != YAML_LIST) {
        return fail_at(diag, path, list, "one key is expected: rules, a list");
    }
    if (list->count > RULE_LIST_MAX) {
        return fail_at(diag, path, list, "too many rules");
    }
    for (const struct yaml_node *item = list->first; item; item = item->next) {
        struct rule rule;
        int err = read_rule(item, &rule, path, diag);
        if (err == 0) {
            err = append(rules, &rule);
        }
        if (err < 0) {
            return err;
        }
    }
    return 0;
}

int rulefile_load(const char *path, struct rule_list *ret_rules, struct diag *diag)
{
    struct yaml_node *root = NULL;
    struct rule_list rules = {0};
    int err = yaml_read(path, &root, diag);
    if (err == 0) {
        err = read_rules(root, &rules, path, diag);
    }
    yaml_free(root);
    if (err < 0 && err != -ENOENT) {
        rule_list_clear(&rules);
        return err;
    }
    if (err == -ENOENT) {
        diag_clear(diag); /* no file is no mistake */
    }
    *ret_rules = rules;
    return 0;
}

static int write_rule(FILE *file, const struct rule *rule)
{
    char name[DNAME_TEXT_MAX];
    char *quoted_name = yaml_quote(dname_print(&rule->name, name));
    char *group = yaml_quote(rule->group);
    char *note = yaml_quote(rule->note);
    int err = quoted_name && group && note ? 0 : -ENOMEM;
    if (err == 0) {
        fprintf(file, "  - name: %s\n    action: %s\n", quoted_name,
                rule->allow ? "allow" : "block");
        fprintf(file, "    exact: %s\n    group: %s\n    note: %s\n",
                rule->exact ? "true" : "false", group, note);
        fprintf(file, "    made_at: %" PRId64 "\n    expires_at: %" PRId64 "\n", rule->made_at,
                rule->expires_at);
    }
    free(quoted_name);
    free(group);
    free(note);
    return err;
}

static int write_rules(FILE *file, const struct rule_list *rules)
{
    fprintf(file, "%srules:%s\n", header, rules->count ? "" : " []");
    for (size_t i = 0; i < rules->count; i++) {
        int err = write_rule(file, &rules->items[i]);
        if (err < 0) {
            return err;
        }
    }
    return 0;
}

static int print_rules(const struct rule_list *rules, char **ret_text, size_t *ret_len)
{
    FILE *file = open_memstream(ret_text, ret_len);
    if (!file) {
        return -ENOMEM;
    }
    int err = write_rules(file, rules);
    if (fclose(file) != 0 && err == 0) {
        err = -ENOMEM;
    }
    if (err == 0 && *ret_len > FILE_OCTETS_MAX) {
        err = -EFBIG; /* it could not be read again */
    }
    return err;
}

int rulefile_save(const char *path, const struct rule_list *rules, struct diag *diag)
{
    char *text = NULL;
    size_t len = 0;
    int err = print_rules(rules, &text, &len);
    if (err == 0) {
        err = wholefile_save(path, text, len);
    }
    free(text);
    if (err < 0) {
        diag_at(diag, path, 0, 0);
        return diag_set(diag, err, "cannot write the rules: %s", strerror(-err));
    }
    return 0;
}

static bool replaces(const struct rule *rule, const struct rule *old)
{
    return dname_equal(&old->name, &rule->name) && old->exact == rule->exact &&
           strcmp(old->group, rule->group) == 0;
}

int rule_list_remove(struct rule_list *rules, const struct rule *rule)
{
    size_t kept = 0;
    for (size_t i = 0; i < rules->count; i++) {
        if (!replaces(rule, &rules->items[i])) {
            memmove(&rules->items[kept++], &rules->items[i], sizeof(*rule));
        }
    }
    bool found = kept < rules->count;
    rules->count = kept;
    return found ? 0 : -ENOENT;
}

int rule_list_put(struct rule_list *rules, const struct rule *rule)
{
    struct rule added = *rule; /* it may lie in the list */
    if (rule_list_remove(rules, &added) < 0 && rules->count >= RULE_LIST_MAX) {
        return -E2BIG;
    }
    return append(rules, &added);
}

size_t rule_list_expire(struct rule_list *rules, int64_t now)
{
    size_t kept = 0;
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *rule = &rules->items[i];
        if (rule->expires_at == 0 || rule->expires_at > now) {
            memmove(&rules->items[kept++], rule, sizeof(*rule));
        }
    }
    size_t gone = rules->count - kept;
    rules->count = kept;
    return gone;
}

void rule_list_clear(struct rule_list *rules)
{
    free(rules->items);
    *rules = (struct rule_list){0};
}
