// SPDX-License-Identifier: Apache-2.0
/* Lists and groups beside the administrator's files: managed.yaml. */
#include <errno.h>

#include "config/managed.h"
#include "control/commands.h"
#include "policy/snapshot.h"

enum { REMOVALS_MAX = 256 };

static int read_removals(struct control_call *call, const char **ids, size_t *ret_count)
{
    const cJSON *item;
    size_t count = 0;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(call->request, "remove"))
    {
        if (!cJSON_IsString(item) || count == REMOVALS_MAX) {
            return diag_set(call->diag, CONTROL_USAGE, "remove: at most %d ids of lists",
                            REMOVALS_MAX);
        }
        ids[count++] = item->valuestring;
    }
    *ret_count = count;
    return CONTROL_DONE;
}

/* With a place a file is wrong, without one what was asked for is. */
static int code_of(int err, const struct diag *diag)
{
    if (err == -EINVAL) {
        return *diag->file ? CONTROL_CONFIG : CONTROL_USAGE;
    }
    return CONTROL_FAILED;
}

static void add_result(struct control_call *call)
{
    char path[4096];
    const struct control_backend *backend = call->backend;
    const struct snapshot *snapshot = backend->snapshot(backend->owner);
    const char *note = backend->restart_note ? backend->restart_note(backend->owner) : "";
    if (snapshot) {
        managed_path(snapshot->config, path, sizeof(path));
        cJSON_AddStringToObject(call->reply, "file", path);
    }
    cJSON_AddStringToObject(call->reply, "note", note);
}

int control_do_change(struct control_call *call)
{
    const char *ids[REMOVALS_MAX];
    const struct control_backend *backend = call->backend;
    struct managed_change change = {
        .put = "", .remove = ids, .use = backend->reload, .arg = backend->owner};
    int code = read_removals(call, ids, &change.remove_count);
    if (code != CONTROL_DONE) {
        return code;
    }
    const cJSON *put = cJSON_GetObjectItemCaseSensitive(call->request, "put");
    char *text = put ? cJSON_PrintUnformatted(put) : NULL; /* JSON is YAML */
    change.put = text ? text : "";
    int err = put && !text ? -ENOMEM : managed_apply(backend->config_path, &change, call->diag);
    cJSON_free(text);
    if (err < 0) {
        return code_of(err, call->diag);
    }
    add_result(call);
    return CONTROL_DONE;
}
