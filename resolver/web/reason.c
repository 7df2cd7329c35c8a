// SPDX-License-Identifier: Apache-2.0
#include "web/reason.h"

#include <stdio.h>

cJSON *reason_request(const char *command, const struct addr *client, const char *host)
{
    char print[ADDR_TEXT_MAX];
    struct addr bare = *client;
    cJSON *request = cJSON_CreateObject();
    bare.port = 0;
    if (!cJSON_AddStringToObject(request, "command", command) ||
        !cJSON_AddStringToObject(request, "client", addr_print(&bare, print)) ||
        !cJSON_AddStringToObject(request, "host", host)) {
        cJSON_Delete(request);
        return NULL;
    }
    return request;
}

static void copy_text(const cJSON *reply, const char *key, char *out, size_t cap)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(reply, key));
    snprintf(out, cap, "%s", text ? text : "");
}

struct reason reason_read(const cJSON *reply)
{
    struct reason reason = {0};
    const cJSON *blocked = cJSON_GetObjectItemCaseSensitive(reply, "blocked");
    if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reply, "ok")) || !cJSON_IsBool(blocked)) {
        return reason;
    }
    if (cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(reply, "admitted"))) {
        return reason; /* a stranger, whose group nobody knows */
    }
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reply, "forwarder"))) {
        return reason; /* it stands for many devices: whose group it is, nobody knows */
    }
    reason.known = true;
    reason.blocked = cJSON_IsTrue(blocked);
    copy_text(reply, "reason", reason.word, sizeof(reason.word));
    copy_text(reply, "category", reason.category, sizeof(reason.category));
    copy_text(reply, "group", reason.group, sizeof(reason.group));
    copy_text(reply, "rule_group", reason.rule_group, sizeof(reason.rule_group));
    copy_text(reply, "list", reason.list, sizeof(reason.list));
    copy_text(reply, "ref", reason.ref, sizeof(reason.ref));
    reason.watched = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reply, "watched"));
    const cJSON *opens = cJSON_GetObjectItemCaseSensitive(reply, "opens_at");
    reason.opens_at = cJSON_IsNumber(opens) ? (int64_t)opens->valuedouble : 0;
    return reason;
}
