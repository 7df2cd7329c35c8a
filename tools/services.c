// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include <time.h>

#include "config/keyed.h"
#include "config/known.h"
#include "config/schedule.h"
#include "tools/cli.h"

struct world {
    struct config *config;
    struct known *known;
    cJSON *schedule; /* what the daemon says is in force, NULL without one */
};

static const char *label_of(const struct known_item *item)
{
    return catalog_text_in(item->labels, item->label_count, "en");
}

static bool has_text(const struct text_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], text) == 0) {
            return true;
        }
    }
    return false;
}

/* Is the word among those, joined by commas, of a key of a row? */
static bool row_names(const char *row, const char *key, const char *id)
{
    char words[KEYED_MAX];
    keyed_get(row, key, words, sizeof(words));
    for (char *save = NULL, *word = strtok_r(words, ",", &save); word;
         word = strtok_r(NULL, ",", &save)) {
        if (strcmp(word, id) == 0) {
            return true;
        }
    }
    return false;
}

/* As the files say, without a daemon: what a row allows takes back what others block. */
static bool off_by_files(const struct world *world, const struct config_group *group,
                         const char *id)
{
    struct schedule_moment now;
    struct schedule_row row;
    bool off = has_text(&group->services, id), allowed = false;
    schedule_moment_of(time(NULL), &now);
    for (size_t i = 0; i < group->schedule.count; i++) {
        const char *text = group->schedule.items[i];
        if (!schedule_read(text, world->config, &row) && schedule_covers(&row, &now)) {
            off |= row_names(text, "services", id) || row_names(text, "block", id);
            allowed |= row_names(text, "allow", id);
        }
    }
    return off && !allowed;
}

static bool off_now(const struct world *world, const struct config_group *group, const char *id)
{
    const cJSON *state, *service;
    cJSON_ArrayForEach(state, cJSON_GetObjectItemCaseSensitive(world->schedule, "groups"))
    {
        if (strcmp(cli_text(state, "group"), group->name) != 0) {
            continue;
        }
        cJSON_ArrayForEach(service, cJSON_GetObjectItemCaseSensitive(state, "services"))
        {
            if (strcmp(service->valuestring, id) == 0) {
                return !cli_flag(state, "paused");
            }
        }
        return false;
    }
    return off_by_files(world, group, id);
}

/* The groups that switch the service off now, as "a, b by schedule". */
static void list_groups(const struct world *world, const char *id, char *out, size_t cap)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < world->config->group_count && len < cap; i++) {
        const struct config_group *group = &world->config->groups[i];
        bool always = has_text(&group->services, id), now = off_now(world, group, id);
        if (always || now) {
            len += (size_t)snprintf(out + len, cap - len, "%s%s%s", len ? ", " : "", group->name,
                                    !now      ? " (not now)"
                                    : !always ? " by schedule"
                                              : "");
        }
    }
}

static cJSON *item_json(const struct world *world, const struct known_item *item)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "id", item->id);
    cJSON *names = cJSON_AddObjectToObject(json, "names");
    for (size_t i = 0; i < item->label_count; i++) {
        cJSON_AddStringToObject(names, item->labels[i].language, item->labels[i].text);
    }
    cJSON *domains = cJSON_AddArrayToObject(json, "domains");
    for (size_t i = 0; i < item->domains.count; i++) {
        cJSON_AddItemToArray(domains, cJSON_CreateString(item->domains.items[i]));
    }
    cJSON *groups = cJSON_AddArrayToObject(json, "groups");
    cJSON *now = cJSON_AddArrayToObject(json, "off_now");
    for (size_t i = 0; i < world->config->group_count; i++) {
        const struct config_group *group = &world->config->groups[i];
        if (has_text(&group->services, item->id)) {
            cJSON_AddItemToArray(groups, cJSON_CreateString(group->name));
        }
        if (off_now(world, group, item->id)) {
            cJSON_AddItemToArray(now, cJSON_CreateString(group->name));
        }
    }
    cJSON_AddStringToObject(json, "source", item->source);
    cJSON_AddStringToObject(json, "date", item->date);
    return json;
}

static int show_all(struct cli *cli, const struct world *world)
{
    const size_t *first = world->known->first;
    if (cli->json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddTrueToObject(json, "ok");
        cJSON *services = cJSON_AddArrayToObject(json, "services");
        for (size_t i = first[KNOWN_SERVICE]; i < first[KNOWN_SERVICE + 1]; i++) {
            cJSON_AddItemToArray(services, item_json(world, &world->known->items[i]));
        }
        return cli_print_json(cli, json);
    }
    struct cli_table table = {.headings = {"service", "name", ">domains", "off now for"}};
    for (size_t i = first[KNOWN_SERVICE]; i < first[KNOWN_SERVICE + 1]; i++) {
        const struct known_item *item = &world->known->items[i];
        char groups[256];
        list_groups(world, item->id, groups, sizeof(groups));
        cli_table_add(&table, "%s", item->id);
        cli_table_add(&table, "%s", label_of(item));
        cli_table_add(&table, "%zu", item->domains.count);
        cli_table_add(&table, "%s", groups);
    }
    return cli_table_print(cli, &table);
}

static int show_one(struct cli *cli, const struct world *world, const char *id)
{
    int at = known_find(world->known, KNOWN_SERVICE, id);
    if (at < 0) {
        return cli_fail(cli, CLI_USAGE, "no service is named %.63s; see `greengate services`", id);
    }
    const struct known_item *item = &world->known->items[at];
    if (cli->json) {
        cJSON *json = item_json(world, item);
        cJSON_AddTrueToObject(json, "ok");
        return cli_print_json(cli, json);
    }
    char groups[256];
    list_groups(world, item->id, groups, sizeof(groups));
    fprintf(cli->out, "%s: %s, off now for: %s\n", item->id, label_of(item),
            *groups ? groups : "no group");
    for (size_t i = 0; i < item->domains.count; i++) {
        fprintf(cli->out, "  %s\n", item->domains.items[i]);
    }
    fprintf(cli->out, "from %s (%s); all below these names too\n", item->source, item->date);
    return CLI_DONE;
}

static cJSON *ask_schedule(struct cli *cli)
{
    cJSON *reply = NULL, *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", "schedule");
    return cli_try_ask(cli, request, &reply, NULL) == 0 ? reply : NULL;
}

int cmd_services(struct cli *cli, int argc, char **argv)
{
    struct world world = {0};
    struct diag diag = {0};
    bool one = argc == 3 && strcmp(argv[1], "show") == 0;
    if (argc != 1 && !one) {
        return cli_usage(cli, "services", "nothing, or show ID, is expected");
    }
    if (config_load(cli->config_path, &world.config, &diag) < 0) {
        return cli_fail_diag(cli, CLI_BAD_CONFIG, &diag);
    }
    int code;
    if (known_load(world.config->server.data_dir, &world.known) < 0) {
        code = cli_fail(cli, CLI_FAILED, "no memory");
    } else if (world.known->missing[KNOWN_SERVICE]) {
        code = cli_fail_diag(cli, CLI_FAILED, &world.known->diag);
    } else {
        world.schedule = ask_schedule(cli);
        code = one ? show_one(cli, &world, argv[2]) : show_all(cli, &world);
    }
    cJSON_Delete(world.schedule);
    known_free(world.known);
    config_free(world.config);
    return code;
}
