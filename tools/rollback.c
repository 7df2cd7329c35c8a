// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "blocklists/generation.h"
#include "blocklists/sync.h"
#include "tools/activate.h"
#include "tools/inforce.h"

/* A generation that was put in force. */
struct returned {
    unsigned number;
    bool pinned;
    uint64_t began_us; /* monotonic */
};

static int say_done(struct cli *cli, const struct returned *returned)
{
    struct diag diag = {0};
    enum activation activation = activate_lists(cli, &diag);
    uint64_t took_us = clock_mono_us(&clock_system) - returned->began_us;
    int code = activation == ACTIVATION_REFUSED ? CLI_FAILED : CLI_DONE;
    if (cli->json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddBoolToObject(json, "ok", code == CLI_DONE);
        cJSON_AddNumberToObject(json, "generation", returned->number);
        cJSON_AddBoolToObject(json, "pinned", returned->pinned);
        cJSON_AddNumberToObject(json, "took_ms", (double)took_us / 1000);
        cJSON_AddStringToObject(json, "daemon", activation_word(activation));
        if (code != CLI_DONE) {
            cJSON_AddStringToObject(json, "error", diag.text);
            cJSON_AddNumberToObject(json, "exit", code);
        }
        return cli_print_json(cli, json) == CLI_DONE ? code : CLI_FAILED;
    }
    if (code != CLI_DONE) {
        return cli_fail_diag(cli, code, &diag);
    }
    if (!cli->quiet) {
        fprintf(cli->out, "generation %u is in force%s\n", returned->number,
                activation == ACTIVATION_NO_DAEMON ? "; no daemon is running" : "");
        fprintf(cli->out, "%s\n",
                returned->pinned ? "it is pinned: updates leave it until `greengate update --force`"
                                 : "it is the newest: updates go on");
    }
    return code;
}

/* 1 when it is pinned now, 0 when it is the newest. */
static int use(const char *state_dir, unsigned number, struct diag *diag)
{
    int err = number ? generation_use(state_dir, number, diag) : -ENOENT;
    if (err == -ENOENT) {
        diag_at(diag, "", 0, 0);
        return inforce_fail_unknown(state_dir, number, diag);
    }
    return err < 0 ? err : generation_pin(state_dir, diag);
}

static int roll_back(struct cli *cli, const struct config *config, unsigned number)
{
    struct diag diag = {0};
    const char *state_dir = config->server.state_dir;
    struct returned returned = {.began_us = clock_mono_us(&clock_system)};
    int lock = sync_lock(state_dir, &diag);
    if (lock < 0) {
        return cli_fail_diag(cli, CLI_FAILED, &diag);
    }
    if (number == 0) {
        int previous = generation_previous(state_dir);
        number = previous > 0 ? (unsigned)previous : 0;
    }
    int pinned = use(state_dir, number, &diag);
    close(lock);
    if (pinned < 0) {
        return cli_fail_diag(cli, CLI_FAILED, &diag);
    }
    returned.number = number;
    returned.pinned = pinned > 0;
    return say_done(cli, &returned);
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
