// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "tools/cli.h"

enum { LINE_MAX = 1100, LINE_ON_SCREEN = 48 };

/* As many texts as fit into a line, "a, b", and always one; *item is moved behind them. */
static void take_line(const cJSON **item, size_t width, char out[LINE_MAX])
{
    size_t len = 0;
    out[0] = '\0';
    while (*item) {
        const char *text = cJSON_GetStringValue(*item);
        text = text ? text : "";
        if (len && len + strlen(text) + 3 > width) {
            break;
        }
        int wrote = snprintf(out + len, LINE_MAX - len, "%s%s%s", len ? " " : "", text,
                             (*item)->next ? "," : "");
        len += wrote > 0 ? (size_t)wrote : 0;
        *item = (*item)->next;
    }
}

/* A row for the group, and further ones for what does not fit on a screen. */
static void add_group(const struct cli *cli, struct cli_table *table, const cJSON *group)
{
    const cJSON *clients = cJSON_GetObjectItemCaseSensitive(group, "clients");
    const cJSON *blocks = cJSON_GetObjectItemCaseSensitive(group, "block");
    const cJSON *client = clients ? clients->child : NULL, *block = blocks ? blocks->child : NULL;
    const size_t width = cli_is_terminal(cli) ? LINE_ON_SCREEN : LINE_MAX - 80;
    char text[LINE_MAX];
    cli_table_add(table, "%s", cli_text(group, "name"));
    take_line(&client, width, text);
    cli_table_add(table, "%s", *text ? text : "all others");
    cli_table_add(table, "%.0f", cli_number(group, "addresses"));
    take_line(&block, width, text);
    cli_table_add(table, "%s", *text ? text : "-");
    while (client || block) {
        cli_table_add(table, "%s", "");
        take_line(&client, width, text);
        cli_table_add(table, "%s", text);
        cli_table_add(table, "%s", "");
        take_line(&block, width, text);
        cli_table_add(table, "%s", text);
    }
}

static int print_groups(struct cli *cli, const cJSON *reply)
{
    const cJSON *group;
    struct cli_table table = {.headings = {"group", "clients", ">addresses now", "blocks"}};
    cJSON_ArrayForEach(group, cJSON_GetObjectItemCaseSensitive(reply, "groups"))
    {
        add_group(cli, &table, group);
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
