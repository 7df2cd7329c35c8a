// SPDX-License-Identifier: Apache-2.0
#include "config/catalog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/check.h"
#include "config/setting.h"
#include "config/value.h"
#include "config/yaml.h"

enum { LINES_MAX = 100, LANGUAGES_MAX = 32, TEXT_MAX = 400 };

/* What a key of an item holds; offset and offset of the count in its struct. */
enum kind { KIND_TEXT, KIND_TEXTS, KIND_MODE, KIND_HELP, KIND_FLAG };

struct key {
    const char *name;
    enum kind kind;
    bool needed;
    size_t offset, count_offset;
    setting_check check; /* KIND_TEXT */
};

static const char *check_number(const char *text)
{
    return text[strspn(text, "+-0123456789")] ? "not a telephone number" : NULL;
}

static const char *check_site(const char *text)
{
    if (!*text) {
        return NULL;
    }
    return strncmp(text, "https://", 8) == 0 ? check_url(text) : "not an https:// URL";
}

#define IN_CATEGORY(field) offsetof(struct catalog_category, field)
#define IN_LINE(field)     offsetof(struct catalog_line, field)

static const struct key category_keys[] = {
    {"id", KIND_TEXT, true, IN_CATEGORY(id), 0, check_category},
    {"names", KIND_TEXTS, true, IN_CATEGORY(names), IN_CATEGORY(name_count), NULL},
    {"why", KIND_TEXTS, false, IN_CATEGORY(whys), IN_CATEGORY(why_count), NULL},
    {"mode", KIND_MODE, false, IN_CATEGORY(mode), 0, NULL},
    {"help", KIND_HELP, false, IN_CATEGORY(help), 0, NULL},
    {NULL},
};

static const struct key line_keys[] = {
    {"id", KIND_TEXT, true, IN_LINE(id), 0, check_id},
    {"number", KIND_TEXT, true, IN_LINE(number), 0, check_number},
    {"url", KIND_TEXT, true, IN_LINE(url), 0, check_site},
    {"labels", KIND_TEXTS, true, IN_LINE(labels), IN_LINE(label_count), NULL},
    {"source", KIND_TEXT, true, IN_LINE(source), 0, check_any},
    {"date", KIND_TEXT, true, IN_LINE(date), 0, check_any},
    {"verified", KIND_FLAG, true, IN_LINE(verified), 0, NULL},
    {NULL},
};

static void clear_texts(struct catalog_text *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(texts[i].language);
        free(texts[i].text);
    }
    free(texts);
}

static void clear_category(struct catalog_category *category)
{
    free(category->id);
    clear_texts(category->names, category->name_count);
    clear_texts(category->whys, category->why_count);
    text_list_clear(&category->help);
}

static void clear_line(struct catalog_line *line)
{
    free(line->id);
    free(line->number);
    free(line->url);
    clear_texts(line->labels, line->label_count);
    free(line->source);
    free(line->date);
}

/* Check and copy a scalar. */
static int take_text(const struct yaml_node *node, setting_check check, char **ret_text,
                     const struct complaint *to)
{
    if (node->kind != YAML_SCALAR) {
        return complain(to, node, "expected text");
    }
    if (strlen(node->text) > TEXT_MAX) {
        return complain(to, node, "longer than %d octets", TEXT_MAX);
    }
    const char *why = check(node->text);
    if (why) {
        return complain(to, node, "'%.60s' is %s", node->text, why);
    }
    *ret_text = strdup(node->text);
    return *ret_text ? 0 : -ENOMEM;
}

static int take_translation(const struct yaml_node *node, struct catalog_text *text,
                            const struct complaint *to)
{
    const char *why = check_language(node->key);
    if (why) {
        return complain(to, node, "'%.40s' is %s", node->key, why);
    }
    text->language = strdup(node->key);
    return text->language ? take_text(node, check_any, &text->text, to) : -ENOMEM;
}

/* {ko: ..., en: ...}; the count is right even when it fails half-way. */
static int take_texts(const struct yaml_node *node, struct catalog_text **ret_texts,
                      size_t *ret_count, const struct complaint *to)
{
    if (node->kind != YAML_MAP || node->count == 0 || node->count > LANGUAGES_MAX) {
        return complain(to, node, "%s: expected texts by language ({ko: ..., en: ...})", node->key);
    }
    struct catalog_text *texts = calloc(node->count, sizeof(*texts));
    if (!texts) {
        return -ENOMEM;
    }
    *ret_texts = texts;
    *ret_count = node->count;
    int err = 0;
    for (const struct yaml_node *at = node->first; at && err == 0; at = at->next) {
        err = take_translation(at, texts++, to);
    }
    return err;
}

static int take_mode(const struct yaml_node *node, int *ret_mode, const struct complaint *to)
{
    *ret_mode = node->kind == YAML_SCALAR ? setting_find_word("block_mode", node->text) : -1;
    return *ret_mode < 0 ? complain(to, node, "mode: expected a block mode") : 0;
}

static int take_help(const struct yaml_node *node, struct text_list *list,
                     const struct complaint *to)
{
    if (node->kind != YAML_LIST || node->count > LINES_MAX) {
        return complain(to, node, "help: expected a list of help lines");
    }
    for (const struct yaml_node *at = node->first; at; at = at->next) {
        const char *why = at->kind == YAML_SCALAR ? check_id(at->text) : "not a help line's id";
        if (why) {
            return complain(to, at, "help: '%.40s' is %s", at->text ? at->text : "", why);
        }
        if (text_list_add(list, at->text, strlen(at->text)) < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

static int take_flag(const struct yaml_node *node, bool *ret_flag, const struct complaint *to)
{
    bool plain = node->kind == YAML_SCALAR && !node->quoted;
    *ret_flag = plain && strcmp(node->text, "true") == 0;
    bool no = plain && strcmp(node->text, "false") == 0;
    return *ret_flag || no ? 0 : complain(to, node, "expected true or false");
}

static int take_value(const struct key *key, char *object, const struct yaml_node *node,
                      const struct complaint *to)
{
    void *field = object + key->offset;
    switch (key->kind) {
    case KIND_TEXT: return take_text(node, key->check, field, to);
    case KIND_TEXTS: return take_texts(node, field, (size_t *)(object + key->count_offset), to);
    case KIND_MODE: return take_mode(node, field, to);
    case KIND_HELP: return take_help(node, field, to);
    default: return take_flag(node, field, to);
    }
}

static int take_item(const struct key *keys, void *object, const struct yaml_node *item,
                     const struct complaint *to)
{
    if (item->kind != YAML_MAP) {
        return complain(to, item, "expected a map of keys");
    }
    for (const struct yaml_node *node = item->first; node; node = node->next) {
        const struct key *key = keys;
        while (key->name && strcmp(key->name, node->key) != 0) {
            key++;
        }
        if (!key->name) {
            diag_at(to->diag, to->file, node->key_line, node->key_column);
            return diag_set(to->diag, -EINVAL, "unknown key '%.40s'", node->key);
        }
        int err = take_value(key, object, node, to);
        if (err < 0) {
            return err;
        }
    }
    for (const struct key *key = keys; key->name; key++) {
        if (key->needed && !yaml_get(item, key->name)) {
            return complain(to, item, "'%s' is missing", key->name);
        }
    }
    return 0;
}

static int add_category(struct catalog *catalog, const struct yaml_node *item,
                        const struct complaint *to)
{
    struct catalog_category category = {.mode = MODE_UNSET};
    int err = take_item(category_keys, &category, item, to);
    if (err == 0 && category.id && catalog_find(catalog, category.id)) {
        err = complain(to, item, "category '%s' stands there twice", category.id);
    }
    for (size_t i = 0; err == 0 && i < category.help.count; i++) {
        if (!catalog_find_line(catalog, category.help.items[i])) {
            err = complain(to, yaml_get(item, "help"), "there is no help line '%s'",
                           category.help.items[i]);
        }
    }
    if (err < 0) {
        clear_category(&category);
        return err;
    }
    catalog->categories[catalog->category_count++] = category;
    return 0;
}

static bool is_blank(const char *text)
{
    return !text || !*text;
}

static int add_line(struct catalog *catalog, const struct yaml_node *item,
                    const struct complaint *to)
{
    struct catalog_line line = {0};
    int err = take_item(line_keys, &line, item, to);
    if (err == 0 && line.id && catalog_find_line(catalog, line.id)) {
        err = complain(to, item, "help line '%s' stands there twice", line.id);
    }
    if (err == 0 && is_blank(line.number) && is_blank(line.url)) {
        err = complain(to, item, "help line '%s' has neither number nor url", line.id);
    }
    if (err < 0) {
        clear_line(&line);
        return err;
    }
    catalog->lines[catalog->line_count++] = line;
    return 0;
}

/* A data file: where it is, the one key at its top, and what to do with each item. */
struct part {
    const char *file, *key;
    size_t max;
    int (*add)(struct catalog *catalog, const struct yaml_node *item, const struct complaint *to);
};

/* Lines come first, since categories name them. */
static const struct part parts[] = {
    {"helplines.yaml", "lines", LINES_MAX, add_line},
    {"categories.yaml", "categories", CATALOG_CATEGORIES_MAX, add_category},
};

static int load_items(struct catalog *catalog, const struct part *part,
                      const struct yaml_node *root, const struct complaint *to)
{
    const struct yaml_node *list = yaml_get(root, part->key);
    if (!list || root->count != 1 || list->kind != YAML_LIST) {
        return complain(to, root, "expected one key '%s' with a list", part->key);
    }
    if (list->count > part->max) {
        return complain(to, list, "more than %zu %s", part->max, part->key);
    }
    int err = 0;
    for (const struct yaml_node *item = list->first; item && err == 0; item = item->next) {
        err = part->add(catalog, item, to);
    }
    return err;
}

static int load_part(struct catalog *catalog, const struct part *part, const char *data_dir,
                     struct diag *diag)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", data_dir, part->file) < 0) {
        return -ENOMEM;
    }
    struct yaml_node *root = NULL;
    int err = yaml_read(path, &root, diag);
    if (err == 0) {
        err = load_items(catalog, part, root, &(struct complaint){path, diag});
    }
    yaml_free(root);
    free(path);
    return err;
}

int catalog_load(const char *data_dir, struct catalog **ret_catalog, struct diag *diag)
{
    struct catalog *catalog = calloc(1, sizeof(*catalog));
    if (!catalog) {
        return -ENOMEM;
    }
    catalog->lines = calloc(LINES_MAX, sizeof(*catalog->lines));
    catalog->categories = calloc(CATALOG_CATEGORIES_MAX, sizeof(*catalog->categories));
    int err = catalog->lines && catalog->categories ? 0 : -ENOMEM;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && err == 0; i++) {
        err = load_part(catalog, &parts[i], data_dir, diag);
    }
    if (err < 0) {
        catalog_free(catalog);
        return err;
    }
    *ret_catalog = catalog;
    return 0;
}

void catalog_free(struct catalog *catalog)
{
    if (!catalog) {
        return;
    }
    for (size_t i = 0; i < catalog->category_count; i++) {
        clear_category(&catalog->categories[i]);
    }
    for (size_t i = 0; i < catalog->line_count; i++) {
        clear_line(&catalog->lines[i]);
    }
    free(catalog->categories);
    free(catalog->lines);
    free(catalog);
}

const struct catalog_category *catalog_find(const struct catalog *catalog, const char *id)
{
    for (size_t i = 0; i < catalog->category_count; i++) {
        if (strcmp(catalog->categories[i].id, id) == 0) {
            return &catalog->categories[i];
        }
    }
    return NULL;
}

const struct catalog_line *catalog_find_line(const struct catalog *catalog, const char *id)
{
    for (size_t i = 0; i < catalog->line_count; i++) {
        if (strcmp(catalog->lines[i].id, id) == 0) {
            return &catalog->lines[i];
        }
    }
    return NULL;
}

const char *catalog_text_in(const struct catalog_text *texts, size_t count, const char *language)
{
    const char *found = count ? texts[0].text : "";
    const char *wanted[] = {"en", language};
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        for (size_t j = 0; j < count; j++) {
            if (strcmp(texts[j].language, wanted[i]) == 0) {
                found = texts[j].text;
            }
        }
    }
    return found;
}
