// SPDX-License-Identifier: Apache-2.0
/* items: sources and groups while files are merged, each kind by its first key. */
#pragma once
#include "config/origins.h"
#include "config/value.h"

struct item_list {
    const struct setting_table *table;
    const char *word; /* "source", "group" */
    size_t max;
    bool last_catches;     /* new items of later files go before an item without clients */
    const char *whole_key; /* a new item without this key is left out; NULL: none is */
    char *items;           /* table->size octets each */
    struct origin **origins;
    size_t count;
};

/* Merge the items of one file. -EINVAL with the diag, -ENOMEM. */
__attribute__((warn_unused_result)) int
item_list_merge(struct item_list *list, const struct yaml_node *node, const struct complaint *to);

/* Append an item with the defaults and the given text under its first key. -ENOMEM. */
__attribute__((warn_unused_result)) int item_list_add(struct item_list *list, const char *id);

void item_list_clear(struct item_list *list);

/* "unknown key 'x' in y", with the nearest or all known keys; returns -EINVAL. */
int items_unknown_key(const struct setting_table *table, const char *section,
                      const struct yaml_node *node, const struct complaint *to);
