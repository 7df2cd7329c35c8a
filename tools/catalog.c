// SPDX-License-Identifier: Apache-2.0
#include "tools/catalog.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/managed.h"
#include "config/nearest.h"
#include "tools/change.h"

static char command[] = "lists";

int lists_open(struct cli *cli, struct lists_world *world)
{
    struct diag diag = {0};
    *world = (struct lists_world){0};
    if (config_load(cli->config_path, &world->config, &diag) < 0) {
        cli_fail_diag(cli, CLI_BAD_CONFIG, &diag);
        return CLI_BAD_CONFIG;
    }
    if (listcatalog_load(world->config->server.data_dir, &world->catalog, &diag) < 0) {
        lists_close(world);
        cli_fail_diag(cli, CLI_FAILED, &diag);
        return CLI_FAILED;
    }
    lists_warn_hidden(cli, world->config);
    return CLI_DONE;
}

void lists_close(struct lists_world *world)
{
    listcatalog_free(world->catalog);
    config_free(world->config);
    *world = (struct lists_world){0};
}

void lists_warn_hidden(struct cli *cli, const struct config *config)
{
    char path[4096];
    if (config->managed_hidden && !cli->quiet) {
        managed_path(config, path, sizeof(path));
        fprintf(cli->err,
                "greengate: %s may not be read by you: what commands changed is left "
                "out; use sudo, or be in its group\n",
                path);
    }
}

const char *lists_moved(const struct listcatalog *catalog, const struct config *config,
                        size_t source)
{
    const struct config_source *mine = &config->sources[source];
    const struct listcatalog_list *list = catalog ? listcatalog_find(catalog, mine->id) : NULL;
    bool moved = list && change_is_added(config, source) && strcmp(list->url, mine->url) != 0;
    return moved ? list->url : NULL;
}

static const char *size_of(const struct listcatalog_list *list, char out[32])
{
    if (list->kilobytes == 0) {
        return "?";
    }
    if (list->kilobytes < 100) {
        return "<0.1";
    }
    snprintf(out, 32, list->kilobytes < 10000 ? "%.1f" : "%.0f", (double)list->kilobytes / 1000);
    return out;
}

static const char *names_of(const struct listcatalog_list *list, char out[32])
{
    if (list->names == 0) {
        return "?";
    }
    snprintf(out, 32, "%" PRId64, list->names);
    return out;
}

static cJSON *list_json(const struct listcatalog_list *list, const struct config *config)
{
    const struct {
        const char *key, *text;
    } texts[] = {
        {"id", list->id},
        {"title", list->title},
        {"category", list->category},
        {"url", list->url},
        {"format", list->format},
        {"match", list->match},
        {"publisher", list->publisher},
        {"licence", list->licence},
        {"homepage", list->homepage},
        {"rules", list->rules},
        {"window", list->window},
        {"date", list->date},
    };
    cJSON *json = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        cJSON_AddStringToObject(json, texts[i].key, texts[i].text ? texts[i].text : "");
    }
    cJSON_AddNumberToObject(json, "every_h", (double)list->every_h);
    cJSON_AddNumberToObject(json, "names", (double)list->names);
    cJSON_AddNumberToObject(json, "kilobytes", (double)list->kilobytes);
    cJSON_AddBoolToObject(json, "configured", change_find(config, list->id) >= 0);
    return json;
}

static int all_json(struct cli *cli, const struct lists_world *world, const char *category)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddTrueToObject(json, "ok");
    cJSON *lists = cJSON_AddArrayToObject(json, "lists");
    cJSON *gaps = cJSON_AddArrayToObject(json, "without");
    for (size_t i = 0; i < world->catalog->list_count; i++) {
        const struct listcatalog_list *list = &world->catalog->lists[i];
        if (!category || strcmp(category, list->category) == 0) {
            cJSON_AddItemToArray(lists, list_json(list, world->config));
        }
    }
    for (size_t i = 0; i < world->catalog->gap_count; i++) {
        const struct listcatalog_gap *gap = &world->catalog->gaps[i];
        if (!category || strcmp(category, gap->category) == 0) {
            cJSON *item = cJSON_CreateObject();
            cJSON_AddStringToObject(item, "category", gap->category);
            cJSON_AddStringToObject(item, "why", gap->why);
            cJSON_AddItemToArray(gaps, item);
        }
    }
    return cli_print_json(cli, json);
}

static int print_all(struct cli *cli, const struct lists_world *world, const char *category)
{
    char names[32], size[32];
    struct cli_table table = {
        .headings = {"list", "category", ">names", ">MB", "format", "licence", "title"}};
    for (size_t i = 0; i < world->catalog->list_count; i++) {
        const struct listcatalog_list *list = &world->catalog->lists[i];
        if (category && strcmp(category, list->category) != 0) {
            continue;
        }
        bool url = strncmp(list->licence, "https://", 8) == 0;
        bool here = change_find(world->config, list->id) >= 0;
        cli_table_add(&table, "%s", list->id);
        cli_table_add(&table, "%s", list->category);
        cli_table_add(&table, "%s", names_of(list, names));
        cli_table_add(&table, "%s", size_of(list, size));
        cli_table_add(&table, "%s", list->format);
        cli_table_add(&table, "%s", url ? "see homepage" : list->licence);
        cli_table_add(&table, "%s%s", list->title, here ? " (yours)" : "");
    }
    int code = table.cell_count ? cli_table_print(cli, &table) : CLI_DONE;
    for (size_t i = 0; i < world->catalog->gap_count; i++) {
        const struct listcatalog_gap *gap = &world->catalog->gaps[i];
        if (!category || strcmp(category, gap->category) == 0) {
            fprintf(cli->out, "%s: %s\n", gap->category, gap->why);
        }
    }
    if (code == CLI_DONE && !cli->quiet) {
        fprintf(cli->out, "`greengate lists catalog show ID` tells more, `greengate lists add ID` "
                          "adds one\n");
    }
    return code;
}

static int check_category_known(struct cli *cli, const struct config *config, const char *category)
{
    struct diag diag = {0};
    struct nearest nearest;
    struct catalog *catalog = NULL;
    if (catalog_load(config->server.data_dir, &catalog, &diag) < 0) {
        return cli_fail_diag(cli, CLI_FAILED, &diag);
    }
    nearest_init(&nearest, category);
    for (size_t i = 0; i < catalog->category_count; i++) {
        nearest_offer(&nearest, catalog->categories[i].id);
    }
    int code = CLI_DONE;
    if (!catalog_find(catalog, category)) {
        code = cli_fail(cli, CLI_USAGE, "there is no category %.40s%s%s%s", category,
                        nearest.best ? "; did you mean " : "", nearest.best ? nearest.best : "",
                        nearest.best ? "?" : "");
    }
    catalog_free(catalog);
    return code;
}

static int list_all(struct cli *cli, const struct lists_world *world, const char *category)
{
    int code = category ? check_category_known(cli, world->config, category) : CLI_DONE;
    if (code != CLI_DONE) {
        return code;
    }
    return cli->json ? all_json(cli, world, category) : print_all(cli, world, category);
}

static int unknown(struct cli *cli, const struct listcatalog *catalog, const char *id)
{
    struct nearest nearest;
    nearest_init(&nearest, id);
    for (size_t i = 0; i < catalog->list_count; i++) {
        nearest_offer(&nearest, catalog->lists[i].id);
    }
    if (nearest.best) {
        return cli_fail(cli, CLI_FAILED, "the catalogue has no list %.63s; did you mean %s?", id,
                        nearest.best);
    }
    return cli_fail(cli, CLI_FAILED,
                    "the catalogue has no list %.63s: see `greengate lists catalog`", id);
}

static void print_line(struct cli *cli, const char *what, const char *text)
{
    if (text) {
        fprintf(cli->out, "%-12s %s\n", what, text);
    }
}

static int show_list(struct cli *cli, const struct lists_world *world, const char *id)
{
    char names[32], size[32];
    const struct listcatalog_list *list = listcatalog_find(world->catalog, id);
    if (!list) {
        return unknown(cli, world->catalog, id);
    }
    if (cli->json) {
        cJSON *json = list_json(list, world->config);
        cJSON_AddTrueToObject(json, "ok");
        return cli_print_json(cli, json);
    }
    print_line(cli, "list", list->id);
    print_line(cli, "title", list->title);
    print_line(cli, "category", list->category);
    print_line(cli, "url", list->url);
    fprintf(cli->out, "%-12s %s; match: %s\n", "format", list->format, list->match);
    print_line(cli, "publisher", list->publisher);
    print_line(cli, "homepage", list->homepage);
    print_line(cli, "licence", list->licence);
    print_line(cli, "rules", list->rules);
    if (list->every_h) {
        fprintf(cli->out, "%-12s every %" PRId64 " hours%s%s\n", "fetch", list->every_h,
                list->window ? ", " : "", list->window ? list->window : "");
    }
    fprintf(cli->out, "%-12s about %s names, %s MB\n", "size", names_of(list, names),
            size_of(list, size));
    print_line(cli, "looked up", list->date);
    print_line(cli, "configured", change_find(world->config, id) >= 0 ? "yes" : "no");
    return CLI_DONE;
}

int lists_catalog(struct cli *cli, int argc, char **argv)
{
    const char *category = NULL;
    const struct cli_option options[] = {{"--category", NULL, &category}, {NULL, NULL, NULL}};
    struct lists_world world;
    argv[0] = command;
    int count = cli_options(cli, argc, argv, options);
    if (count < 0) {
        return CLI_USAGE;
    }
    bool show = count == 2 && strcmp(argv[1], "show") == 0 && !category;
    if (count > 0 && !show) {
        return cli_usage(cli, command, "lists catalog [--category C], or catalog show ID");
    }
    int code = lists_open(cli, &world);
    if (code == CLI_DONE) {
        code = show ? show_list(cli, &world, argv[2]) : list_all(cli, &world, category);
    }
    lists_close(&world);
    return code;
}

static cJSON *words_json(const struct text_list *list)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < list->count; i++) {
        cJSON_AddItemToArray(array, cJSON_CreateString(list->items[i]));
    }
    return array;
}

static int64_t preset_names(const struct lists_world *world,
                            const struct listcatalog_preset *preset)
{
    int64_t names = 0;
    for (size_t i = 0; i < preset->lists.count; i++) {
        names += listcatalog_find(world->catalog, preset->lists.items[i])->names;
    }
    return names;
}

static int presets_json(struct cli *cli, const struct lists_world *world)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddTrueToObject(json, "ok");
    cJSON *array = cJSON_AddArrayToObject(json, "presets");
    for (size_t i = 0; i < world->catalog->preset_count; i++) {
        const struct listcatalog_preset *preset = &world->catalog->presets[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "id", preset->id);
        cJSON *texts = cJSON_AddObjectToObject(item, "text");
        for (size_t k = 0; k < preset->text_count; k++) {
            cJSON_AddStringToObject(texts, preset->texts[k].language, preset->texts[k].text);
        }
        cJSON_AddItemToObject(item, "block", words_json(&preset->block));
        cJSON_AddItemToObject(item, "lists", words_json(&preset->lists));
        cJSON_AddNumberToObject(item, "names", (double)preset_names(world, preset));
        cJSON_AddNumberToObject(item, "memory_mb", (double)preset->memory_mb);
        cJSON_AddItemToArray(array, item);
    }
    return cli_print_json(cli, json);
}

/* The reader's language, as far as the data has it. */
static const char *language(void)
{
    static char found[3];
    const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);
        if (value && *value) {
            snprintf(found, sizeof(found), "%.2s", value);
            return found;
        }
    }
    return "en";
}

/* "word  a, b, c", in lines that a terminal of 100 columns shows whole. */
static void print_words(struct cli *cli, const char *what, const struct text_list *list)
{
    enum { INDENT = 15, COLUMNS = 98 };
    size_t column = INDENT;
    fprintf(cli->out, "  %-*s", INDENT - 2, what);
    for (size_t i = 0; i < list->count; i++) {
        size_t len = strlen(list->items[i]) + 2;
        bool breaks = column + len > COLUMNS;
        const char *gap = i == 0 ? "" : breaks ? ",\n" : ", ";
        column = (breaks ? INDENT : column) + len;
        fprintf(cli->out, "%s%*s%s", gap, breaks ? INDENT : 0, "", list->items[i]);
    }
    fputc('\n', cli->out);
}

static int print_presets(struct cli *cli, const struct lists_world *world)
{
    for (size_t i = 0; i < world->catalog->preset_count; i++) {
        const struct listcatalog_preset *preset = &world->catalog->presets[i];
        fprintf(cli->out, "%s%s%s\n  %s\n", cli_color(cli, CLI_BOLD), preset->id,
                cli_color(cli, CLI_PLAIN),
                catalog_text_in(preset->texts, preset->text_count, language()));
        print_words(cli, "blocks", &preset->block);
        print_words(cli, "lists", &preset->lists);
        fprintf(cli->out, "  %-13sabout %.1f million names, %" PRId64 " MB of memory\n\n", "size",
                (double)preset_names(world, preset) / 1e6, preset->memory_mb);
    }
    fprintf(cli->out, "`greengate lists add --preset NAME` adds the lists, and the categories to "
                      "what a group blocks\n");
    return CLI_DONE;
}

int lists_presets(struct cli *cli, int argc, char **argv)
{
    const struct cli_option options[] = {{NULL, NULL, NULL}};
    struct lists_world world;
    argv[0] = command;
    int count = cli_options(cli, argc, argv, options);
    if (count != 0) {
        return count < 0 ? CLI_USAGE : cli_usage(cli, command, "lists presets takes no argument");
    }
    int code = lists_open(cli, &world);
    if (code == CLI_DONE) {
        code = cli->json ? presets_json(cli, &world) : print_presets(cli, &world);
    }
    lists_close(&world);
    return code;
}
