// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "config/config.h"
#include "config/nearest.h"
#include "config/origins.h"
#include "tools/catalog.h"
#include "tools/change.h"

static char command[] = "lists";

/* The list that is meant, in the configuration in force and in the administrator's files. */
struct meant {
    struct cli *cli;
    struct config *config, *own;
    const char *id;
    size_t at;  /* in config */
    int own_at; /* in own; -ENOENT: only managed.yaml has it */
};

static int fail_unknown(const struct meant *meant)
{
    struct nearest nearest;
    nearest_init(&nearest, meant->id);
    for (size_t i = 0; i < meant->config->source_count; i++) {
        nearest_offer(&nearest, meant->config->sources[i].id);
    }
    return cli_fail(meant->cli, CLI_FAILED, "no list is called %.63s%s%s%s", meant->id,
                    nearest.best ? "; did you mean " : ": `greengate lists` shows them",
                    nearest.best ? nearest.best : "", nearest.best ? "?" : "");
}

static int open_meant(struct meant *meant)
{
    struct diag diag = {0};
    if (config_load(meant->cli->config_path, &meant->config, &diag) < 0 ||
        config_load_with(meant->cli->config_path, NULL, &meant->own, &diag) < 0) {
        return cli_fail_diag(meant->cli, CLI_BAD_CONFIG, &diag);
    }
    lists_warn_hidden(meant->cli, meant->config);
    int at = change_find(meant->config, meant->id);
    if (at < 0) {
        return fail_unknown(meant);
    }
    meant->at = (size_t)at;
    meant->own_at = change_find(meant->own, meant->id);
    return CLI_DONE;
}

static void close_meant(struct meant *meant)
{
    config_free(meant->config);
    config_free(meant->own);
}

static const struct origin *place_of(const struct meant *meant)
{
    return origins_find(meant->own, &setting_source, (size_t)meant->own_at, setting_source.rows);
}

static void print_done(struct change *change, const char *what, const char *next)
{
    struct cli *cli = change->cli;
    if (cli->json || cli->quiet) {
        return;
    }
    fprintf(cli->out, "%s\n", what);
    if (*cli_text(change->reply, "note")) {
        fprintf(cli->out, "%s\n", cli_text(change->reply, "note"));
    }
    if (!change->update) {
        fprintf(cli->out, "next: %s\n", next);
    }
}

/* The change is ready: have it written, say so, and update if that was asked for. */
static int carry_out(struct change *change, const char *what, const char *next, char **ids)
{
    int code = change_apply(change);
    if (code == CLI_DONE) {
        print_done(change, what, next);
        code = change_finish(change, ids);
    }
    return code;
}

/* What is left to do when the list no longer counts. */
static const char *next_without(const struct meant *meant)
{
    bool others = false;
    for (size_t i = 0; i < meant->config->source_count; i++) {
        others |= i != meant->at && meant->config->sources[i].enabled;
    }
    return others ? "`greengate update` compiles the others; until then it stays in force"
                  : "add another list; it was the last, and stays in force until one is compiled";
}

static int remove_list(const struct meant *meant, struct change *change)
{
    char what[512];
    if (!change_is_managed(meant->config, meant->at)) {
        const struct origin *origin = place_of(meant);
        return cli_fail(meant->cli, CLI_FAILED,
                        "%s stands in %.200s:%u: take it out there, or `greengate lists disable "
                        "%s` switches it off",
                        meant->id, origin->file, origin->line, meant->id);
    }
    cJSON_AddItemToArray(change->remove, cJSON_CreateString(meant->id));
    cJSON_AddStringToObject(change->reply, "removed", meant->id);
    if (meant->own_at >= 0) {
        const struct origin *origin = place_of(meant);
        snprintf(what, sizeof(what),
                 "what commands said of %s is removed; the list stays, for it stands in %.200s:%u",
                 meant->id, origin->file, origin->line);
        return carry_out(change, what, "`greengate update` compiles the lists as they are now",
                         NULL);
    }
    snprintf(what, sizeof(what), "removed: %s", meant->id);
    return carry_out(change, what, next_without(meant), NULL);
}

static int say_so_already(const struct meant *meant, struct change *change, bool enabled)
{
    cJSON_AddBoolToObject(change->reply, "enabled", enabled);
    if (!meant->cli->json && !meant->cli->quiet) {
        fprintf(meant->cli->out, "%s is %s already\n", meant->id, enabled ? "enabled" : "disabled");
    }
    change->update = false;
    return change_finish(change, NULL);
}

/* An override that says what the administrator's file says anyway is taken away. */
static int switch_list(const struct meant *meant, struct change *change, bool enabled)
{
    char what[128], next[160];
    char *ids[] = {enabled ? (char *)meant->id : NULL, NULL};
    if (meant->config->sources[meant->at].enabled == enabled) {
        return say_so_already(meant, change, enabled);
    }
    cJSON *source = change_source(change, meant->id);
    if (meant->own_at >= 0 && meant->own->sources[meant->own_at].enabled == enabled) {
        cJSON_AddNullToObject(source, "enabled");
    } else {
        cJSON_AddBoolToObject(source, "enabled", enabled);
    }
    cJSON_AddStringToObject(change->reply, "id", meant->id);
    cJSON_AddBoolToObject(change->reply, "enabled", enabled);
    snprintf(what, sizeof(what), "%s: %.63s", enabled ? "enabled" : "disabled", meant->id);
    snprintf(next, sizeof(next), "`greengate update %.63s` fetches it", meant->id);
    return carry_out(change, what, enabled ? next : next_without(meant), enabled ? ids : NULL);
}

enum verb { REMOVE, ENABLE, DISABLE };

static int run(struct cli *cli, int argc, char **argv, enum verb verb)
{
    bool update = false;
    const struct cli_option options[] = {{"--update", &update, NULL}, {NULL, NULL, NULL}};
    const char *const texts[] = {"lists remove needs one ID", "lists enable needs one ID",
                                 "lists disable needs one ID"};
    struct change change;
    argv[0] = command;
    int count = cli_options(cli, argc, argv, options);
    if (count != 1) {
        return count < 0 ? CLI_USAGE : cli_usage(cli, command, texts[verb]);
    }
    struct meant meant = {.cli = cli, .id = argv[1]};
    int code = open_meant(&meant);
    if (code == CLI_DONE) {
        change_init(&change, cli, meant.config);
        change.update = update;
        code = verb == REMOVE ? remove_list(&meant, &change)
                              : switch_list(&meant, &change, verb == ENABLE);
        change_clear(&change);
    }
    close_meant(&meant);
    return code;
}

int lists_remove(struct cli *cli, int argc, char **argv)
{
    return run(cli, argc, argv, REMOVE);
}

int lists_enable(struct cli *cli, int argc, char **argv)
{
    return run(cli, argc, argv, ENABLE);
}

int lists_disable(struct cli *cli, int argc, char **argv)
{
    return run(cli, argc, argv, DISABLE);
}
