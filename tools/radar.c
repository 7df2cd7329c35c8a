// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "tools/cli.h"

/* The members of a group's row, and what they are called. */
static const char *const columns[] = {"canary", "relay", "doh",     "vpn",   "proxy",
                                      "tor",    "pages", "address", "listed"};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static int print_all(struct cli *cli, const cJSON *reply)
{
    char span[CLI_SPAN_MAX];
    const cJSON *group;
    bool known = cli_flag(reply, "devices_known");
    struct cli_table table = {.headings = {"group", ">canary", ">relay", ">doh", ">vpn", ">proxy",
                                           ">tor", ">pages", ">address", ">listed", ">devices",
                                           ">silent"}};
    cJSON_ArrayForEach(group, cJSON_GetObjectItemCaseSensitive(reply, "groups"))
    {
        cli_table_add(&table, "%s", cli_text(group, "group"));
        for (size_t i = 0; i < COLUMNS; i++) {
            cli_table_add(&table, "%.0f", cli_number(group, columns[i]));
        }
        cli_table_add(&table, known ? "%.0f" : "-", cli_number(group, "devices"));
        cli_table_add(&table, known ? "%.0f" : "-", cli_number(group, "silent"));
    }
    int code = cli_table_print(cli, &table);
    fprintf(cli->out,
            "\nBlocked questions of the last %s. silent: devices on this network that did not ask\n"
            "here in the last half day. pages: translators and caches that show other pages.\n",
            cli_span((int64_t)cli_number(reply, "up_s"), span));
    if (*cli_text(reply, "alert")) {
        fprintf(cli->out, "%sAlert:%s %s.\nWhat helps: docs/firewall.md\n",
                cli_color(cli, CLI_YELLOW), cli_color(cli, CLI_PLAIN), cli_text(reply, "alert"));
    }
    return code;
}

int cmd_radar(struct cli *cli, int argc, char **argv)
{
    const struct cli_option options[] = {{NULL, NULL, NULL}};
    int count = cli_options(cli, argc, argv, options);
    cJSON *reply = NULL;
    if (count != 0) {
        return count < 0 ? CLI_USAGE : cli_usage(cli, "radar", "no argument is expected");
    }
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", "radar");
    int code = cli_ask(cli, request, &reply);
    if (code != CLI_DONE) {
        return code;
    }
    if (cli->json) {
        return cli_print_json(cli, reply);
    }
    code = print_all(cli, reply);
    cJSON_Delete(reply);
    return code;
}
