// SPDX-License-Identifier: Apache-2.0
#include "config/origins.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct config_origins *origins_new(void)
{
    struct config_origins *origins = calloc(1, sizeof(*origins));
    if (origins) {
        origins->settings = calloc(setting_config.count, sizeof(*origins->settings));
    }
    if (origins && !origins->settings) {
        free(origins);
        return NULL;
    }
    return origins;
}

static void free_items(struct origin **items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(items[i]);
    }
    free(items);
}

void origins_free(struct config_origins *origins)
{
    if (!origins) {
        return;
    }
    for (size_t i = 0; i < origins->file_count; i++) {
        free(origins->files[i]);
    }
    free(origins->files);
    free(origins->places);
    free(origins->settings);
    free_items(origins->sources, origins->source_count);
    free_items(origins->groups, origins->group_count);
    free(origins);
}

const char *origins_add_file(struct config_origins *origins, const char *name)
{
    char **files = realloc(origins->files, (origins->file_count + 1) * sizeof(*files));
    if (!files) {
        return NULL;
    }
    origins->files = files;
    char *copy = strdup(name);
    if (copy) {
        files[origins->file_count++] = copy;
    }
    return copy;
}

/* Without memory the items have no place of their own; that of the list serves. */
static void keep_places(struct config_origins *origins, struct origin *origin)
{
    const struct yaml_node *list = origin->node;
    if (!list || list->kind != YAML_LIST || list->count == 0) {
        return;
    }
    size_t count = origins->place_count;
    struct origin_place *places = realloc(origins->places, (count + list->count) * sizeof(*places));
    if (!places) {
        return;
    }
    origins->places = places;
    for (const struct yaml_node *item = list->first; item; item = item->next) {
        places[count++] = (struct origin_place){item->line, item->column};
    }
    origin->place = origins->place_count;
    origin->place_count = count - origins->place_count;
    origins->place_count = count;
}

static void drop_nodes(struct config_origins *origins, struct origin *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        keep_places(origins, &rows[i]);
        rows[i].node = NULL;
    }
}

void origins_drop_nodes(struct config_origins *origins)
{
    drop_nodes(origins, origins->settings, setting_config.count);
    for (size_t i = 0; i < origins->source_count; i++) {
        drop_nodes(origins, origins->sources[i], setting_source.count);
    }
    for (size_t i = 0; i < origins->group_count; i++) {
        drop_nodes(origins, origins->groups[i], setting_group.count);
    }
}

const struct origin *origins_find(const struct config *config, const struct setting_table *table,
                                  size_t item, const struct setting *row)
{
    const struct config_origins *origins = config->origins;
    const struct origin *rows = origins->settings;
    if (table == &setting_source) {
        rows = origins->sources[item];
    } else if (table == &setting_group) {
        rows = origins->groups[item];
    }
    return &rows[row - table->rows];
}

struct origin origins_item(const struct config *config, const struct origin *list, size_t i)
{
    struct origin origin = *list;
    if (i < list->place_count) {
        const struct origin_place *place = &config->origins->places[list->place + i];
        origin.line = place->line;
        origin.column = place->column;
    }
    return origin;
}

const struct setting *origins_row(const struct setting_table *table, const char *key)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->rows[i].key, key) == 0) {
            return &table->rows[i];
        }
    }
    assert(!"a key of this name");
    return NULL;
}

const struct setting *origins_row_of(const char *section, const char *key)
{
    for (size_t i = 0; i < setting_config.count; i++) {
        const struct setting *row = &setting_config.rows[i];
        if (setting_has_value(row) && strcmp(row->section, section) == 0 &&
            strcmp(row->key, key) == 0) {
            return row;
        }
    }
    assert(!"a setting of this name");
    return NULL;
}

const struct origin *origins_find_key(const struct config *config, const char *section,
                                      const char *key)
{
    return origins_find(config, &setting_config, 0, origins_row_of(section, key));
}
