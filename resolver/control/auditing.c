// SPDX-License-Identifier: Apache-2.0
/* One line in the audit log for each command that changed the policy. */
#include <string.h>

#include "control/commands.h"
#include "policy/snapshot.h"
#include "store/audit.h"

void control_audit(const struct control_call *call, int64_t uid)
{
    const struct control_backend *backend = call->backend;
    const struct snapshot *snapshot = backend->snapshot(backend->owner);
    cJSON *details = cJSON_Duplicate(call->request, true);
    if (!backend->audit) {
        cJSON_Delete(details);
        return;
    }
    cJSON_DeleteItemFromObjectCaseSensitive(details, "command");
    if (snapshot) {
        control_add_hex(details, "generation", snapshot->generation);
    }
    char *text = details ? cJSON_PrintUnformatted(details) : NULL;
    const struct audit_entry entry = {clock_wall_s(backend->clock), uid,
                                      control_text(call, "command"),
                                      text ? text : "{\"left_out\":true}"};
    /* What fails stands in audit_trouble(): the change was made, and DNS goes on. */
    if (audit_add(backend->audit, &entry) < 0) {
        cJSON_AddStringToObject(call->reply, "warning", "the audit log cannot be written");
    }
    cJSON_free(text);
    cJSON_Delete(details);
}
