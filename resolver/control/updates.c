// SPDX-License-Identifier: Apache-2.0
/* Updates that somebody asks for. The daemon executes nothing: it leaves a file that a path unit,
 * procd or `make run` answers with `greengate update --requested`, which tells in another file how
 * far it is. docs/updates.md has both. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/wholefile.h"
#include "control/commands.h"
#include "policy/snapshot.h"

enum { IDS_MAX = 256, GENERATION_MAX = 999999, STATUS_MAX = 512 * 1024 };

static void print_path(const struct snapshot *snapshot, const char *name, char out[4096])
{
    snprintf(out, 4096, "%s/%s", snapshot->config->server.state_dir, name);
}

static bool is_configured(const struct snapshot *snapshot, const char *id)
{
    for (size_t i = 0; i < snapshot->config->source_count; i++) {
        if (strcmp(snapshot->config->sources[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

static int check_lists(struct control_call *call, const struct snapshot *snapshot)
{
    const cJSON *item;
    size_t count = 0;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(call->request, "lists"))
    {
        if (!cJSON_IsString(item) || ++count > IDS_MAX ||
            !is_configured(snapshot, item->valuestring)) {
            return diag_set(call->diag, CONTROL_USAGE, "lists: ids of lists that are configured");
        }
    }
    return CONTROL_DONE;
}

static int check(struct control_call *call, const struct snapshot *snapshot)
{
    static const char *const whats[] = {"update", "rollback", "diff"};
    const char *what = control_text(call, "what");
    int64_t generation = 0;
    size_t i = 0;
    while (i < sizeof(whats) / sizeof(whats[0]) && strcmp(whats[i], what) != 0) {
        i++;
    }
    if (i == sizeof(whats) / sizeof(whats[0])) {
        return diag_set(call->diag, CONTROL_USAGE, "what: update, rollback or diff");
    }
    int err = control_number(call, "generation", GENERATION_MAX, &generation);
    if (err == -EINVAL || (err == -ENOENT && i > 0)) {
        return diag_set(call->diag, CONTROL_USAGE, "generation: the number of a kept one");
    }
    return check_lists(call, snapshot);
}

static char *write_request(struct control_call *call)
{
    static const char *const members[] = {"what", "lists", "generation"};
    cJSON *json = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(call->request, members[i]);
        if (item) {
            cJSON_AddItemToObject(json, members[i], cJSON_Duplicate(item, true));
        }
    }
    cJSON_AddNumberToObject(json, "asked_at", (double)clock_wall_s(call->backend->clock));
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return text;
}

int control_do_update_request(struct control_call *call)
{
    char path[4096];
    const struct snapshot *snapshot = call->backend->snapshot(call->backend->owner);
    if (!snapshot) {
        return diag_set(call->diag, CONTROL_FAILED, "not ready yet");
    }
    int code = check(call, snapshot);
    if (code != CONTROL_DONE) {
        return code;
    }
    print_path(snapshot, "update.request", path);
    if (access(path, F_OK) == 0) {
        return diag_set(call->diag, CONTROL_FAILED,
                        "another request waits still: does greengate-update-requested.path run?");
    }
    char *text = write_request(call);
    int err = text ? wholefile_save(path, text, strlen(text)) : -ENOMEM;
    cJSON_free(text);
    return err < 0 ? diag_set(call->diag, CONTROL_FAILED, "%.200s: %s", path, strerror(-err))
                   : CONTROL_DONE;
}

/* The number in "NNNNNN.ggdb", 0 = none. */
static unsigned number_of(const char *file)
{
    char *end;
    unsigned long number = strtoul(file, &end, 10);
    return end > file && strcmp(end, ".ggdb") == 0 && number <= GENERATION_MAX ? (unsigned)number
                                                                               : 0;
}

/* The one that blocklist.ggdb leads to, 0 = none. */
static unsigned in_force(const struct snapshot *snapshot)
{
    char path[4096], target[PATH_MAX];
    print_path(snapshot, "blocklist.ggdb", path);
    ssize_t len = readlink(path, target, sizeof(target) - 1);
    target[len > 0 ? len : 0] = '\0';
    const char *slash = strrchr(target, '/');
    return number_of(slash ? slash + 1 : target);
}

static void add_generations(cJSON *reply, const struct snapshot *snapshot)
{
    char path[4096];
    const struct dirent *entry;
    struct stat info;
    cJSON *array = cJSON_AddArrayToObject(reply, "generations");
    print_path(snapshot, "generations", path);
    DIR *folder = opendir(path);
    while (folder && (entry = readdir(folder))) {
        unsigned number = number_of(entry->d_name);
        if (number && fstatat(dirfd(folder), entry->d_name, &info, 0) == 0) {
            cJSON *item = cJSON_CreateObject();
            cJSON_AddNumberToObject(item, "generation", number);
            cJSON_AddNumberToObject(item, "made_at", (double)info.st_mtime);
            cJSON_AddBoolToObject(item, "in_force", number == in_force(snapshot));
            cJSON_AddItemToArray(array, item);
        }
    }
    if (folder) {
        closedir(folder);
    }
}

/* Who wrote "running" may have been killed. */
static void end_when_gone(cJSON *last)
{
    const char *state = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(last, "state"));
    const cJSON *pid = cJSON_GetObjectItemCaseSensitive(last, "pid");
    if (state && strcmp(state, "running") == 0 && cJSON_IsNumber(pid) && pid->valueint > 0 &&
        kill(pid->valueint, 0) < 0 && errno == ESRCH) {
        cJSON_ReplaceItemInObjectCaseSensitive(last, "state", cJSON_CreateString("failed"));
        cJSON *result = cJSON_AddObjectToObject(last, "result");
        cJSON_AddStringToObject(result, "error", "it ended before it was done");
    }
}

/* What the last update said of itself, or the one that runs. */
int control_do_update_status(struct control_call *call)
{
    char path[4096], *text = NULL;
    size_t len = 0;
    const struct snapshot *snapshot = call->backend->snapshot(call->backend->owner);
    if (!snapshot) {
        return diag_set(call->diag, CONTROL_FAILED, "not ready yet");
    }
    print_path(snapshot, "update.request", path);
    cJSON_AddBoolToObject(call->reply, "waiting", access(path, F_OK) == 0);
    add_generations(call->reply, snapshot);
    print_path(snapshot, "update.status", path);
    int err = wholefile_read(path, STATUS_MAX, &text, &len);
    if (err < 0 && err != -ENOENT && err != -EFBIG) {
        return diag_set(call->diag, CONTROL_FAILED, "%.200s: %s", path, strerror(-err));
    }
    cJSON *last = text ? cJSON_ParseWithLength(text, len) : NULL;
    end_when_gone(last);
    cJSON_AddItemToObject(call->reply, "last", last ? last : cJSON_CreateObject());
    free(text);
    return CONTROL_DONE;
}
