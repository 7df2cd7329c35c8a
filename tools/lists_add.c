// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/nearest.h"
#include "config/origins.h"
#include "tools/catalog.h"
#include "tools/change.h"

static char command[] = "lists";

struct wish {
    const char *url, *category, *format, *match, *public_key; /* a list of one's own */
    const char *preset, *group;
    bool insecure, replace, update;
    const char *id;
};

struct adding {
    struct change change;
    struct lists_world world;
    struct wish wish;
    cJSON *added, *present; /* ids; owned by change.reply */
};

static int fail_unknown(struct adding *adding, const char *id)
{
    struct nearest nearest;
    const struct listcatalog *catalog = adding->world.catalog;
    nearest_init(&nearest, id);
    for (size_t i = 0; i < catalog->list_count; i++) {
        nearest_offer(&nearest, catalog->lists[i].id);
    }
    return cli_fail(adding->change.cli, CLI_FAILED,
                    "the catalogue has no list %.63s%s%s%s; a list of your own needs --url and "
                    "--category",
                    id, nearest.best ? "; did you mean " : "", nearest.best ? nearest.best : "",
                    nearest.best ? "?" : "");
}

static int fail_elsewhere(struct adding *adding, size_t source)
{
    const struct config *config = adding->world.config;
    const struct origin *origin =
        origins_find(config, &setting_source, source, setting_source.rows);
    return cli_fail(adding->change.cli, CLI_FAILED, "%.63s stands in %.200s:%u: change it there",
                    config->sources[source].id, origin->file, origin->line);
}

static bool knows_key(const char *key)
{
    for (size_t i = 0; i < setting_source.count; i++) {
        if (strcmp(setting_source.rows[i].key, key) == 0) {
            return true;
        }
    }
    return false;
}

/* All of the entry, so that a later catalogue changes nothing by itself. */
static void copy_entry(struct adding *adding, const struct listcatalog_list *list)
{
    cJSON *source = change_source(&adding->change, list->id);
    cJSON_AddStringToObject(source, "url", list->url);
    cJSON_AddStringToObject(source, "format", list->format);
    cJSON_AddStringToObject(source, "match", list->match);
    cJSON_AddStringToObject(source, "category", list->category);
    if (list->every_h && knows_key("update_every_h")) {
        cJSON_AddNumberToObject(source, "update_every_h", (double)list->every_h);
    }
    if (list->window && knows_key("update_window")) {
        cJSON_AddStringToObject(source, "update_window", list->window);
    }
    cJSON_AddItemToArray(adding->added, cJSON_CreateString(list->id));
}

static int add_entry(struct adding *adding, const struct listcatalog_list *list)
{
    const struct config *config = adding->world.config;
    int at = change_find(config, list->id);
    if (at >= 0 && !(adding->wish.replace && change_is_added(config, (size_t)at))) {
        if (adding->wish.replace && !adding->wish.preset) {
            return fail_elsewhere(adding, (size_t)at);
        }
        cJSON_AddItemToArray(adding->present, cJSON_CreateString(list->id));
        return CLI_DONE;
    }
    copy_entry(adding, list);
    return CLI_DONE;
}

static int check_own(struct adding *adding)
{
    const struct wish *wish = &adding->wish;
    struct cli *cli = adding->change.cli;
    if (listcatalog_find(adding->world.catalog, wish->id)) {
        return cli_fail(cli, CLI_USAGE,
                        "%s is a list of the catalogue: give yours another id, or leave --url out",
                        wish->id);
    }
    if (!wish->url || !wish->category) {
        return cli_usage(cli, command, "a list of your own needs --url and --category");
    }
    if (strncasecmp(wish->url, "http://", 7) == 0 && !wish->insecure && !wish->public_key) {
        return cli_usage(cli, command,
                         "anybody on the way can change what http:// brings; use https://, "
                         "--public-key K, or --insecure");
    }
    int at = change_find(adding->world.config, wish->id);
    if (at >= 0 && !change_is_added(adding->world.config, (size_t)at)) {
        return fail_elsewhere(adding, (size_t)at);
    }
    if (at >= 0 && !wish->replace) {
        return cli_fail(cli, CLI_FAILED, "%s is there already; --replace changes it", wish->id);
    }
    return CLI_DONE;
}

/* What is not given goes back to its default when one is replaced. */
static int add_own(struct adding *adding)
{
    const struct wish *wish = &adding->wish;
    const struct {
        const char *key, *text;
    } keys[] = {
        {"url", wish->url},           {"format", wish->format},         {"match", wish->match},
        {"category", wish->category}, {"public_key", wish->public_key},
    };
    int code = check_own(adding);
    if (code != CLI_DONE) {
        return code;
    }
    cJSON *source = change_source(&adding->change, wish->id);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (keys[i].text) {
            cJSON_AddStringToObject(source, keys[i].key, keys[i].text);
        } else {
            cJSON_AddNullToObject(source, keys[i].key);
        }
    }
    if (wish->insecure) {
        cJSON_AddTrueToObject(source, "insecure");
    } else {
        cJSON_AddNullToObject(source, "insecure");
    }
    cJSON_AddItemToArray(adding->added, cJSON_CreateString(wish->id));
    return CLI_DONE;
}

static bool holds(const struct text_list *list, const char *word)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], word) == 0) {
            return true;
        }
    }
    return false;
}

static const struct config_group *find_group(struct adding *adding)
{
    const struct config *config = adding->world.config;
    const char *name = adding->wish.group;
    for (size_t i = 0; i < config->group_count; i++) {
        const struct config_group *group = &config->groups[i];
        if (name ? strcmp(group->name, name) == 0 : i + 1 == config->group_count) {
            return group;
        }
    }
    return NULL;
}

/* What the group blocks, and the preset's categories behind it. */
static int block_preset(struct adding *adding, const struct listcatalog_preset *preset)
{
    const struct config_group *group = find_group(adding);
    if (!group) {
        return cli_fail(adding->change.cli, CLI_FAILED, "no group is named %.63s",
                        adding->wish.group);
    }
    cJSON *all = cJSON_CreateArray();
    cJSON *more = cJSON_CreateArray();
    for (size_t i = 0; i < group->block.count; i++) {
        cJSON_AddItemToArray(all, cJSON_CreateString(group->block.items[i]));
    }
    for (size_t i = 0; i < preset->block.count; i++) {
        if (!holds(&group->block, preset->block.items[i])) {
            cJSON_AddItemToArray(all, cJSON_CreateString(preset->block.items[i]));
            cJSON_AddItemToArray(more, cJSON_CreateString(preset->block.items[i]));
        }
    }
    if (cJSON_GetArraySize(more) > 0) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "name", group->name);
        cJSON_AddItemToObject(item, "block", cJSON_Duplicate(all, true));
        cJSON_AddItemToArray(adding->change.groups, item);
    }
    cJSON_Delete(all);
    cJSON_AddStringToObject(adding->change.reply, "group", group->name);
    cJSON_AddItemToObject(adding->change.reply, "now_blocked", more);
    return CLI_DONE;
}

static int add_preset(struct adding *adding)
{
    struct nearest nearest;
    const struct listcatalog *catalog = adding->world.catalog;
    const struct listcatalog_preset *preset = listcatalog_find_preset(catalog, adding->wish.preset);
    if (!preset) {
        nearest_init(&nearest, adding->wish.preset);
        for (size_t i = 0; i < catalog->preset_count; i++) {
            nearest_offer(&nearest, catalog->presets[i].id);
        }
        return cli_fail(adding->change.cli, CLI_FAILED,
                        "there is no preset %.63s%s%s%s: see `greengate lists presets`",
                        adding->wish.preset, nearest.best ? "; did you mean " : "",
                        nearest.best ? nearest.best : "", nearest.best ? "?" : "");
    }
    int code = CLI_DONE;
    for (size_t i = 0; i < preset->lists.count && code == CLI_DONE; i++) {
        code = add_entry(adding, listcatalog_find(catalog, preset->lists.items[i]));
    }
    return code == CLI_DONE ? block_preset(adding, preset) : code;
}

static int collect(struct adding *adding)
{
    const struct wish *wish = &adding->wish;
    bool own = wish->url || wish->category || wish->format || wish->match || wish->public_key ||
               wish->insecure;
    if (wish->preset) {
        return add_preset(adding);
    }
    if (own) {
        return add_own(adding);
    }
    const struct listcatalog_list *list = listcatalog_find(adding->world.catalog, wish->id);
    if (list) {
        return add_entry(adding, list);
    }
    if (change_find(adding->world.config, wish->id) >= 0) {
        return cli_fail(adding->change.cli, CLI_FAILED, "%s is there already", wish->id);
    }
    return fail_unknown(adding, wish->id);
}

static const char *category_of(const struct adding *adding, const char *id)
{
    const struct listcatalog_list *list = listcatalog_find(adding->world.catalog, id);
    return list ? list->category : adding->wish.category;
}

/* A list of a category that no group blocks is fetched and does nothing. */
static bool is_blocked_somewhere(const struct adding *adding, const char *category)
{
    const cJSON *word;
    const struct config *config = adding->world.config;
    bool found = false;
    for (size_t i = 0; i < config->group_count && !found; i++) {
        found = holds(&config->groups[i].block, category);
    }
    cJSON_ArrayForEach(word, cJSON_GetObjectItem(adding->change.reply, "now_blocked"))
    {
        found |= strcmp(word->valuestring, category) == 0;
    }
    return found;
}

static void note_idle(struct adding *adding)
{
    const cJSON *id, *word;
    cJSON *idle = cJSON_AddArrayToObject(adding->change.reply, "not_blocked");
    cJSON_ArrayForEach(id, adding->added)
    {
        const char *category = category_of(adding, id->valuestring);
        bool said = is_blocked_somewhere(adding, category);
        cJSON_ArrayForEach(word, idle)
        {
            said |= strcmp(word->valuestring, category) == 0;
        }
        if (!said) {
            cJSON_AddItemToArray(idle, cJSON_CreateString(category));
        }
    }
}

static void print_array(struct cli *cli, const char *what, const cJSON *array)
{
    const cJSON *word;
    if (cJSON_GetArraySize(array) == 0) {
        return;
    }
    fprintf(cli->out, "%s", what);
    cJSON_ArrayForEach(word, array)
    {
        fprintf(cli->out, "%s%s", word == array->child ? " " : ", ", word->valuestring);
    }
    fputc('\n', cli->out);
}

static void print_rules(struct cli *cli, const struct adding *adding)
{
    const cJSON *id;
    cJSON_ArrayForEach(id, adding->added)
    {
        const struct listcatalog_list *list =
            listcatalog_find(adding->world.catalog, id->valuestring);
        if (list && list->rules) {
            fprintf(cli->out, "%s: its publisher asks: %s\n", list->id, list->rules);
        }
    }
}

static void print_next(struct cli *cli, const struct adding *adding)
{
    const cJSON *id;
    int count = cJSON_GetArraySize(adding->added);
    if (count == 0 || adding->change.update) {
        return;
    }
    fprintf(cli->out, "next: `greengate update");
    for (id = count <= 3 ? adding->added->child : NULL; id; id = id->next) {
        fprintf(cli->out, " %s", id->valuestring);
    }
    fprintf(cli->out, "` fetches %s\n", count == 1 ? "it" : "them");
}

static void print_result(struct adding *adding)
{
    char what[128];
    struct cli *cli = adding->change.cli;
    const cJSON *reply = adding->change.reply;
    print_array(cli, "added:", adding->added);
    print_array(cli, "there already:", adding->present);
    snprintf(what, sizeof(what), "group %.64s blocks now too:", cli_text(reply, "group"));
    print_array(cli, what, cJSON_GetObjectItem(reply, "now_blocked"));
    print_array(cli, "no group blocks, so that these lists do nothing yet:",
                cJSON_GetObjectItem(reply, "not_blocked"));
    if (*cli_text(reply, "file")) {
        fprintf(cli->out, "written to %s\n", cli_text(reply, "file"));
    }
    if (*cli_text(reply, "note")) {
        fprintf(cli->out, "%s\n", cli_text(reply, "note"));
    }
    print_rules(cli, adding);
    print_next(cli, adding);
}

/* The ids that were added, as words for `greengate update`; NULL without memory. */
static char **words_of(const cJSON *array)
{
    const cJSON *item;
    size_t count = 0;
    char **words = calloc((size_t)cJSON_GetArraySize(array) + 1, sizeof(*words));
    for (item = words ? array->child : NULL; item; item = item->next) {
        words[count++] = item->valuestring;
    }
    return words;
}

static int apply(struct adding *adding)
{
    struct change *change = &adding->change;
    bool nothing =
        cJSON_GetArraySize(change->sources) == 0 && cJSON_GetArraySize(change->groups) == 0;
    int code = nothing ? CLI_DONE : change_apply(change);
    if (code != CLI_DONE) {
        return code;
    }
    note_idle(adding);
    if (!change->cli->json && !change->cli->quiet) {
        print_result(adding);
    }
    char **ids = words_of(adding->added);
    if (!ids) {
        return cli_fail(change->cli, CLI_FAILED, "out of memory");
    }
    change->update &= ids[0] != NULL;
    code = change_finish(change, ids);
    free(ids);
    return code;
}

static int run(struct cli *cli, struct wish *wish)
{
    struct adding adding = {.wish = *wish};
    int code = lists_open(cli, &adding.world);
    if (code != CLI_DONE) {
        return code;
    }
    change_init(&adding.change, cli, adding.world.config);
    adding.change.update = wish->update;
    adding.added = cJSON_AddArrayToObject(adding.change.reply, "added");
    adding.present = cJSON_AddArrayToObject(adding.change.reply, "present");
    code = collect(&adding);
    if (code == CLI_DONE) {
        code = apply(&adding);
    }
    change_clear(&adding.change);
    lists_close(&adding.world);
    return code;
}

int lists_add(struct cli *cli, int argc, char **argv)
{
    struct wish wish = {0};
    const struct cli_option options[] = {
        {"--url", NULL, &wish.url},
        {"--category", NULL, &wish.category},
        {"--format", NULL, &wish.format},
        {"--match", NULL, &wish.match},
        {"--public-key", NULL, &wish.public_key},
        {"--insecure", &wish.insecure, NULL},
        {"--preset", NULL, &wish.preset},
        {"--group", NULL, &wish.group},
        {"--replace", &wish.replace, NULL},
        {"--update", &wish.update, NULL},
        {NULL, NULL, NULL},
    };
    argv[0] = command;
    int count = cli_options(cli, argc, argv, options);
    if (count < 0) {
        return CLI_USAGE;
    }
    if (count != (wish.preset ? 0 : 1)) {
        return cli_usage(cli, command, "lists add needs one ID, or --preset NAME");
    }
    if (wish.group && !wish.preset) {
        return cli_usage(cli, command, "--group goes with --preset");
    }
    wish.id = argv[1];
    return run(cli, &wish);
}
