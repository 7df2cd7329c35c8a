// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "tools/cli.h"

/* The texts of an array as "a, b"; at most `cap` octets. */
static void join(const cJSON *array, char *out, size_t cap)
{
    const cJSON *item;
    size_t len = 0;
    out[0] = '\0';
    cJSON_ArrayForEach(item, array)
    {
        const char *text = item->valuestring ? item->valuestring : "";
        bool fits = len + strlen(text) + 8 < cap;
        if (!fits) {
            snprintf(out + len, cap - len, ", ...");
            return;
        }
        len += (size_t)snprintf(out + len, cap - len, "%s%s", len ? ", " : "", text);
    }
}

static int print_groups(struct cli *cli, const cJSON *reply)
{
    const cJSON *group;
    char text[96];
    struct cli_table table = {.headings = {"group", "clients", ">addresses now", "blocks"}};
    cJSON_ArrayForEach(group, cJSON_GetObjectItemCaseSensitive(reply, "groups"))
    {
        const cJSON *clients = cJSON_GetObjectItemCaseSensitive(group, "clients");
        cli_table_add(&table, "%s", cli_text(group, "name"));
        join(clients, text, sizeof(text));
        cli_table_add(&table, "%s", cJSON_GetArraySize(clients) ? text : "all others");
        cli_table_add(&table, "%.0f", cli_number(group, "addresses"));
        join(cJSON_GetObjectItemCaseSensitive(group, "block"), text, sizeof(text));
        cli_table_add(&table, "%s", *text ? text : "-");
    }
    int code = cli_table_print(cli, &table);
    fprintf(cli->out, "\n\"addresses now\" are those of devices that are known by MAC or host.\n");
    return code;
}

static void print_client(struct cli *cli, const cJSON *reply)
{
    static const struct {
        const char *by, *text;
    } words[] = {
        {"subnet", "by its address"},        {"mac", "by its MAC"},
        {"host", "by its host's name"},      {"id", "by its id"},
        {"rest", "since no group names it"},
    };
    const char *why = "";
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        why = strcmp(words[i].by, cli_text(reply, "by")) == 0 ? words[i].text : why;
    }
    fprintf(cli->out, "%s is in group %s, %s\n", cli_text(reply, "client"),
            cli_text(reply, "group"), why);
}

int cmd_groups(struct cli *cli, int argc, char **argv)
{
    const char *client = NULL;
    const struct cli_option options[] = {{"--client", NULL, &client}, {NULL, NULL, NULL}};
    int count = cli_options(cli, argc, argv, options);
    cJSON *reply = NULL;
    if (count != 0) {
        return count < 0 ? CLI_USAGE : cli_usage(cli, "groups", "no argument is expected");
    }
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", "groups");
    if (client) {
        cJSON_AddStringToObject(request, "client", client);
    }
    int code = cli_ask(cli, request, &reply);
    if (code != CLI_DONE) {
        return code;
    }
    if (cli->json) {
        return cli_print_json(cli, reply);
    }
    if (client) {
        print_client(cli, reply);
    } else {
        code = print_groups(cli, reply);
    }
    cJSON_Delete(reply);
    return code;
}
