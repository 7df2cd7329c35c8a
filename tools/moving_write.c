// SPDX-License-Identifier: Apache-2.0
#include "tools/moving_write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/yaml.h"
#include "tools/cli.h"
#include "tools/moving.h"

enum { COMMENTS_MAX = 500 };

char *moved_plain(const char *text)
{
    char *plain = strdup(text);
    if (plain) {
        cli_make_plain_text(plain);
        yaml_make_comment(plain);
    }
    return plain;
}

static void add_plain(cJSON *object, const char *key, const char *text)
{
    char *plain = text ? moved_plain(text) : NULL;
    cJSON_AddStringToObject(object, key, plain ? plain : "");
    free(plain);
}

/* What stands in the file that is read: never as it is into ours, or onto a terminal. */
void moved_tell(struct moved *moved, const struct moved_item *item)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "state", item->state);
    add_plain(json, "kind", item->kind);
    add_plain(json, "what", item->what);
    add_plain(json, "as", item->as);
    add_plain(json, "why", item->why);
    cJSON_AddItemToArray(moved->items, json);
    moved->taken += strcmp(item->state, "taken") == 0;
    moved->changed += strcmp(item->state, "changed") == 0;
    moved->left += strcmp(item->state, "left") == 0;
}

const char *moved_refusal(const cJSON *tree, struct diag *diag)
{
    char *text = NULL;
    size_t len = 0;
    struct config *config = NULL;
    FILE *memory = open_memstream(&text, &len);
    diag_clear(diag);
    if (!memory) {
        return "no memory";
    }
    moved_print_tree(tree, memory);
    if (fclose(memory) != 0) {
        free(text);
        return "no memory";
    }
    int err = config_parse(&(struct yaml_text){text, len, "made"}, &config, diag);
    free(text);
    config_free(config);
    return err < 0 ? diag->text : NULL;
}

/* An object of an array below a section, both made when they are missing. */
static cJSON *section_of(cJSON *config, const char *section)
{
    cJSON *object = cJSON_GetObjectItemCaseSensitive(config, section);
    return object ? object : cJSON_AddObjectToObject(config, section);
}

static void put(cJSON *config, const char *section, const char *key, cJSON *value)
{
    cJSON_AddItemToObject(section_of(config, section), key, value);
}

static void write_settings(const cJSON *moving, struct moved *moved)
{
    const cJSON *section, *key;
    struct diag diag;
    cJSON_ArrayForEach(section, cJSON_GetObjectItemCaseSensitive(moving, "settings"))
    {
        cJSON_ArrayForEach(key, section)
        {
            char what[MOVING_TEXT_MAX];
            cJSON *tree = cJSON_CreateObject();
            put(tree, section->string, key->string, cJSON_Duplicate(key, true));
            const char *why = moved_refusal(tree, &diag);
            cJSON_Delete(tree);
            snprintf(what, sizeof(what), "%s.%s", section->string, key->string);
            if (!why) {
                put(moved->config, section->string, key->string, cJSON_Duplicate(key, true));
            }
            moved_tell(moved,
                       &(struct moved_item){"setting", what, why ? "left" : "taken", NULL, why});
        }
    }
}

/* Each item of an array by itself, so that one that is wrong costs only itself. */
struct array {
    const char *kind, *name;      /* in the report, and in moving */
    const char *section, *target; /* where it goes */
    const char *label;            /* the member that names it */
};

static cJSON *as_ours(const struct array *array, const cJSON *item)
{
    const cJSON *url = cJSON_GetObjectItemCaseSensitive(item, "url");
    return strcmp(array->name, "upstreams") == 0 ? cJSON_CreateString(url->valuestring)
                                                 : cJSON_Duplicate(item, true);
}

static bool has_equal(const cJSON *list, const cJSON *value)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        if (cJSON_Compare(item, value, true)) {
            return true;
        }
    }
    return false;
}

static void write_array(const cJSON *moving, const struct array *array, struct moved *moved)
{
    const cJSON *item;
    struct diag diag;
    cJSON *list = cJSON_CreateArray();
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(moving, array->name))
    {
        cJSON *ours = as_ours(array, item);
        cJSON *tree = cJSON_CreateObject(), *one = cJSON_CreateArray();
        cJSON_AddItemToArray(one, cJSON_Duplicate(ours, true));
        put(tree, array->section, array->target, one);
        const char *why = moved_refusal(tree, &diag);
        cJSON_Delete(tree);
        bool again = has_equal(list, ours);
        moved_tell(moved,
                   &(struct moved_item){array->kind, moving_text(item, array->label),
                                        why ? "left" : "taken", moving_text(item, "url"), why});
        if (why || again) {
            cJSON_Delete(ours);
        } else {
            cJSON_AddItemToArray(list, ours);
        }
    }
    if (list->child) {
        put(moved->config, array->section, array->target, list);
    } else {
        cJSON_Delete(list);
    }
}

static void write_left(const cJSON *moving, struct moved *moved)
{
    const cJSON *left;
    cJSON_ArrayForEach(left, cJSON_GetObjectItemCaseSensitive(moving, "left"))
    {
        moved_tell(moved, &(struct moved_item){moving_text(left, "kind"), moving_text(left, "what"),
                                               "left", NULL, moving_text(left, "why")});
    }
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(moving, "full"))) {
        moved_tell(moved, &(struct moved_item){"more", "the rest", "left", NULL,
                                               "there are too many things in one file"});
    }
}

/* Of very many the file would become larger than a configuration may be. */
static void print_items(const cJSON *items, const char *state, const char *title, FILE *out)
{
    const cJSON *item;
    unsigned count = 0;
    cJSON_ArrayForEach(item, items)
    {
        if (strcmp(moving_text(item, "state"), state) == 0 && count++ < COMMENTS_MAX) {
            fprintf(out, "%s#   %s %s: %s\n", count == 1 ? title : "", moving_text(item, "kind"),
                    moving_text(item, "what"), moving_text(item, "why"));
        }
    }
    if (count > COMMENTS_MAX) {
        fprintf(out, "#   and %u more, which `greengate import` names\n", count - COMMENTS_MAX);
    }
}

static int print_text(const cJSON *moving, struct moved *moved)
{
    size_t len = 0;
    FILE *out = open_memstream(&moved->text, &len);
    if (!out) {
        return -ENOMEM;
    }
    fprintf(out, "# Taken over from %s by `greengate import`.\n", moving_text(moving, "from"));
    moved_print_tree(moved->config, out);
    print_items(moved->items, "changed", "#\n# Different here:\n", out);
    print_items(moved->items, "left", "#\n# Not taken over:\n", out);
    return fclose(out) == 0 ? 0 : -ENOMEM;
}

static int write_parts(const cJSON *moving, const struct moving_target *target, struct moved *moved,
                       struct diag *diag)
{
    static const struct array found[] = {
        {"upstream", "upstreams", "upstream", "servers", "as"},
        {"zone", "zones", "upstream", "zones", "domain"},
        {"record", "records", "dns", "records", "name"},
    };
    write_settings(moving, moved);
    for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
        write_array(moving, &found[i], moved);
    }
    moving_write_lists(moving, target, moved);
    moving_write_groups(moving, target, moved);
    int err = moving_write_rules(moving, moved, diag);
    write_left(moving, moved);
    return err;
}

int moving_write(const cJSON *moving, const struct moving_target *target, struct moved *ret_moved,
                 struct diag *diag)
{
    struct moved moved = {.config = cJSON_CreateObject(), .items = cJSON_CreateArray()};
    int err = moved.config && moved.items ? 0 : -ENOMEM;
    if (err == 0) {
        err = write_parts(moving, target, &moved, diag);
    }
    if (err == 0) {
        err = moved_refusal(moved.config, diag) ? -EINVAL : print_text(moving, &moved);
    }
    if (err < 0) {
        moved_clear(&moved);
        return err;
    }
    *ret_moved = moved;
    return 0;
}

void moved_clear(struct moved *moved)
{
    cJSON_Delete(moved->config);
    cJSON_Delete(moved->items);
    free(moved->text);
    free(moved->rules);
    *moved = (struct moved){0};
}
