// SPDX-License-Identifier: Apache-2.0
#include "tools/cli.h"

int cmd_metrics(struct cli *cli, int argc, char **argv)
{
    const struct cli_option options[] = {{NULL, NULL, NULL}};
    int count = cli_options(cli, argc, argv, options);
    if (count != 0) {
        return count < 0 ? CLI_USAGE : cli_usage(cli, "metrics", "no argument is expected");
    }
    cJSON *request = cJSON_CreateObject();
    cJSON *reply = NULL;
    const cJSON *line;
    cJSON_AddStringToObject(request, "command", "metrics");
    int code = cli_ask(cli, request, &reply);
    if (code != CLI_DONE) {
        return code;
    }
    if (cli->json) {
        return cli_print_json(cli, reply);
    }
    cJSON_ArrayForEach(line, cJSON_GetObjectItemCaseSensitive(reply, "lines"))
    {
        fprintf(cli->out, "%s\n", line->valuestring ? line->valuestring : "");
    }
    cJSON_Delete(reply);
    return CLI_DONE;
}
