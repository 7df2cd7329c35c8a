// SPDX-License-Identifier: Apache-2.0
#include "config/items.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/nearest.h"

/* The words that may stand as keys in `section` (NULL: at the top, or in an item)
 * and have no row of their own. */
static const char *extra_key(const struct setting_table *table, const char *section)
{
    if (table != &setting_config) {
        return NULL;
    }
    if (!section) {
        return "groups";
    }
    return strcmp(section, "lists") == 0 ? "sources" : NULL;
}

static bool is_known(const struct setting *row, const char *section)
{
    if (row->kind == SETTING_SECTION) {
        return section == NULL;
    }
    return setting_has_value(row) && (!section || strcmp(row->section, section) == 0) &&
           (section || !*row->section);
}

/* The section that has the key, when the file has it in another one. */
static const char *home_of(const char *key)
{
    for (size_t i = 0; i < setting_config.count; i++) {
        const struct setting *row = &setting_config.rows[i];
        if (setting_has_value(row) && strcmp(row->key, key) == 0) {
            return row->section;
        }
    }
    return NULL;
}

static void list_known(const struct setting_table *table, const char *section, FILE *out)
{
    const char *comma = "";
    for (size_t i = 0; i < table->count; i++) {
        if (is_known(&table->rows[i], section)) {
            fprintf(out, "%s%s", comma, table->rows[i].key);
            comma = ", ";
        }
    }
    const char *extra = extra_key(table, section);
    if (extra) {
        fprintf(out, "%s%s", comma, extra);
    }
}

int items_unknown_key(const struct setting_table *table, const char *section,
                      const struct yaml_node *node, const struct complaint *to)
{
    struct nearest nearest;
    nearest_init(&nearest, node->key);
    for (size_t i = 0; i < table->count; i++) {
        if (is_known(&table->rows[i], section)) {
            nearest_offer(&nearest, table->rows[i].key);
        }
    }
    const char *extra = extra_key(table, section);
    if (extra) {
        nearest_offer(&nearest, extra);
    }
    char hint[256] = "";
    FILE *out = fmemopen(hint, sizeof(hint), "w");
    if (!out) {
        return -ENOMEM;
    }
    const char *home = home_of(node->key);
    if (nearest.best) {
        fprintf(out, "did you mean '%s'?", nearest.best);
    } else if (home) {
        fprintf(out, "did you mean '%s.%s'?", home, node->key);
    } else {
        fprintf(out, "known: ");
        list_known(table, section, out);
    }
    fclose(out);
    const char *where = section ? section : table->name;
    diag_at(to->diag, to->file, node->key_line, node->key_column);
    return diag_set(to->diag, -EINVAL, "unknown key '%.40s'%s%s; %s", node->key,
                    *where ? " in " : "", where, hint);
}

static void *item_at(const struct item_list *list, size_t i)
{
    return list->items + i * list->table->size;
}

static const char *id_at(const struct item_list *list, size_t i)
{
    return *setting_text(list->table->rows, item_at(list, i));
}

static size_t find_item(const struct item_list *list, const char *id)
{
    size_t i = 0;
    while (i < list->count && strcmp(id_at(list, i), id) != 0) {
        i++;
    }
    return i;
}

/* Make room for one more; on failure the list is as it was. */
static int grow(struct item_list *list)
{
    char *items = realloc(list->items, (list->count + 1) * list->table->size);
    if (!items) {
        return -ENOMEM;
    }
    list->items = items;
    struct origin **origins = realloc(list->origins, (list->count + 1) * sizeof(void *));
    if (!origins) {
        return -ENOMEM;
    }
    list->origins = origins;
    return 0;
}

static int insert(struct item_list *list, size_t at)
{
    int err = grow(list);
    struct origin *origins = err == 0 ? calloc(list->table->count, sizeof(*origins)) : NULL;
    if (!origins) {
        return -ENOMEM;
    }
    memmove(list->items + (at + 1) * list->table->size, list->items + at * list->table->size,
            (list->count - at) * list->table->size);
    memmove(list->origins + at + 1, list->origins + at, (list->count - at) * sizeof(void *));
    memset(item_at(list, at), 0, list->table->size);
    list->origins[at] = origins;
    list->count++;
    return setting_init(list->table, item_at(list, at));
}

int item_list_add(struct item_list *list, const char *id)
{
    int err = insert(list, list->count);
    if (err < 0) {
        return err;
    }
    char **text = setting_text(list->table->rows, item_at(list, list->count - 1));
    free(*text);
    *text = strdup(id);
    return *text ? 0 : -ENOMEM;
}

static const struct setting *find_row(const struct setting_table *table, const char *key)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->rows[i].key, key) == 0) {
            return &table->rows[i];
        }
    }
    return NULL;
}

static int fill(struct item_list *list, size_t at, const struct yaml_node *item,
                const struct complaint *to)
{
    for (const struct yaml_node *node = item->first; node; node = node->next) {
        const struct setting *row = find_row(list->table, node->key);
        if (!row) {
            return items_unknown_key(list->table, NULL, node, to);
        }
        int err = value_set(row, item_at(list, at), node, to);
        if (err < 0) {
            return err;
        }
        struct origin *origin = &list->origins[at][row - list->table->rows];
        /* The key of an item stays with the file that brought it. */
        if (row != list->table->rows || !origin->file) {
            *origin = (struct origin){to->file, node->line, node->column, node};
        }
    }
    return 0;
}

/* The text of the item's first key, which must be there, once in a file. */
static int check_id(const struct item_list *list, const struct yaml_node *node,
                    const struct yaml_node *item, const struct complaint *to)
{
    const char *key = list->table->rows[0].key;
    if (item->kind != YAML_MAP) {
        return complain(to, item, "%s: expected a map of keys for each %s", list->table->name,
                        list->word);
    }
    const char *id = yaml_get_text(item, key);
    if (!id) {
        return complain(to, item, "a %s needs %s: a short name", list->word, key);
    }
    for (const struct yaml_node *other = node->first; other != item; other = other->next) {
        const char *taken = yaml_get_text(other, key);
        if (taken && strcmp(taken, id) == 0) {
            return complain(to, yaml_get(item, key),
                            "%s '%.63s' stands there twice, first in line %u", list->word, id,
                            other->line);
        }
    }
    return 0;
}

static bool is_orphan(const struct item_list *list, const struct yaml_node *item)
{
    const char *id = yaml_get_text(item, list->table->rows[0].key);
    return list->whole_key && find_item(list, id) == list->count &&
           !yaml_get(item, list->whole_key);
}

static int merge_item(struct item_list *list, const struct yaml_node *item, bool before_last,
                      const struct complaint *to)
{
    const char *id = yaml_get_text(item, list->table->rows[0].key);
    size_t at = find_item(list, id);
    if (at == list->count) {
        if (list->count >= list->max) {
            return complain(to, item, "more than %zu %ss", list->max, list->word);
        }
        at -= before_last;
        int err = insert(list, at);
        if (err < 0) {
            return err;
        }
    }
    return fill(list, at, item, to);
}

int item_list_merge(struct item_list *list, const struct yaml_node *node,
                    const struct complaint *to)
{
    if (node->kind == YAML_SCALAR && !*node->text && !node->quoted) {
        return 0;
    }
    if (node->kind != YAML_LIST) {
        return complain(to, node, "%s: expected a list of maps (- %s: ...)", list->table->name,
                        list->table->rows[0].key);
    }
    bool before_last = list->last_catches && list->count > 0;
    if (before_last) {
        const struct config_group *last = item_at(list, list->count - 1);
        before_last = last->clients.count == 0;
    }
    int err = 0;
    for (const struct yaml_node *item = node->first; item && err == 0; item = item->next) {
        err = check_id(list, node, item, to);
        if (err == 0 && !is_orphan(list, item)) {
            err = merge_item(list, item, before_last, to);
        }
    }
    return err;
}

void item_list_clear(struct item_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        setting_clear(list->table, item_at(list, i));
        free(list->origins[i]);
    }
    free(list->items);
    free(list->origins);
    list->items = NULL;
    list->origins = NULL;
    list->count = 0;
}
