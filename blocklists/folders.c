// SPDX-License-Identifier: Apache-2.0
#include "blocklists/folders.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/datafile.h"
#include "config/yaml.h"

static int read_folder(const struct yaml_node *node, const char *category, struct text_list *list,
                       struct diag *diag)
{
    const char *id = node->kind == YAML_MAP ? yaml_get_text(node, "id") : NULL;
    const char *ours = node->kind == YAML_MAP ? yaml_get_text(node, "category") : NULL;
    if (!id) {
        return diag_set(diag, -EINVAL, "a folder needs 'id'");
    }
    if (!ours || strcmp(ours, category) != 0) {
        return 0;
    }
    list->items[list->count] = strdup(id);
    return list->items[list->count] ? (int)(list->count++ & 0) : -ENOMEM;
}

int folders_of_category(const char *data_dir, const char *category, struct text_list *ret_list,
                        struct diag *diag)
{
    char path[PATH_MAX];
    struct yaml_node *root = NULL;
    struct text_list list = {0};
    datafile_path(data_dir, "ut1.yaml", path, sizeof(path));
    int err = yaml_read(path, &root, diag);
    if (err < 0) {
        return err;
    }
    const struct yaml_node *folders = yaml_get(root, "folders");
    if (!folders || folders->kind != YAML_LIST) {
        err = diag_set(diag, -EINVAL, "%s: 'folders' must be a list", path);
        goto out;
    }
    list.items = calloc(folders->count + 1, sizeof(*list.items));
    err = list.items ? 0 : -ENOMEM;
    for (const struct yaml_node *node = folders->first; err == 0 && node; node = node->next) {
        err = read_folder(node, category, &list, diag);
    }
    if (err == 0) {
        *ret_list = list;
        list = (struct text_list){0};
    }
out:
    folders_clear(&list);
    yaml_free(root);
    return err;
}

void folders_clear(struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i]);
    }
    free(list->items);
    *list = (struct text_list){0};
}
