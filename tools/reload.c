// SPDX-License-Identifier: Apache-2.0
#include "tools/cli.h"

int cmd_reload(struct cli *cli, int argc, char **argv)
{
    const struct cli_option options[] = {{NULL, NULL, NULL}};
    int count = cli_options(cli, argc, argv, options);
    if (count != 0) {
        return count < 0 ? CLI_USAGE : cli_usage(cli, "reload", "no argument is expected");
    }
    cJSON *request = cJSON_CreateObject();
    cJSON *reply = NULL;
    cJSON_AddStringToObject(request, "command", "reload");
    int code = cli_ask(cli, request, &reply);
    if (code != CLI_DONE) {
        return code;
    }
    if (cli->json) {
        return cli_print_json(cli, reply);
    }
    if (!cli->quiet) {
        fprintf(cli->out, "reloaded%s\n",
                cli_flag(reply, "protected")
                    ? ""
                    : "; there is no list database yet: `greengate update`");
        if (*cli_text(reply, "note")) {
            fprintf(cli->out, "%s\n", cli_text(reply, "note"));
        }
    }
    cJSON_Delete(reply);
    return CLI_DONE;
}
