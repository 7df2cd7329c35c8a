// SPDX-License-Identifier: Apache-2.0
#include "config/known.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/datafile.h"
#include "config/check.h"
#include "config/fields.h"

enum { ITEMS_MAX = 512 };

#define IN(field) offsetof(struct known_item, field)

static const struct field service_fields[] = {
    {"id", FIELD_TEXT, true, IN(id), 0, check_id},
    {"names", FIELD_TEXTS, true, IN(labels), IN(label_count), NULL},
    {"domains", FIELD_LIST, true, IN(domains), 0, check_name},
    {"source", FIELD_TEXT, true, IN(source), 0, check_any},
    {"date", FIELD_TEXT, true, IN(date), 0, check_any},
    {NULL},
};

static const struct field engine_fields[] = {
    {"id", FIELD_TEXT, true, IN(id), 0, check_id},
    {"hosts", FIELD_LIST, false, IN(hosts), 0, check_name},
    {"www", FIELD_FLAG, false, IN(www), 0, NULL},
    {"domains", FIELD_LIST, false, IN(domains), 0, check_name},
    {"target", FIELD_TEXT, false, IN(target), 0, check_name},
    {"moderate", FIELD_TEXT, false, IN(moderate), 0, check_name},
    {"source", FIELD_TEXT, true, IN(source), 0, check_any},
    {"date", FIELD_TEXT, true, IN(date), 0, check_any},
    {NULL},
};

static const struct field way_fields[] = {
    {"id", FIELD_TEXT, true, IN(id), 0, check_id},
    {"domains", FIELD_LIST, false, IN(domains), 0, check_name},
    {"hosts", FIELD_LIST, false, IN(hosts), 0, check_name},
    {"source", FIELD_TEXT, true, IN(source), 0, check_any},
    {"date", FIELD_TEXT, true, IN(date), 0, check_any},
    {NULL},
};

static const struct {
    const char *file, *key;
    const struct field *fields;
} files[KNOWN_KINDS] = {
    [KNOWN_SERVICE] = {"services.yaml", "services", service_fields},
    [KNOWN_ENGINE] = {"safesearch.yaml", "engines", engine_fields},
    [KNOWN_WAY] = {"bypass.yaml", "ways", way_fields},
};

const char *known_file(enum known_kind kind)
{
    return files[kind].file;
}

static void clear_item(struct known_item *item)
{
    free(item->id);
    free(item->target);
    free(item->moderate);
    free(item->source);
    free(item->date);
    fields_clear_texts(item->labels, item->label_count);
    text_list_clear(&item->domains);
    text_list_clear(&item->hosts);
}

static bool stands_there(const struct known *known, enum known_kind kind, const char *id)
{
    for (size_t i = known->first[kind]; i < known->count; i++) {
        if (strcmp(known->items[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

static int add_item(struct known *known, enum known_kind kind, const struct yaml_node *node,
                    const struct complaint *to)
{
    struct known_item item = {.kind = (uint8_t)kind};
    int err = fields_take(files[kind].fields, &item, node, to);
    if (err == 0 && stands_there(known, kind, item.id)) {
        err = complain(to, node, "'%s' stands there twice", item.id);
    } else if (err == 0 && item.domains.count + item.hosts.count == 0) {
        err = complain(to, node, "'%s' has no names", item.id);
    } else if (err == 0 && item.moderate && !item.target) {
        err = complain(to, node, "'%s' has 'moderate' and no 'target'", item.id);
    }
    if (err < 0) {
        clear_item(&item);
        return err;
    }
    known->items[known->count++] = item;
    return 0;
}

static int read_items(struct known *known, enum known_kind kind, const char *path,
                      struct diag *diag)
{
    struct yaml_node *root = NULL;
    const struct complaint to = {path, diag};
    size_t most = kind == KNOWN_SERVICE ? KNOWN_SERVICES_MAX : ITEMS_MAX;
    int err = yaml_read(path, &root, diag);
    if (err < 0) {
        return err;
    }
    const struct yaml_node *list = yaml_get(root, files[kind].key);
    if (!list || list->kind != YAML_LIST || root->count != 1) {
        err = complain(&to, root, "expected one key '%s' with a list", files[kind].key);
    } else if (list->count > most || known->count + list->count > ITEMS_MAX) {
        err = complain(&to, list, "too many %s", files[kind].key);
    }
    const struct yaml_node *first = err == 0 && list ? list->first : NULL;
    for (const struct yaml_node *node = first; node && err == 0; node = node->next) {
        err = add_item(known, kind, node, &to);
    }
    yaml_free(root);
    return err;
}

/* A file with a mistake gives nothing at all: half a file would be a riddle. */
static int load_kind(struct known *known, enum known_kind kind, const char *data_dir)
{
    char path[4096];
    struct diag diag = {0};
    known->first[kind] = known->count;
    datafile_path(data_dir, files[kind].file, path, sizeof(path));
    int err = read_items(known, kind, path, &diag);
    if (err < 0) {
        while (known->count > known->first[kind]) {
            clear_item(&known->items[--known->count]);
        }
        known->diag = known->diag.text[0] ? known->diag : diag;
        known->missing[kind] = true;
        known->shortage = datafile_is_shortage(err) ? err : known->shortage;
    }
    return err == -ENOMEM ? err : 0;
}

int known_load(const char *data_dir, struct known **ret_known)
{
    struct known *known = calloc(1, sizeof(*known));
    if (!known) {
        return -ENOMEM;
    }
    known->items = calloc(ITEMS_MAX, sizeof(*known->items));
    int err = known->items ? 0 : -ENOMEM;
    for (int kind = 0; kind < KNOWN_KINDS && err == 0; kind++) {
        err = load_kind(known, (enum known_kind)kind, data_dir);
    }
    known->first[KNOWN_KINDS] = known->count;
    if (err < 0) {
        known_free(known);
        return err;
    }
    *ret_known = known;
    return 0;
}

void known_free(struct known *known)
{
    if (!known) {
        return;
    }
    for (size_t i = 0; i < known->count; i++) {
        clear_item(&known->items[i]);
    }
    free(known->items);
    free(known);
}

int known_find(const struct known *known, enum known_kind kind, const char *id)
{
    for (size_t i = known->first[kind]; i < known->first[kind + 1]; i++) {
        if (strcmp(known->items[i].id, id) == 0) {
            return (int)i;
        }
    }
    return -1;
}
