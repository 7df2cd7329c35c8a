// SPDX-License-Identifier: Apache-2.0
/* One line in the audit log for each command that changed the policy. */
#include <string.h>

#include "control/commands.h"
#include "policy/snapshot.h"
#include "store/audit.h"

/* What a line may hold: never a client, nor anything that the command does not use. */
static const char *const kept[] = {"name",    "pattern", "group",  "exact", "for_s",
                                   "note",    "action",  "kind",   "what",  "from",
                                   "until",   "put",     "remove", "code",  "everybody",
                                   "account", "role",    "label",  "id",    "lists"};

/* Enough to know what was changed, when the whole is too long. */
static const char *const always[] = {"name", "pattern", "group", "action", "code", "account", "id"};

static cJSON *copy_members(const cJSON *request, const char *const *keys, size_t count)
{
    cJSON *details = cJSON_CreateObject();
    for (size_t i = 0; i < count; i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, keys[i]);
        if (item) {
            cJSON_AddItemToObject(details, keys[i], cJSON_Duplicate(item, true));
        }
    }
    return details;
}

static void add_actor(const struct control_call *call, cJSON *details)
{
    if (*call->asker->account) {
        cJSON_AddStringToObject(details, "by", call->asker->account);
    }
}

/* URLs of lists may hold passwords. */
static void hide_urls(cJSON *details)
{
    char bare[CONTROL_URL_MAX];
    const cJSON *put = cJSON_GetObjectItemCaseSensitive(details, "put");
    const cJSON *lists = cJSON_GetObjectItemCaseSensitive(put, "lists");
    cJSON *source;
    cJSON_ArrayForEach(source, cJSON_GetObjectItemCaseSensitive(lists, "sources"))
    {
        const char *url = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(source, "url"));
        if (url) {
            cJSON_ReplaceItemInObjectCaseSensitive(source, "url",
                                                   cJSON_CreateString(control_bare_url(url, bare)));
        }
    }
}

/* The details as text; cJSON_free() it. */
static char *describe(const struct control_call *call)
{
    const struct snapshot *snapshot = call->backend->snapshot(call->backend->owner);
    cJSON *details = copy_members(call->request, kept, sizeof(kept) / sizeof(kept[0]));
    hide_urls(details);
    /* Of an answered request: what a code stood for, which is deleted one day. */
    const cJSON *review = cJSON_GetObjectItemCaseSensitive(call->reply, "review");
    for (size_t i = 0; review && i < 2; i++) {
        const char *const keys[] = {"name", "group"};
        cJSON_AddItemToObject(
            details, keys[i],
            cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(review, keys[i]), true));
    }
    add_actor(call, details);
    if (cJSON_HasObjectItem(call->request, "verifier")) {
        cJSON_AddTrueToObject(details, "password"); /* a new one */
    }
    const cJSON *generation = cJSON_GetObjectItemCaseSensitive(call->request, "generation");
    if (generation) {
        cJSON_AddNumberToObject(details, "to_generation", generation->valuedouble);
    }
    if (snapshot) {
        control_add_hex(details, "generation", snapshot->generation);
    }
    char *text = cJSON_PrintUnformatted(details);
    if (text && strlen(text) > AUDIT_DETAILS_MAX) {
        cJSON_Delete(details);
        details = copy_members(call->request, always, sizeof(always) / sizeof(always[0]));
        cJSON_AddNumberToObject(details, "octets_left_out", (double)strlen(text));
        add_actor(call, details);
        cJSON_free(text);
        text = cJSON_PrintUnformatted(details);
    }
    cJSON_Delete(details);
    return text;
}

void control_audit(const struct control_call *call)
{
    const struct control_backend *backend = call->backend;
    if (!backend->audit) {
        return;
    }
    char *text = describe(call);
    const struct audit_entry entry = {clock_wall_s(backend->clock), call->asker->uid,
                                      control_text(call, "command"),
                                      text ? text : "{\"left_out\":true}"};
    /* What fails stands in audit_trouble(): the change was made, and DNS goes on. */
    if (audit_add(backend->audit, &entry) < 0) {
        cJSON_AddStringToObject(call->reply, "warning", "the audit log cannot be written");
    }
    cJSON_free(text);
}
