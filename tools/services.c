// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "config/known.h"
#include "tools/cli.h"

struct world {
    struct config *config;
    struct known *known;
};

static const char *label_of(const struct known_item *item)
{
    return catalog_text_in(item->labels, item->label_count, "en");
}

/* The groups that switch the service off at all times, as "a, b". */
static void list_groups(const struct config *config, const char *id, char *out, size_t cap)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < config->group_count; i++) {
        const struct text_list *services = &config->groups[i].services;
        for (size_t k = 0; k < services->count && len < cap; k++) {
            if (strcmp(services->items[k], id) == 0) {
                len += (size_t)snprintf(out + len, cap - len, "%s%s", len ? ", " : "",
                                        config->groups[i].name);
            }
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
    for (size_t i = 0; i < world->config->group_count; i++) {
        const struct config_group *group = &world->config->groups[i];
        for (size_t k = 0; k < group->services.count; k++) {
            if (strcmp(group->services.items[k], item->id) == 0) {
                cJSON_AddItemToArray(groups, cJSON_CreateString(group->name));
            }
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
    struct cli_table table = {.headings = {"service", "name", ">domains", "off for"}};
    for (size_t i = first[KNOWN_SERVICE]; i < first[KNOWN_SERVICE + 1]; i++) {
        const struct known_item *item = &world->known->items[i];
        char groups[256];
        list_groups(world->config, item->id, groups, sizeof(groups));
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
    list_groups(world->config, item->id, groups, sizeof(groups));
    fprintf(cli->out, "%s: %s, off for: %s\n", item->id, label_of(item),
            *groups ? groups : "no group");
    for (size_t i = 0; i < item->domains.count; i++) {
        fprintf(cli->out, "  %s\n", item->domains.items[i]);
    }
    fprintf(cli->out, "from %s (%s); all below these names too\n", item->source, item->date);
    return CLI_DONE;
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
        code = one ? show_one(cli, &world, argv[2]) : show_all(cli, &world);
    }
    known_free(world.known);
    config_free(world.config);
    return code;
}
