// SPDX-License-Identifier: Apache-2.0
#include "tools/change.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config/managed.h"
#include "config/origins.h"
#include "store/audit.h"
#include "tools/activate.h"
#include "tools/identity.h"

enum { WORDS_MAX = 260, REMOVALS_MAX = 256 };

void change_init(struct change *change, struct cli *cli, const struct config *config)
{
    *change = (struct change){
        .cli = cli,
        .config = config,
        .sources = cJSON_CreateArray(),
        .groups = cJSON_CreateArray(),
        .remove = cJSON_CreateArray(),
        .reply = cJSON_CreateObject(),
    };
    cJSON_AddTrueToObject(change->reply, "ok");
}

void change_clear(struct change *change)
{
    cJSON_Delete(change->sources);
    cJSON_Delete(change->groups);
    cJSON_Delete(change->remove);
    cJSON_Delete(change->reply);
}

cJSON *change_source(struct change *change, const char *id)
{
    cJSON *source = cJSON_CreateObject();
    cJSON_AddStringToObject(source, "id", id);
    cJSON_AddItemToArray(change->sources, source);
    return source;
}

/* {"lists": {"sources": [...]}, "groups": [...]}, without what is empty. */
static cJSON *put_json(const struct change *change)
{
    cJSON *put = cJSON_CreateObject();
    if (cJSON_GetArraySize(change->sources) > 0) {
        cJSON *lists = cJSON_AddObjectToObject(put, "lists");
        cJSON_AddItemToObject(lists, "sources", cJSON_Duplicate(change->sources, true));
    }
    if (cJSON_GetArraySize(change->groups) > 0) {
        cJSON_AddItemToObject(put, "groups", cJSON_Duplicate(change->groups, true));
    }
    return put;
}

/* No daemon runs that would write it. What fails is told, and undoes nothing. */
static void audit_here(const struct change *change, int64_t uid, const char *put)
{
    char path[PATH_MAX];
    struct audit_log *log = NULL;
    cJSON *details = cJSON_CreateObject();
    cJSON_AddItemToObject(details, "put", cJSON_Parse(put));
    cJSON_AddItemToObject(details, "remove", cJSON_Duplicate(change->remove, true));
    char *text = cJSON_PrintUnformatted(details);
    const struct audit_entry entry = {(int64_t)time(NULL), uid, "change", text ? text : "{}"};
    snprintf(path, sizeof(path), "%s/audit.log", change->config->server.state_dir);
    if (audit_open(path, &log) < 0 || audit_add(log, &entry) < 0) {
        fprintf(change->cli->err, "greengate: %s: %s\n", path,
                log ? audit_trouble(log) : "no memory");
    }
    audit_close(log);
    cJSON_free(text);
    cJSON_Delete(details);
}

/* A person sets lists up before anything runs: then this process is the only writer,
 * under the same lock. A daemon that starts in between is told. */
static int apply_here(struct change *change)
{
    char path[PATH_MAX];
    struct diag diag = {0};
    const char *ids[REMOVALS_MAX];
    size_t count = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, change->remove)
    {
        if (count < REMOVALS_MAX) {
            ids[count++] = item->valuestring;
        }
    }
    cJSON *put = put_json(change);
    char *text = cJSON_PrintUnformatted(put);
    const struct managed_change managed = {text ? text : "", ids, count, NULL, NULL};
    int64_t uid = getuid();
    int err = identity_take(change->config, &diag);
    int code = CLI_FAILED;
    if (err == 0) {
        err = text ? managed_apply(change->cli->config_path, &managed, &diag) : -ENOMEM;
        code = err != -EINVAL ? CLI_FAILED : *diag.file ? CLI_BAD_CONFIG : CLI_USAGE;
    }
    if (err == 0) {
        audit_here(change, uid, text);
    }
    cJSON_free(text);
    cJSON_Delete(put);
    if (err < 0) {
        return cli_fail_diag(change->cli, code, &diag);
    }
    managed_path(change->config, path, sizeof(path));
    cJSON_AddStringToObject(change->reply, "file", path);
    bool woke = activate_lists(change->cli, &diag) == ACTIVATION_DONE;
    cJSON_AddBoolToObject(change->reply, "daemon", woke);
    return CLI_DONE;
}

static int take_reply(struct change *change, const cJSON *reply)
{
    if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reply, "ok"))) {
        int code = (int)cli_number(reply, "exit");
        return cli_fail(change->cli, code > 0 ? code : CLI_FAILED, "%s", cli_text(reply, "error"));
    }
    cJSON_AddStringToObject(change->reply, "file", cli_text(reply, "file"));
    cJSON_AddBoolToObject(change->reply, "daemon", true);
    if (*cli_text(reply, "note")) {
        cJSON_AddStringToObject(change->reply, "note", cli_text(reply, "note"));
    }
    return CLI_DONE;
}

int change_apply(struct change *change)
{
    struct diag diag = {0};
    cJSON *reply = NULL;
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", "change");
    cJSON_AddItemToObject(request, "put", put_json(change));
    cJSON_AddItemToObject(request, "remove", cJSON_Duplicate(change->remove, true));
    int err = cli_try_ask(change->cli, request, &reply, &diag);
    if (err == -ECONNREFUSED) {
        return apply_here(change);
    }
    if (err < 0) {
        return cli_fail_diag(change->cli, err == -EINVAL ? CLI_BAD_CONFIG : CLI_NO_DAEMON, &diag);
    }
    int code = take_reply(change, reply);
    cJSON_Delete(reply);
    return code;
}

bool change_is_managed(const struct config *config, size_t source)
{
    char path[PATH_MAX];
    bool found = false;
    managed_path(config, path, sizeof(path));
    for (size_t i = 0; i < setting_source.count && !found; i++) {
        const struct origin *origin =
            origins_find(config, &setting_source, source, &setting_source.rows[i]);
        found = origin->file && strcmp(origin->file, path) == 0;
    }
    return found;
}

/* The key of an item stays with the file that brought it. */
bool change_is_added(const struct config *config, size_t source)
{
    char path[PATH_MAX];
    const struct origin *id = origins_find(config, &setting_source, source, setting_source.rows);
    managed_path(config, path, sizeof(path));
    return id->file && strcmp(id->file, path) == 0;
}

int change_find(const struct config *config, const char *id)
{
    for (size_t i = 0; i < config->source_count; i++) {
        if (strcmp(config->sources[i].id, id) == 0) {
            return (int)i;
        }
    }
    return -ENOENT;
}

/* One JSON value is promised: the update's becomes a member of ours. */
static int update_json(struct change *change, int argc, char **argv)
{
    char *text = NULL;
    size_t len = 0;
    struct cli inner = *change->cli;
    inner.out = open_memstream(&text, &len);
    if (!inner.out) {
        return cli_fail(change->cli, CLI_FAILED, "out of memory");
    }
    int code = cmd_update(&inner, argc, argv);
    fclose(inner.out);
    cJSON *update = cJSON_ParseWithLength(text, len);
    if (code != CLI_DONE) {
        cJSON_ReplaceItemInObjectCaseSensitive(change->reply, "ok", cJSON_CreateFalse());
        cJSON_AddStringToObject(change->reply, "error", cli_text(update, "error"));
        cJSON_AddNumberToObject(change->reply, "exit", code);
    }
    cJSON_AddItemToObject(change->reply, "update", update);
    free(text);
    return code;
}

static int update(struct change *change, char **ids)
{
    static char name[] = "update", if_due[] = "--if-due";
    char *argv[WORDS_MAX] = {name};
    int argc = 1;
    for (; ids && ids[argc - 1] && argc < WORDS_MAX - 2; argc++) {
        argv[argc] = ids[argc - 1];
    }
    if (!ids) {
        argv[argc++] = if_due;
    }
    return change->cli->json ? update_json(change, argc, argv)
                             : cmd_update(change->cli, argc, argv);
}

int change_finish(struct change *change, char **ids)
{
    int code = change->update ? update(change, ids) : CLI_DONE;
    if (change->cli->json) {
        int printed = cli_print_json(change->cli, change->reply);
        change->reply = NULL;
        code = code == CLI_DONE ? printed : code;
    }
    return code;
}
