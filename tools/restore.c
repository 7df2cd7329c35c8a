// SPDX-License-Identifier: Apache-2.0
#include "tools/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config/yaml.h"
#include "tools/cli.h"
#include "tools/restore_check.h"

struct restoring {
    struct cli *cli;
    const char *path;
    bool stats, check_only;
    char staging[PATH_MAX], aside[PATH_MAX];
    struct backup_names found, all; /* of the backup; and of what is there */
    cJSON *manifest;
    struct config *config; /* the one that is restored */
    struct backup_place place;
};

/* Beside the configuration: nobody but who may write there can look into it. */
static int name_folders(struct restoring *restoring)
{
    const char *config = restoring->cli->config_path;
    const char *slash = strrchr(config, '/');
    int folder = slash ? (int)(slash - config) + 1 : 0;
    char when[32];
    time_t now = time(NULL);
    struct tm tm;
    localtime_r(&now, &tm);
    strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm);
    int a = snprintf(restoring->staging, PATH_MAX, "%.*srestoring-%s-%d", folder, config, when,
                     (int)getpid());
    int b = snprintf(restoring->aside, PATH_MAX, "%.*sbefore-restore-%s", folder, config, when);
    for (int again = 2; b < PATH_MAX && access(restoring->aside, F_OK) == 0; again++) {
        b = snprintf(restoring->aside, PATH_MAX, "%.*sbefore-restore-%s-%d", folder, config, when,
                     again);
    }
    return a < PATH_MAX && b < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int fail_folder(struct restoring *restoring, const char *folder, int err)
{
    return cli_fail(restoring->cli, CLI_FAILED, "%s: %s", folder, strerror(-err));
}

static int stage(struct restoring *restoring)
{
    struct diag diag = {0};
    struct restore_check check = {
        .path = restoring->path, .folder = restoring->staging, .names = &restoring->found};
    int err = name_folders(restoring);
    err = err < 0 ? err : restore_make_folders(restoring->staging);
    if (err < 0) {
        return fail_folder(restoring, restoring->staging, err);
    }
    if (restore_check_file(&check, &restoring->manifest, &diag) < 0) {
        return cli_fail_diag(restoring->cli, CLI_FAILED, &diag);
    }
    if (restore_check_set(restoring->staging, &restoring->config, &diag) < 0) {
        return cli_fail_diag(restoring->cli, CLI_BAD_CONFIG, &diag);
    }
    return CLI_DONE;
}

/* Statistics of the backup are taken when that was said; else they are not there. */
static void choose(struct restoring *restoring)
{
    char path[PATH_MAX];
    struct backup_names *found = &restoring->found;
    for (size_t i = 0; !restoring->stats && i < found->count; i++) {
        if (strcmp(found->items[i], BACKUP_STATS) == 0 &&
            restore_path(restoring->staging, BACKUP_STATS, path) == 0) {
            unlink(path);
            memmove(found->items[i], found->items[--found->count], BACKUP_NAME_MAX);
        }
    }
}

/* The set that is in force now comes back; what cannot is said. */
static void put_back(struct restoring *restoring)
{
    struct diag diag = {0};
    const struct restore_set old = {restoring->aside, &restoring->place, &restoring->all};
    if (restore_install(&old, &diag) < 0) {
        fprintf(restoring->cli->err,
                "greengate: the set before could not be put back (%s); it is in %s\n", diag.text,
                restoring->aside);
    }
}

enum daemon_says { DAEMON_RELOADED, DAEMON_ABSENT, DAEMON_REFUSED };

static enum daemon_says reload(struct cli *cli, struct diag *diag, char note[DIAG_TEXT_MAX])
{
    cJSON *reply = NULL;
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", "reload");
    if (cli_try_ask(cli, request, &reply, diag) < 0) {
        return DAEMON_ABSENT;
    }
    bool ok = cli_flag(reply, "ok");
    diag_set(diag, 0, "%s", cli_text(reply, "error"));
    snprintf(note, DIAG_TEXT_MAX, "%s", cli_text(reply, "note"));
    cJSON_Delete(reply);
    return ok ? DAEMON_RELOADED : DAEMON_REFUSED;
}

static int report(struct restoring *restoring, enum daemon_says says, const char *note)
{
    struct cli *cli = restoring->cli;
    if (cli->json) {
        cJSON *json = cJSON_CreateObject();
        cJSON *files = NULL;
        cJSON_AddTrueToObject(json, "ok");
        cJSON_AddStringToObject(json, "aside", restoring->check_only ? "" : restoring->aside);
        cJSON_AddStringToObject(json, "daemon",
                                restoring->check_only     ? "not asked"
                                : says == DAEMON_RELOADED ? "reloaded"
                                                          : "no daemon");
        cJSON_AddStringToObject(json, "note", note);
        files = cJSON_AddArrayToObject(json, "files");
        for (size_t i = 0; i < restoring->found.count; i++) {
            cJSON_AddItemToArray(files, cJSON_CreateString(restoring->found.items[i]));
        }
        return cli_print_json(cli, json);
    }
    fprintf(cli->out, "%s: %zu file%s of greengate %s, whole and valid\n", restoring->path,
            restoring->found.count, cli_plural(restoring->found.count),
            cli_text(restoring->manifest, "version"));
    if (!restoring->check_only) {
        fprintf(cli->out, "Restored. The set before is in %s.\n%s%s%s", restoring->aside,
                says == DAEMON_RELOADED ? "The daemon follows it now.\n"
                                        : "No daemon runs: it will follow it when it starts.\n",
                note, *note ? "\n" : "");
        fprintf(cli->out, "Lists are not in a backup: greengate update\n");
    }
    return CLI_DONE;
}

static int install(struct restoring *restoring)
{
    struct cli *cli = restoring->cli;
    struct diag diag = {0};
    char note[DIAG_TEXT_MAX] = "";
    const struct restore_set old = {restoring->aside, &restoring->place, &restoring->all};
    const struct restore_set set = {restoring->staging, &restoring->place, &restoring->all};
    int err = restore_make_folders(restoring->aside);
    if (err < 0) {
        return fail_folder(restoring, restoring->aside, err);
    }
    if (restore_set_aside(&old, &diag) < 0) {
        restore_remove_folders(restoring->aside);
        return cli_fail_diag(cli, CLI_FAILED, &diag);
    }
    if (restore_install(&set, &diag) < 0) {
        put_back(restoring);
        return cli_fail(cli, CLI_FAILED, "nothing is changed: %s", diag.text);
    }
    enum daemon_says says = reload(cli, &diag, note);
    if (says == DAEMON_REFUSED) {
        struct diag ignored = {0};
        char other[DIAG_TEXT_MAX];
        put_back(restoring);
        (void)reload(cli, &ignored, other);
        return cli_fail(cli, CLI_FAILED, "the daemon refused it, and the set before is back: %s",
                        diag.text);
    }
    return report(restoring, says, note);
}

static int run(struct restoring *restoring)
{
    struct diag diag = {0};
    const char *config_path = restoring->cli->config_path;
    if (!restoring->check_only && cli_is_link(config_path)) {
        return cli_fail(restoring->cli, CLI_FAILED, CLI_LINK_TEXT, config_path);
    }
    int code = stage(restoring);
    if (code != CLI_DONE) {
        return code;
    }
    choose(restoring);
    restoring->place =
        (struct backup_place){restoring->cli->config_path, restoring->config->server.state_dir};
    if (restoring->check_only) {
        return report(restoring, DAEMON_ABSENT, "");
    }
    if (restore_check_folders(restoring->config, &diag) < 0) {
        return cli_fail_diag(restoring->cli, CLI_FAILED, &diag);
    }
    if (backup_list(&restoring->place, restoring->stats, &restoring->all, &diag) < 0) {
        return cli_fail_diag(restoring->cli, CLI_FAILED, &diag);
    }
    for (size_t i = 0; i < restoring->found.count; i++) {
        if (restoring->all.count == BACKUP_FILES_MAX) {
            return cli_fail(restoring->cli, CLI_FAILED, "there are too many files in conf.d");
        }
        backup_add(&restoring->all, restoring->found.items[i]);
    }
    return install(restoring);
}

int cmd_restore(struct cli *cli, int argc, char **argv)
{
    struct restoring *restoring = calloc(1, sizeof(*restoring));
    if (!restoring) {
        return cli_fail(cli, CLI_FAILED, "no memory");
    }
    const struct cli_option options[] = {{"--stats", &restoring->stats, NULL},
                                         {"--check", &restoring->check_only, NULL},
                                         {NULL, NULL, NULL}};
    int count = cli_options(cli, argc, argv, options);
    int code = count < 0    ? CLI_USAGE
               : count != 1 ? cli_usage(cli, "restore", "a file is needed")
                            : CLI_DONE;
    if (code == CLI_DONE) {
        restoring->cli = cli;
        restoring->path = argv[1];
        code = run(restoring);
        if (*restoring->staging) {
            restore_remove_folders(restoring->staging);
        }
    }
    cJSON_Delete(restoring->manifest);
    config_free(restoring->config);
    free(restoring);
    return code;
}
