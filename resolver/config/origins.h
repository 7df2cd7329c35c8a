// SPDX-License-Identifier: Apache-2.0
/* origins: where each value of a configuration was written.
 *
 * One struct origin per row of each table: for the sections, and for every source
 * and group. A value that no file gives has no file. */
#pragma once
#include "config/setting.h"
#include "config/yaml.h"

struct origin {
    const char *file; /* owned by the config_origins; NULL: the default */
    unsigned line, column;
    const struct yaml_node *node; /* the value; NULL once loading is over */
    size_t place, place_count;    /* its items, in config_origins.places */
};

struct origin_place {
    unsigned line, column;
};

struct config_origins {
    char **files;
    size_t file_count;
    struct origin *settings; /* [setting_config.count] */
    struct origin **sources; /* [source_count][setting_source.count] */
    struct origin **groups;
    size_t source_count, group_count;
    struct origin_place *places; /* of the items of lists, once loading is over */
    size_t place_count;
};

/* NULL without memory. */
struct config_origins *origins_new(void);
void origins_free(struct config_origins *origins);

/* A copy of the name that lives as long as the origins. NULL without memory. */
const char *origins_add_file(struct config_origins *origins, const char *name);

/* Forget the nodes before their documents are freed; the places of list items stay. */
void origins_drop_nodes(struct config_origins *origins);

/* The origin of a row of a table; `item` counts sources or groups, else 0. */
const struct origin *origins_find(const struct config *config, const struct setting_table *table,
                                  size_t item, const struct setting *row);

/* The origin of item `i` of a list's value; that of the list when it is not known. */
struct origin origins_item(const struct config *config, const struct origin *list, size_t i);

/* The row of a table with this key; a key that does not exist is our own mistake. */
const struct setting *origins_row(const struct setting_table *table, const char *key);

/* The row of section.key; a name that does not exist is our own mistake. */
const struct setting *origins_row_of(const char *section, const char *key);

/* The origin of section.key; a name that does not exist is our own mistake. */
const struct origin *origins_find_key(const struct config *config, const char *section,
                                      const char *key);
