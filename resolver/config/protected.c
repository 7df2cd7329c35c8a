// SPDX-License-Identifier: Apache-2.0
#include "config/protected.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/datafile.h"
#include "config/yaml.h"

static int read_item(const struct yaml_node *node, const char *path, struct protected_name *item,
                     struct diag *diag)
{
    const char *name = node->kind == YAML_MAP ? yaml_get_text(node, "name") : NULL;
    const char *match = node->kind == YAML_MAP ? yaml_get_text(node, "match") : NULL;
    if (!name || dname_parse(name, &item->name) < 0) {
        diag_at(diag, path, node->line, node->column);
        return diag_set(diag, -EINVAL, "each needs 'name', a domain name");
    }
    if (!match || (strcmp(match, "exact") != 0 && strcmp(match, "subtree") != 0)) {
        diag_at(diag, path, node->line, node->column);
        return diag_set(diag, -EINVAL, "%s: 'match' is exact or subtree", name);
    }
    const char *relay = yaml_get_text(node, "relay");
    item->exact = strcmp(match, "exact") == 0;
    item->relay = relay && strcmp(relay, "true") == 0;
    return 0;
}

int protected_load(const char *data_dir, const char *what, struct protected_list *ret_list,
                   struct diag *diag)
{
    char path[4096], name[64];
    struct yaml_node *root = NULL;
    struct protected_list list = {0};
    snprintf(name, sizeof(name), "%s.yaml", what);
    datafile_path(data_dir, name, path, sizeof(path));
    int err = yaml_read(path, &root, diag);
    if (err < 0) {
        return err;
    }
    const struct yaml_node *names = yaml_get(root, what);
    if (!names || names->kind != YAML_LIST) {
        err = diag_set(diag, -EINVAL, "%s: '%s' must be a list", path, what);
        goto out;
    }
    list.items = calloc(names->count + 1, sizeof(*list.items));
    if (!list.items) {
        err = -ENOMEM;
        goto out;
    }
    for (const struct yaml_node *node = names->first; err == 0 && node; node = node->next) {
        err = read_item(node, path, &list.items[list.count], diag);
        list.count += err == 0;
    }
    if (err == 0) {
        *ret_list = list;
        list.items = NULL;
    }
out:
    free(list.items);
    yaml_free(root);
    return err;
}

void protected_clear(struct protected_list *list)
{
    free(list->items);
    list->items = NULL;
    list->count = 0;
}
