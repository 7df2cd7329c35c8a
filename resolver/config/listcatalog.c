// SPDX-License-Identifier: Apache-2.0
#include "config/listcatalog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/datafile.h"
#include "config/check.h"
#include "config/fields.h"

static const char *check_site(const char *text)
{
    return strncmp(text, "https://", 8) == 0 ? check_url(text) : "not an https:// URL";
}

static const char *check_line(const char *text)
{
    return *text ? check_any(text) : "empty";
}

static const char *check_match(const char *text)
{
    return setting_find_word("list_match", text) < 0 ? "no word of match" : NULL;
}

/* Does the text look like the shape? In it 0 stands for any digit. */
static bool has_shape(const char *text, const char *shape)
{
    for (; *text && *shape; text++, shape++) {
        bool digit = *text >= '0' && *text <= '9';
        if (*shape == '0' ? !digit : *text != *shape) {
            return false;
        }
    }
    return *text == *shape;
}

/* As the setting update_window takes it. */
static const char *check_hours(const char *text)
{
    return has_shape(text, "00:00-00:00 UTC") && strncmp(text, "24:00", 5) < 0 &&
                   strncmp(text + 6, "24:00", 5) < 0
               ? NULL
               : "not a window (19:00-08:00 UTC)";
}

static const char *check_month(const char *text)
{
    return has_shape(text, "0000-00") ? NULL : "not a month (2026-11)";
}

#define IN_LIST(field)   offsetof(struct listcatalog_list, field)
#define IN_GAP(field)    offsetof(struct listcatalog_gap, field)
#define IN_PRESET(field) offsetof(struct listcatalog_preset, field)

static const struct field list_fields[] = {
    {"id", FIELD_TEXT, true, IN_LIST(id), 0, check_id},
    {"title", FIELD_TEXT, true, IN_LIST(title), 0, check_line},
    {"url", FIELD_TEXT, true, IN_LIST(url), 0, check_site},
    {"format", FIELD_TEXT, true, IN_LIST(format), 0, check_category},
    {"match", FIELD_TEXT, true, IN_LIST(match), 0, check_match},
    {"category", FIELD_TEXT, true, IN_LIST(category), 0, check_category},
    {"publisher", FIELD_TEXT, true, IN_LIST(publisher), 0, check_line},
    {"licence", FIELD_TEXT, true, IN_LIST(licence), 0, check_line},
    {"homepage", FIELD_TEXT, true, IN_LIST(homepage), 0, check_site},
    {"rules", FIELD_TEXT, false, IN_LIST(rules), 0, check_line},
    {"window", FIELD_TEXT, false, IN_LIST(window), 0, check_hours},
    {"date", FIELD_TEXT, true, IN_LIST(date), 0, check_month},
    {"every_h", FIELD_NUMBER, false, IN_LIST(every_h), 0, NULL},
    {"names", FIELD_NUMBER, true, IN_LIST(names), 0, NULL},
    {"kilobytes", FIELD_NUMBER, true, IN_LIST(kilobytes), 0, NULL},
    {NULL},
};

static const struct field gap_fields[] = {
    {"category", FIELD_TEXT, true, IN_GAP(category), 0, check_category},
    {"why", FIELD_TEXT, true, IN_GAP(why), 0, check_line},
    {NULL},
};

static const struct field preset_fields[] = {
    {"id", FIELD_TEXT, true, IN_PRESET(id), 0, check_id},
    {"text", FIELD_TEXTS, true, IN_PRESET(texts), IN_PRESET(text_count), NULL},
    {"lists", FIELD_LIST, true, IN_PRESET(lists), 0, check_id},
    {"block", FIELD_LIST, true, IN_PRESET(block), 0, check_category},
    {"memory_mb", FIELD_NUMBER, true, IN_PRESET(memory_mb), 0, NULL},
    {NULL},
};

static void clear_list(struct listcatalog_list *list)
{
    for (const struct field *field = list_fields; field->name; field++) {
        if (field->kind == FIELD_TEXT) {
            free(*(char **)((char *)list + field->offset));
        }
    }
}

static void clear_gap(struct listcatalog_gap *gap)
{
    free(gap->category);
    free(gap->why);
}

static void clear_preset(struct listcatalog_preset *preset)
{
    free(preset->id);
    fields_clear_texts(preset->texts, preset->text_count);
    text_list_clear(&preset->lists);
    text_list_clear(&preset->block);
}

static int add_list(struct listcatalog *catalog, const struct yaml_node *item,
                    const struct complaint *to)
{
    struct listcatalog_list list = {0};
    int err = fields_take(list_fields, &list, item, to);
    if (err == 0 && listcatalog_find(catalog, list.id)) {
        err = complain(to, item, "list '%s' stands there twice", list.id);
    }
    if (err < 0) {
        clear_list(&list);
        return err;
    }
    catalog->lists[catalog->list_count++] = list;
    return 0;
}

static int add_gap(struct listcatalog *catalog, const struct yaml_node *item,
                   const struct complaint *to)
{
    struct listcatalog_gap gap = {0};
    int err = fields_take(gap_fields, &gap, item, to);
    if (err < 0) {
        clear_gap(&gap);
        return err;
    }
    catalog->gaps[catalog->gap_count++] = gap;
    return 0;
}

static int add_preset(struct listcatalog *catalog, const struct yaml_node *item,
                      const struct complaint *to)
{
    struct listcatalog_preset preset = {0};
    int err = fields_take(preset_fields, &preset, item, to);
    if (err == 0 && listcatalog_find_preset(catalog, preset.id)) {
        err = complain(to, item, "preset '%s' stands there twice", preset.id);
    }
    for (size_t i = 0; err == 0 && i < preset.lists.count; i++) {
        if (!listcatalog_find(catalog, preset.lists.items[i])) {
            err = complain(to, yaml_get(item, "lists"), "there is no list '%s'",
                           preset.lists.items[i]);
        }
    }
    if (err < 0) {
        clear_preset(&preset);
        return err;
    }
    catalog->presets[catalog->preset_count++] = preset;
    return 0;
}

/* A key of a data file, and what to do with each item of its list. */
struct part {
    const char *key;
    size_t max;
    int (*add)(struct listcatalog *catalog, const struct yaml_node *item,
               const struct complaint *to);
};

static const struct part list_parts[] = {
    {"lists", LISTCATALOG_LISTS_MAX, add_list},
    {"without", CATALOG_CATEGORIES_MAX, add_gap},
    {NULL},
};
static const struct part preset_parts[] = {
    {"presets", LISTCATALOG_PRESETS_MAX, add_preset},
    {NULL},
};

static int load_node(struct listcatalog *catalog, const struct part *part,
                     const struct yaml_node *node, const struct complaint *to)
{
    while (part->key && strcmp(part->key, node->key) != 0) {
        part++;
    }
    if (!part->key) {
        return complain(to, node, "unknown key '%.40s'", node->key);
    }
    if (node->kind != YAML_LIST || node->count > part->max) {
        return complain(to, node, "%s: expected a list of at most %zu", part->key, part->max);
    }
    int err = 0;
    for (const struct yaml_node *item = node->first; item && err == 0; item = item->next) {
        err = part->add(catalog, item, to);
    }
    return err;
}

static int load_root(struct listcatalog *catalog, const struct part *parts, const char *path,
                     struct diag *diag)
{
    struct yaml_node *root = NULL;
    const struct complaint to = {path, diag};
    int err = yaml_read(path, &root, diag);
    if (err == 0 && (root->kind != YAML_MAP || !root->first)) {
        err = complain(&to, root, "expected the key '%s' with a list", parts->key);
    }
    for (const struct yaml_node *node = err == 0 ? root->first : NULL; node && err == 0;
         node = node->next) {
        err = load_node(catalog, parts, node, &to);
    }
    yaml_free(root);
    return err;
}

/* Lists come first, since presets name them. */
static const struct {
    const char *name;
    const struct part *parts;
} files[] = {{"lists.yaml", list_parts}, {"presets.yaml", preset_parts}};

static int load_file(struct listcatalog *catalog, size_t file, const char *data_dir,
                     struct diag *diag)
{
    char path[4096];
    datafile_path(data_dir, files[file].name, path, sizeof(path));
    return load_root(catalog, files[file].parts, path, diag);
}

int listcatalog_load(const char *data_dir, struct listcatalog **ret_catalog, struct diag *diag)
{
    struct listcatalog *catalog = calloc(1, sizeof(*catalog));
    if (!catalog) {
        return -ENOMEM;
    }
    catalog->lists = calloc(LISTCATALOG_LISTS_MAX, sizeof(*catalog->lists));
    catalog->gaps = calloc(CATALOG_CATEGORIES_MAX, sizeof(*catalog->gaps));
    catalog->presets = calloc(LISTCATALOG_PRESETS_MAX, sizeof(*catalog->presets));
    int err = catalog->lists && catalog->gaps && catalog->presets ? 0 : -ENOMEM;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && err == 0; i++) {
        err = load_file(catalog, i, data_dir, diag);
    }
    if (err < 0) {
        listcatalog_free(catalog);
        return err;
    }
    *ret_catalog = catalog;
    return 0;
}

void listcatalog_free(struct listcatalog *catalog)
{
    if (!catalog) {
        return;
    }
    for (size_t i = 0; i < catalog->list_count; i++) {
        clear_list(&catalog->lists[i]);
    }
    for (size_t i = 0; i < catalog->gap_count; i++) {
        clear_gap(&catalog->gaps[i]);
    }
    for (size_t i = 0; i < catalog->preset_count; i++) {
        clear_preset(&catalog->presets[i]);
    }
    free(catalog->lists);
    free(catalog->gaps);
    free(catalog->presets);
    free(catalog);
}

const struct listcatalog_list *listcatalog_find(const struct listcatalog *catalog, const char *id)
{
    for (size_t i = 0; i < catalog->list_count; i++) {
        if (strcmp(catalog->lists[i].id, id) == 0) {
            return &catalog->lists[i];
        }
    }
    return NULL;
}

const struct listcatalog_preset *listcatalog_find_preset(const struct listcatalog *catalog,
                                                         const char *id)
{
    for (size_t i = 0; i < catalog->preset_count; i++) {
        if (strcmp(catalog->presets[i].id, id) == 0) {
            return &catalog->presets[i];
        }
    }
    return NULL;
}
