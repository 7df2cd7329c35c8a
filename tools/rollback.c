// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blocklists/generation.h"
#include "blocklists/sync.h"
#include "tools/activate.h"

static int say_done(struct cli *cli, unsigned number)
{
    struct diag diag = {0};
    enum activation activation = activate_lists(cli, &diag);
    int code = activation == ACTIVATION_REFUSED ? CLI_FAILED : CLI_DONE;
    if (cli->json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddBoolToObject(json, "ok", code == CLI_DONE);
        cJSON_AddNumberToObject(json, "generation", number);
        cJSON_AddStringToObject(json, "daemon", activation_word(activation));
        return cli_print_json(cli, json) == CLI_DONE ? code : CLI_FAILED;
    }
    if (code != CLI_DONE) {
        return cli_fail_diag(cli, code, &diag);
    }
    if (!cli->quiet) {
        fprintf(cli->out, "generation %u is in force%s\n", number,
                activation == ACTIVATION_NO_DAEMON ? "; no daemon is running" : "");
    }
    return code;
}

static int roll_back(struct cli *cli, const struct config *config, unsigned number)
{
    struct diag diag = {0};
    const char *state_dir = config->server.state_dir;
    int lock = sync_lock(state_dir, &diag);
    if (lock < 0) {
        return cli_fail_diag(cli, CLI_FAILED, &diag);
    }
    if (number == 0) {
        int previous = generation_previous(state_dir);
        number = previous > 0 ? (unsigned)previous : 0;
    }
    int err = number ? generation_use(state_dir, number, &diag)
                     : diag_set(&diag, -ENOENT, "there is no older generation to go back to");
    close(lock);
    if (err < 0) {
        return cli_fail_diag(cli, CLI_FAILED, &diag);
    }
    return say_done(cli, number);
}

int cmd_rollback(struct cli *cli, int argc, char **argv)
{
    const struct cli_option table[] = {{NULL, NULL, NULL}};
    struct diag diag = {0};
    struct config *config = NULL;
    unsigned number = 0;
    int count = cli_options(cli, argc, argv, table);
    if (count < 0) {
        return CLI_USAGE;
    }
    if (count == 1 && strlen(argv[1]) <= 6 && strspn(argv[1], "0123456789") == strlen(argv[1])) {
        number = (unsigned)strtoul(argv[1], NULL, 10);
    }
    if (count > 1 || (count == 1 && number == 0)) {
        return cli_usage(cli, "rollback",
                         "a generation is a number of `greengate lists generations`");
    }
    if (config_load(cli->config_path, &config, &diag) < 0) {
        return cli_fail_diag(cli, CLI_BAD_CONFIG, &diag);
    }
    int code = roll_back(cli, config, number);
    config_free(config);
    return code;
}
