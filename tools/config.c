// SPDX-License-Identifier: Apache-2.0
#include "tools/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/catalog.h"
#include "config/keyed.h"
#include "config/origins.h"
#include "config/referral.h"
#include "config/setting.h"
#include "config/show.h"
#include "tools/offline.h"

/* What is put into a JSON object: values of one table, from one object. */
struct view {
    const struct config *config;
    const struct config *defaults; /* NULL: all values, else only what differs */
    cJSON *origins;                /* NULL: none are wanted */
};

/* "value value" as the map that it was. */
static cJSON *pair_json(const struct setting *row, const char *text)
{
    cJSON *json = cJSON_CreateObject();
    char key[64], value[512];
    snprintf(key, sizeof(key), "%.*s", (int)strcspn(row->set, " "), row->set);
    snprintf(value, sizeof(value), "%.*s", (int)strcspn(text, " "), text);
    cJSON_AddStringToObject(json, key, value);
    cJSON_AddStringToObject(json, row->set + strlen(key) + 1, text + strlen(value) + 1);
    return json;
}

/* "key=value key=a,b" as the map that it was. */
static cJSON *map_json(const struct setting *row, const char *text)
{
    cJSON *json = cJSON_CreateObject();
    char key[64], word[KEYED_MAX];
    struct keyed_part part;
    const char *item;
    while (keyed_next(row->set, &text, &part)) {
        snprintf(key, sizeof(key), "%.*s", (int)part.key_len, part.key);
        if (!part.list) {
            snprintf(word, sizeof(word), "%.*s", (int)part.len, part.value);
            cJSON_AddStringToObject(json, key, word);
            continue;
        }
        cJSON *list = cJSON_AddArrayToObject(json, key);
        while (part.len) {
            size_t len = keyed_item(&part, &item);
            snprintf(word, sizeof(word), "%.*s", (int)len, item);
            cJSON_AddItemToArray(list, cJSON_CreateString(word));
        }
    }
    return json;
}

static cJSON *list_json(const struct setting *row, const struct text_list *list)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < list->count; i++) {
        cJSON *item = row->keyed ? map_json(row, list->items[i])
                      : row->set ? pair_json(row, list->items[i])
                                 : cJSON_CreateString(list->items[i]);
        cJSON_AddItemToArray(array, item);
    }
    return array;
}

static cJSON *value_json(const struct setting *row, const void *object)
{
    switch (row->kind) {
    case SETTING_INT: return cJSON_CreateNumber((double)*setting_int(row, object));
    case SETTING_FLAG: return cJSON_CreateBool(*setting_flag(row, object));
    case SETTING_TEXT: return cJSON_CreateString(*setting_text(row, object));
    case SETTING_CHOICE:
        return cJSON_CreateString(config_word(row->set, *setting_choice(row, object)));
    default: return list_json(row, setting_list(row, object));
    }
}

static void add_origin(const struct view *view, const struct origin *origin, const char *name)
{
    char text[DIAG_FILE_MAX + 16] = "default";
    if (view->origins && origin->file) {
        snprintf(text, sizeof(text), "%.255s:%u", origin->file, origin->line);
    }
    if (view->origins) {
        cJSON_AddStringToObject(view->origins, name, text);
    }
}

static cJSON *section_json(const struct view *view, const struct setting *section)
{
    cJSON *json = cJSON_CreateObject();
    for (const struct setting *row = section + 1; row->kind != SETTING_END; row++) {
        if (view->defaults && setting_equal(row, view->config, view->defaults)) {
            continue;
        }
        char name[128];
        snprintf(name, sizeof(name), "%s.%s", row->section, row->key);
        cJSON_AddItemToObject(json, row->key, value_json(row, view->config));
        add_origin(view, origins_find(view->config, &setting_config, 0, row), name);
    }
    return json;
}

static cJSON *items_json(const struct view *view, const struct setting_table *table)
{
    bool sources = table == &setting_source;
    size_t count = sources ? view->config->source_count : view->config->group_count;
    const char *items =
        sources ? (const char *)view->config->sources : (const char *)view->config->groups;
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < count; i++) {
        const char *object = items + i * table->size;
        cJSON *item = cJSON_CreateObject();
        for (size_t j = 0; j < table->count; j++) {
            const struct setting *row = &table->rows[j];
            char name[256];
            snprintf(name, sizeof(name), "%s.%.63s.%s", table->name,
                     *setting_text(table->rows, object), row->key);
            cJSON_AddItemToObject(item, row->key, value_json(row, object));
            add_origin(view, origins_find(view->config, table, i, row), name);
        }
        cJSON_AddItemToArray(array, item);
    }
    return array;
}

/* Empty sections and unchanged items are left out of a view of differences. */
static cJSON *view_json(const struct view *view)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddTrueToObject(json, "ok");
    for (size_t i = 0; i < setting_config.count; i++) {
        const struct setting *row = &setting_config.rows[i];
        if (row->kind != SETTING_SECTION) {
            continue;
        }
        cJSON *section = section_json(view, row);
        if (strcmp(row->key, "lists") == 0 &&
            (!view->defaults || show_differs_sources(view->config, view->defaults))) {
            cJSON_AddItemToObject(section, "sources", items_json(view, &setting_source));
        }
        if (view->defaults && !section->child) {
            cJSON_Delete(section);
        } else {
            cJSON_AddItemToObject(json, row->key, section);
        }
    }
    if (!view->defaults || show_differs_groups(view->config, view->defaults)) {
        cJSON_AddItemToObject(json, "groups", items_json(view, &setting_group));
    }
    if (view->origins) {
        cJSON_AddItemToObject(json, "origins", view->origins);
    }
    return json;
}

static int fail(struct cli *cli, int err, struct diag *diag)
{
    if (err == -ENOMEM) {
        return cli_fail(cli, CLI_FAILED, "out of memory");
    }
    return cli_fail_diag(cli, CLI_BAD_CONFIG, diag);
}

static int show_json(struct cli *cli, const struct config *config,
                     const struct show_options *options)
{
    struct config *defaults = options->differences ? config_new() : NULL;
    if (options->differences && !defaults) {
        return cli_fail(cli, CLI_FAILED, "out of memory");
    }
    struct view view = {.config = config,
                        .defaults = defaults,
                        .origins = options->origin ? cJSON_CreateObject() : NULL};
    int code = cli_print_json(cli, view_json(&view));
    config_free(defaults);
    return code;
}

static int show(struct cli *cli, const struct show_options *options)
{
    struct config *config = NULL;
    struct diag diag = {0};
    int err = config_load(cli->config_path, &config, &diag);
    if (err < 0) {
        return fail(cli, err, &diag);
    }
    int code = CLI_DONE;
    if (cli->json) {
        code = show_json(cli, config, options);
    } else if (config_show(config, options, cli->out) < 0) {
        code = cli_fail(cli, CLI_FAILED, "out of memory");
    }
    config_free(config);
    return code;
}

static cJSON *diag_json(const struct diag *diag)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "file", diag->file);
    cJSON_AddNumberToObject(json, "line", diag->line);
    cJSON_AddNumberToObject(json, "column", diag->column);
    cJSON_AddStringToObject(json, "text", diag->text);
    return json;
}

static int report_good(struct cli *cli, cJSON *warnings)
{
    const cJSON *warning;
    if (cli->json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddTrueToObject(json, "ok");
        cJSON_AddItemToObject(json, "warnings", warnings);
        return cli_print_json(cli, json);
    }
    cJSON_ArrayForEach(warning, warnings)
    {
        fprintf(cli->err, "warning: %s\n", warning->valuestring);
    }
    cJSON_Delete(warnings);
    if (!cli->quiet) {
        fprintf(cli->out, "ok\n");
    }
    return CLI_DONE;
}

/* With --json the place comes in parts: {"ok":false,"mistake":{"file",...}}. */
static int check(struct cli *cli)
{
    struct config *config = NULL;
    struct diag diag = {0};
    int err = config_load(cli->config_path, &config, &diag);
    err = err < 0 ? err : referral_check_own(config, &diag);
    err = err < 0 ? err : referral_check_texts(config, &diag);
    cJSON *warnings = err == 0 ? offline_warnings(config) : NULL;
    config_free(config);
    if (err == 0) {
        return report_good(cli, warnings);
    }
    if (err == -ENOMEM || !cli->json) {
        return fail(cli, err, &diag);
    }
    char text[DIAG_FILE_MAX + DIAG_TEXT_MAX + 64];
    diag_print(&diag, text, sizeof(text));
    cJSON *json = cJSON_CreateObject();
    cJSON_AddFalseToObject(json, "ok");
    cJSON_AddStringToObject(json, "error", text);
    cJSON_AddItemToObject(json, "mistake", diag_json(&diag));
    cJSON_AddNumberToObject(json, "exit", CLI_BAD_CONFIG);
    (void)cli_print_json(cli, json);
    return CLI_BAD_CONFIG;
}

static int document(struct cli *cli, int (*print)(FILE *out))
{
    return print(cli->out) < 0 ? cli_fail(cli, CLI_FAILED, "out of memory") : CLI_DONE;
}

int cmd_config(struct cli *cli, int argc, char **argv)
{
    bool origin = false;
    const struct cli_option options[] = {{"--origin", &origin, NULL}, {NULL, NULL, NULL}};
    int count = cli_options(cli, argc, argv, options);
    if (count < 0) {
        return CLI_USAGE;
    }
    const char *what = count == 1 ? argv[1] : "";
    struct show_options show_options = {.origin = origin, .differences = *what == 'd'};
    if (strcmp(what, "show") == 0 || strcmp(what, "diff") == 0) {
        return show(cli, &show_options);
    }
    if (strcmp(what, "check") == 0 && !origin) {
        return check(cli);
    }
    if (strcmp(what, "document") == 0 && !origin) {
        return document(cli, config_document);
    }
    if (strcmp(what, "manual") == 0 && !origin) {
        return document(cli, config_manual);
    }
    return cli_usage(cli, "config", "check, show [--origin] or diff [--origin] is needed");
}
