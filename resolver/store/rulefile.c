// SPDX-License-Identifier: Apache-2.0
#include "store/rulefile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
    if (strcmp(node->key, "pattern") == 0) {
        return read_text(text, rule->pattern, sizeof(rule->pattern)) < 0 ? "too long" : NULL;
    }
    if (strcmp(node->key, "overrides_list") == 0) {
        return read_text(text, rule->over_list, sizeof(rule->over_list)) < 0 ? "too long" : NULL;
    }
    if (strcmp(node->key, "overrides_entry") == 0) {
        return read_text(text, rule->over_entry, sizeof(rule->over_entry)) < 0 ? "too long" : NULL;
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
    *rule = (struct rule){.name.len = 1};
    if (item->kind != YAML_MAP) {
        return fail_at(diag, path, item, "a rule is a map with name and action");
    }
    bool by_name = yaml_get(item, "name"), by_pattern = yaml_get(item, "pattern");
    if (by_name == by_pattern || !yaml_get(item, "action")) {
        return fail_at(diag, path, item, "a rule needs action, and name or pattern");
    }
    for (const struct yaml_node *node = item->first; node; node = node->next) {
        const char *wrong = read_key(node, rule);
        if (wrong) {
            return fail_at(diag, path, node, wrong);
        }
    }
    return 0;
}

static int read_kind(const char *text, uint8_t *ret_kind)
{
    for (int kind = 0; kind < WINDOW_KINDS; kind++) {
        if (strcmp(text, window_word((enum window_kind)kind)) == 0) {
            *ret_kind = (uint8_t)kind;
            return 0;
        }
    }
    return -EINVAL;
}

static const char *read_window_key(const struct yaml_node *node, struct window *window)
{
    const struct {
        const char *key;
        char *text;
        size_t cap;
        int64_t *number;
    } keys[] = {
        {"group", window->group, sizeof(window->group), NULL},
        {"what", window->what, sizeof(window->what), NULL},
        {"note", window->note, sizeof(window->note), NULL},
        {"made_at", NULL, 0, &window->made_at},
        {"from", NULL, 0, &window->from},
        {"until", NULL, 0, &window->until},
    };
    if (node->kind != YAML_SCALAR) {
        return "a text or number is expected";
    }
    if (strcmp(node->key, "kind") == 0) {
        return read_kind(node->text, &window->kind) < 0 ? "pause, block or allow" : NULL;
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(node->key, keys[i].key) != 0) {
            continue;
        }
        if (keys[i].number) {
            return read_number(node->text, keys[i].number) < 0 ? "seconds since 1970" : NULL;
        }
        return read_text(node->text, keys[i].text, keys[i].cap) < 0 ? "too long" : NULL;
    }
    return "unknown key";
}

static int read_window(const struct yaml_node *item, struct window *window, const char *path,
                       struct diag *diag)
{
    *window = (struct window){0};
    if (item->kind != YAML_MAP || !yaml_get(item, "kind") || !yaml_get(item, "until")) {
        return fail_at(diag, path, item, "a window is a map with kind and until");
    }
    for (const struct yaml_node *node = item->first; node; node = node->next) {
        const char *wrong = read_window_key(node, window);
        if (wrong) {
            return fail_at(diag, path, node, wrong);
        }
    }
    return 0;
}

static int append(struct rule_list *rules, const struct rule *rule)
{
    if (rules->count >= rules->cap) {
        size_t cap = rules->count + rules->count / 2 + 1;
        struct rule *items = realloc(rules->items, cap * sizeof(*items));
        if (!items) {
            return -ENOMEM;
        }
        rules->items = items;
        rules->cap = cap;
    }
    rules->items[rules->count++] = *rule;
    return 0;
}

/* Rules that replace each other are not looked for: the file is ours, and 10,000 of
 * them would be compared 50 million times. */
static int read_rules(const struct yaml_node *list, struct rule_list *rules, const char *path,
                      struct diag *diag)
{
    int err = list->count > RULE_LIST_MAX ? fail_at(diag, path, list, "too many rules") : 0;
    for (const struct yaml_node *item = list->first; item && err == 0; item = item->next) {
        struct rule rule;
        err = read_rule(item, &rule, path, diag);
        err = err == 0 ? append(rules, &rule) : err;
    }
    return err;
}

static int read_windows(const struct yaml_node *list, struct rule_list *rules, const char *path,
                        struct diag *diag)
{
    int err = 0;
    for (const struct yaml_node *item = list->first; item && err == 0; item = item->next) {
        struct window window;
        err = read_window(item, &window, path, diag);
        err = err == 0 ? rule_list_add_window(rules, &window) : err;
        err = err == -E2BIG ? fail_at(diag, path, item, "too many windows") : err;
    }
    return err;
}

/* An empty file is an empty list. */
static int read_file(const struct yaml_node *root, struct rule_list *rules, const char *path,
                     struct diag *diag)
{
    char text[128];
    int err = 0;
    if (root->kind != YAML_MAP) {
        snprintf(text, sizeof(text), "the key rules is expected, not '%.40s'",
                 root->text ? root->text : "-");
        return fail_at(diag, path, root, text);
    }
    for (const struct yaml_node *node = root->first; node && err == 0; node = node->next) {
        bool is_rules = strcmp(node->key, "rules") == 0;
        if (!is_rules && strcmp(node->key, "windows") != 0) {
            return fail_at(diag, path, node, "only the keys rules and windows are known");
        }
        if (node->kind != YAML_LIST) {
            return fail_at(diag, path, node, "a list is expected");
        }
        err =
            is_rules ? read_rules(node, rules, path, diag) : read_windows(node, rules, path, diag);
    }
    return err;
}

int rulefile_read(const char *path, struct rule_list *ret_rules, struct diag *diag)
{
    struct yaml_node *root = NULL;
    struct rule_list rules = {0};
    int err = yaml_read(path, &root, diag);
    if (err == 0) {
        err = read_file(root, &rules, path, diag);
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

/* A pipe would be waited for; it can be no file that we wrote. */
int rulefile_load(const char *path, struct rule_list *ret_rules, struct diag *diag)
{
    struct stat info;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
        diag_at(diag, path, 0, 0);
        return diag_set(diag, -EINVAL, "not a file");
    }
    return rulefile_read(path, ret_rules, diag);
}

static int write_overridden(FILE *file, const struct rule *rule)
{
    char *list = yaml_quote(rule->over_list), *entry = yaml_quote(rule->over_entry);
    int err = list && entry ? 0 : -ENOMEM;
    if (err == 0 && *rule->over_list) {
        fprintf(file, "    overrides_list: %s\n    overrides_entry: %s\n", list, entry);
    }
    free(list);
    free(entry);
    return err;
}

static int write_rule(FILE *file, const struct rule *rule)
{
    char name[DNAME_TEXT_MAX];
    bool by_pattern = *rule->pattern;
    char *quoted_name = yaml_quote(by_pattern ? rule->pattern : dname_print(&rule->name, name));
    char *group = yaml_quote(rule->group);
    char *note = yaml_quote(rule->note);
    int err = quoted_name && group && note ? 0 : -ENOMEM;
    if (err == 0) {
        fprintf(file, "  - %s: %s\n    action: %s\n", by_pattern ? "pattern" : "name", quoted_name,
                rule->allow ? "allow" : "block");
        fprintf(file, "    exact: %s\n    group: %s\n    note: %s\n",
                rule->exact ? "true" : "false", group, note);
        fprintf(file, "    made_at: %" PRId64 "\n    expires_at: %" PRId64 "\n", rule->made_at,
                rule->expires_at);
        err = write_overridden(file, rule);
    }
    free(quoted_name);
    free(group);
    free(note);
    return err;
}

static int write_window(FILE *file, const struct window *window)
{
    char *group = yaml_quote(window->group), *what = yaml_quote(window->what);
    char *note = yaml_quote(window->note);
    int err = group && what && note ? 0 : -ENOMEM;
    if (err == 0) {
        fprintf(file, "  - kind: %s\n    group: %s\n    what: %s\n    note: %s\n",
                window_word((enum window_kind)window->kind), group, what, note);
        fprintf(file, "    made_at: %" PRId64 "\n    from: %" PRId64 "\n    until: %" PRId64 "\n",
                window->made_at, window->from, window->until);
    }
    free(group);
    free(what);
    free(note);
    return err;
}

static int write_windows(FILE *file, const struct rule_list *rules)
{
    int err = 0;
    if (rules->window_count) {
        fprintf(file, "windows:\n");
    }
    for (size_t i = 0; i < rules->window_count && err == 0; i++) {
        err = write_window(file, &rules->windows[i]);
    }
    return err;
}

static int write_rules(FILE *file, const struct rule_list *rules, const char *title)
{
    fprintf(file, "%srules:%s\n", title, rules->count ? "" : " []");
    for (size_t i = 0; i < rules->count; i++) {
        int err = write_rule(file, &rules->items[i]);
        if (err < 0) {
            return err;
        }
    }
    return write_windows(file, rules);
}

int rulefile_print(const struct rule_list *rules, const char *title, char **ret_text,
                   size_t *ret_len)
{
    FILE *file = open_memstream(ret_text, ret_len);
    if (!file) {
        return -ENOMEM;
    }
    int err = write_rules(file, rules, title);
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
    int err = rulefile_print(rules, header, &text, &len);
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
           strcmp(old->pattern, rule->pattern) == 0 && strcmp(old->group, rule->group) == 0;
}

static void keep(struct rule_list *rules, size_t at, size_t from)
{
    if (at != from) {
        rules->items[at] = rules->items[from];
    }
}

int rule_list_remove(struct rule_list *rules, const struct rule *rule)
{
    size_t kept = 0;
    for (size_t i = 0; i < rules->count; i++) {
        if (!replaces(rule, &rules->items[i])) {
            keep(rules, kept++, i);
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
            keep(rules, kept++, i);
        }
    }
    size_t gone = rules->count - kept;
    rules->count = kept;
    kept = 0;
    for (size_t i = 0; i < rules->window_count; i++) {
        if (rules->windows[i].until > now) {
            memmove(&rules->windows[kept++], &rules->windows[i], sizeof(*rules->windows));
        }
    }
    gone += rules->window_count - kept;
    rules->window_count = kept;
    return gone;
}

int rule_list_add_window(struct rule_list *rules, const struct window *window)
{
    if (rules->window_count >= WINDOWS_MAX) {
        return -E2BIG;
    }
    struct window *windows = realloc(rules->windows, (rules->window_count + 1) * sizeof(*windows));
    if (!windows) {
        return -ENOMEM;
    }
    rules->windows = windows;
    rules->windows[rules->window_count++] = *window;
    return 0;
}

int rule_list_copy(const struct rule_list *from, struct rule_list *ret_to)
{
    struct rule_list to = {.items = calloc(from->count + 1, sizeof(*to.items)),
                           .windows = calloc(from->window_count + 1, sizeof(*to.windows)),
                           .count = from->count,
                           .window_count = from->window_count};
    if (!to.items || !to.windows) {
        rule_list_clear(&to);
        return -ENOMEM;
    }
    if (from->count) {
        memcpy(to.items, from->items, from->count * sizeof(*to.items));
    }
    if (from->window_count) {
        memcpy(to.windows, from->windows, from->window_count * sizeof(*to.windows));
    }
    *ret_to = to;
    return 0;
}

int64_t rule_list_next_end(const struct rule_list *rules)
{
    int64_t next = 0;
    for (size_t i = 0; i < rules->count; i++) {
        int64_t end = rules->items[i].expires_at;
        next = end && (!next || end < next) ? end : next;
    }
    for (size_t i = 0; i < rules->window_count; i++) {
        int64_t end = rules->windows[i].until;
        next = !next || end < next ? end : next;
    }
    return next;
}

void rule_list_clear(struct rule_list *rules)
{
    free(rules->items);
    free(rules->windows);
    *rules = (struct rule_list){0};
}
