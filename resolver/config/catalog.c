// SPDX-License-Identifier: Apache-2.0
#include "config/catalog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/datafile.h"
#include "config/check.h"
#include "config/fields.h"

enum { LINES_MAX = 100 };

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

static const struct field category_keys[] = {
    {"id", FIELD_TEXT, true, IN_CATEGORY(id), 0, check_category},
    {"names", FIELD_TEXTS, true, IN_CATEGORY(names), IN_CATEGORY(name_count), NULL},
    {"why", FIELD_TEXTS, false, IN_CATEGORY(whys), IN_CATEGORY(why_count), NULL},
    {"mode", FIELD_MODE, false, IN_CATEGORY(mode), 0, NULL},
    {"popular", FIELD_FLAG, false, IN_CATEGORY(popular), 0, NULL},
    {"mixed", FIELD_FLAG, false, IN_CATEGORY(mixed), 0, NULL},
    {"help", FIELD_LIST, false, IN_CATEGORY(help), 0, check_id},
    {NULL},
};

static const struct field line_keys[] = {
    {"id", FIELD_TEXT, true, IN_LINE(id), 0, check_id},
    {"number", FIELD_TEXT, true, IN_LINE(number), 0, check_number},
    {"url", FIELD_TEXT, true, IN_LINE(url), 0, check_site},
    {"labels", FIELD_TEXTS, true, IN_LINE(labels), IN_LINE(label_count), NULL},
    {"source", FIELD_TEXT, true, IN_LINE(source), 0, check_any},
    {"date", FIELD_TEXT, true, IN_LINE(date), 0, check_any},
    {"verified", FIELD_FLAG, true, IN_LINE(verified), 0, NULL},
    {NULL},
};

static void clear_category(struct catalog_category *category)
{
    free(category->id);
    fields_clear_texts(category->names, category->name_count);
    fields_clear_texts(category->whys, category->why_count);
    text_list_clear(&category->help);
}

static void clear_line(struct catalog_line *line)
{
    free(line->id);
    free(line->number);
    free(line->url);
    fields_clear_texts(line->labels, line->label_count);
    free(line->source);
    free(line->date);
}

static int add_category(struct catalog *catalog, const struct yaml_node *item,
                        const struct complaint *to)
{
    struct catalog_category category = {.mode = MODE_UNSET};
    int err = fields_take(category_keys, &category, item, to);
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
    int err = fields_take(line_keys, &line, item, to);
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
    char path[4096];
    datafile_path(data_dir, part->file, path, sizeof(path));
    struct yaml_node *root = NULL;
    int err = yaml_read(path, &root, diag);
    if (err == 0) {
        err = load_items(catalog, part, root, &(struct complaint){path, diag});
    }
    yaml_free(root);
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
