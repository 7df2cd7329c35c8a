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

static void drop_nodes(struct origin *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        rows[i].node = NULL;
    }
}

void origins_drop_nodes(struct config_origins *origins)
{
    drop_nodes(origins->settings, setting_config.count);
    for (size_t i = 0; i < origins->source_count; i++) {
        drop_nodes(origins->sources[i], setting_source.count);
    }
    for (size_t i = 0; i < origins->group_count; i++) {
        drop_nodes(origins->groups[i], setting_group.count);
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

const struct origin *origins_find_key(const struct config *config, const char *section,
                                      const char *key)
{
    for (size_t i = 0; i < setting_config.count; i++) {
        const struct setting *row = &setting_config.rows[i];
        if (setting_has_value(row) && strcmp(row->section, section) == 0 &&
            strcmp(row->key, key) == 0) {
            return origins_find(config, &setting_config, 0, row);
        }
    }
    assert(!"a setting of this name");
    return NULL;
}
