// SPDX-License-Identifier: Apache-2.0
#include "tools/requested.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/wholefile.h"
#include "config/config.h"
#include "tools/identity.h"
#include "tools/lists.h"

enum { PATH_CAP = 4096, REQUEST_MAX = 64 * 1024, ARGUMENTS_MAX = 260, LINE_MAX_OCTETS = 4096 };

struct requested {
    struct cli *cli;
    char request_path[PATH_CAP], status_path[PATH_CAP];
    cJSON *request, *status;
    char line[LINE_MAX_OCTETS]; /* of progress, as far as it came */
    size_t line_len;
    bool unwritable; /* said once */
};

static void save(struct requested *requested)
{
    char *text = cJSON_PrintUnformatted(requested->status);
    int err = text ? wholefile_save(requested->status_path, text, strlen(text)) : -ENOMEM;
    if (err < 0 && !requested->unwritable) {
        requested->unwritable = true;
        fprintf(requested->cli->err, "greengate: %s: %s\n", requested->status_path, strerror(-err));
    }
    cJSON_free(text);
}

static void put(cJSON *object, const char *key, cJSON *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
    cJSON_AddItemToObject(object, key, value);
}

/* One line of progress of a command with --json: the last one stands in the status. */
static void take_line(struct requested *requested)
{
    cJSON *event = cJSON_ParseWithLength(requested->line, requested->line_len);
    if (cJSON_IsObject(event)) {
        put(requested->status, "progress", event);
        save(requested);
    } else {
        cJSON_Delete(event);
    }
}

static ssize_t take_progress(void *cookie, const char *data, size_t len)
{
    struct requested *requested = cookie;
    for (size_t i = 0; i < len; i++) {
        if (data[i] == '\n') {
            take_line(requested);
            requested->line_len = 0;
        } else if (requested->line_len < sizeof(requested->line)) {
            requested->line[requested->line_len++] = data[i];
        }
    }
    return (ssize_t)len;
}

struct command {
    int (*run)(struct cli *cli, int argc, char **argv);
    char *argv[ARGUMENTS_MAX + 2];
    int argc;
    char number[16];
};

static void add_argument(struct command *command, char *text)
{
    if (command->argc < ARGUMENTS_MAX) {
        command->argv[command->argc++] = text;
    }
}

/* The command that answers the request; the daemon has checked it, and so do the commands. */
static int choose(const struct requested *requested, struct command *command)
{
    static char update[] = "update", rollback[] = "rollback", diff[] = "diff", end[] = "--";
    const char *what = cli_text(requested->request, "what");
    const cJSON *id;
    snprintf(command->number, sizeof(command->number), "%.0f",
             cli_number(requested->request, "generation"));
    if (strcmp(what, "update") == 0) {
        command->run = cmd_update;
        add_argument(command, update);
        add_argument(command, end);
        cJSON_ArrayForEach(id, cJSON_GetObjectItemCaseSensitive(requested->request, "lists"))
        {
            add_argument(command, cJSON_IsString(id) ? id->valuestring : end);
        }
    } else if (strcmp(what, "rollback") == 0) {
        command->run = cmd_rollback;
        add_argument(command, rollback);
        add_argument(command, command->number);
    } else if (strcmp(what, "diff") == 0) {
        command->run = lists_diff;
        add_argument(command, diff);
        add_argument(command, command->number);
    } else {
        return -EINVAL;
    }
    return 0;
}

/* Run it as with --json; its object, NULL when it printed none. */
static cJSON *run_command(struct requested *requested, struct command *command, int *ret_code)
{
    static const cookie_io_functions_t functions = {.write = take_progress};
    char *text = NULL;
    size_t len = 0;
    struct cli inner = *requested->cli;
    cJSON *reply = NULL;
    inner.json = true;
    inner.quiet = false;
    inner.out = open_memstream(&text, &len);
    inner.err = fopencookie(requested, "w", functions);
    if (inner.out && inner.err) {
        setvbuf(inner.err, NULL, _IOLBF, BUFSIZ);
        *ret_code = command->run(&inner, command->argc, command->argv);
    }
    if (inner.err) {
        fclose(inner.err);
    }
    if (inner.out && fclose(inner.out) == 0) {
        reply = cJSON_ParseWithLength(text, len);
    }
    free(text);
    return reply;
}

/* For --json: what the status file holds. Frees it. */
static int print_status(struct requested *requested, int code)
{
    char text[64];
    cJSON *json = requested->status;
    snprintf(text, sizeof(text), "what was asked for failed: exit %d", code);
    cJSON_AddBoolToObject(json, "ok", code == CLI_DONE);
    if (code != CLI_DONE) {
        cJSON_AddStringToObject(json, "error", text);
    }
    int printed = cli_print_json(requested->cli, json);
    return printed == CLI_DONE ? code : printed;
}

static int say_nothing_asked(struct cli *cli)
{
    cJSON *json = cli->json ? cJSON_CreateObject() : NULL;
    if (!json) {
        return CLI_DONE;
    }
    cJSON_AddTrueToObject(json, "ok");
    cJSON_AddStringToObject(json, "note", "nothing was asked for");
    return cli_print_json(cli, json);
}

static int answer(struct requested *requested)
{
    struct command command = {0};
    int code = CLI_FAILED;
    cJSON *result = NULL;
    const char *what = cli_text(requested->request, "what");
    requested->status = cJSON_CreateObject();
    cJSON_AddStringToObject(requested->status, "what", what);
    cJSON_AddStringToObject(requested->status, "state", "running");
    cJSON_AddNumberToObject(requested->status, "pid", getpid());
    cJSON_AddNumberToObject(requested->status, "started_at", (double)time(NULL));
    save(requested);
    if (choose(requested, &command) == 0) {
        result = run_command(requested, &command, &code);
    }
    put(requested->status, "state", cJSON_CreateString(code == CLI_DONE ? "done" : "failed"));
    cJSON_AddNumberToObject(requested->status, "finished_at", (double)time(NULL));
    cJSON_AddNumberToObject(requested->status, "exit", code);
    cJSON_AddItemToObject(requested->status, "result", result ? result : cJSON_CreateObject());
    cJSON_DeleteItemFromObjectCaseSensitive(requested->status, "progress");
    save(requested);
    if (requested->cli->json) {
        return print_status(requested, code);
    }
    cJSON_Delete(requested->status);
    return code;
}

static int run(struct requested *requested)
{
    char *text = NULL;
    size_t len = 0;
    struct cli *cli = requested->cli;
    int err = wholefile_read(requested->request_path, REQUEST_MAX, &text, &len);
    if (err == -ENOENT) {
        return say_nothing_asked(cli);
    }
    if (unlink(requested->request_path) < 0) { /* else we would be started for ever */
        free(text);
        return cli_fail(cli, CLI_FAILED, "%s: %s", requested->request_path, strerror(errno));
    }
    if (err < 0) {
        return cli_fail(cli, CLI_FAILED, "%s: %s", requested->request_path, strerror(-err));
    }
    requested->request = cJSON_ParseWithLength(text, len);
    free(text);
    int code = cJSON_IsObject(requested->request)
                   ? answer(requested)
                   : cli_fail(cli, CLI_FAILED, "%s is no request", requested->request_path);
    cJSON_Delete(requested->request);
    return code;
}

int requested_run(struct cli *cli)
{
    struct requested *requested = calloc(1, sizeof(*requested));
    struct config *config = NULL;
    struct diag diag = {0};
    if (!requested) {
        return cli_fail(cli, CLI_FAILED, "no memory");
    }
    int code = CLI_DONE;
    if (config_load(cli->config_path, &config, &diag) < 0) {
        code = cli_fail_diag(cli, CLI_BAD_CONFIG, &diag);
    } else if (identity_take(config, &diag) < 0) {
        code = cli_fail_diag(cli, CLI_FAILED, &diag);
    } else {
        const char *folder = config->server.state_dir;
        requested->cli = cli;
        snprintf(requested->request_path, PATH_CAP, "%s/update.request", folder);
        snprintf(requested->status_path, PATH_CAP, "%s/update.status", folder);
        code = run(requested);
    }
    config_free(config);
    free(requested);
    return code;
}
