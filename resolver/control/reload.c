// SPDX-License-Identifier: Apache-2.0
#include <errno.h>

#include "control/commands.h"
#include "policy/snapshot.h"

int control_do_reload(struct control_call *call)
{
    int err = call->backend->reload(call->backend->owner, call->diag);
    if (err < 0) {
        return err == -EINVAL ? CONTROL_CONFIG : CONTROL_FAILED;
    }
    const char *note =
        call->backend->restart_note ? call->backend->restart_note(call->backend->owner) : "";
    cJSON_AddStringToObject(call->reply, "note", note);
    const struct snapshot *snapshot = call->backend->snapshot(call->backend->owner);
    if (snapshot) {
        control_add_hex(call->reply, "generation", snapshot->generation);
        cJSON_AddBoolToObject(call->reply, "protected", snapshot->db != NULL);
    }
    return CONTROL_DONE;
}
