// SPDX-License-Identifier: Apache-2.0
#include "web/json.h"

#include <string.h>

const char json_policy[] = "default-src 'none'; frame-ancestors 'none'";

int json_status(const cJSON *reply)
{
    static const struct {
        int exit;
        const char *why;
        int status;
    } rows[] = {
        {1, "signed-out", 401},
        {1, "role", 403},
        {2, "", 400},
        {4, "", 422},
    };
    if (!reply) {
        return 503;
    }
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reply, "ok"))) {
        return 200;
    }
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(reply, "exit");
    const char *why = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(reply, "why"));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (cJSON_IsNumber(code) && code->valueint == rows[i].exit &&
            strcmp(why ? why : "", rows[i].why) == 0) {
            return rows[i].status;
        }
    }
    return 409;
}

void json_answer_with(struct exchange *exchange, int status, const cJSON *reply, const char *cookie)
{
    static const char down[] =
        "{\"ok\":false,\"why\":\"daemon\",\"error\":\"greengated does not answer\"}";
    char *text = reply ? cJSON_PrintUnformatted(reply) : NULL;
    const char *body = text ? text : down;
    const struct answer answer = {
        .status = status,
        .type = "application/json",
        .policy = json_policy,
        .cookie = cookie,
        .retry_s = status == 503 ? 5 : 0,
        .body = body,
        .len = strlen(body),
    };
    exchange->on_answer(exchange, &answer);
    cJSON_free(text);
}

void json_answer(struct exchange *exchange, int status, const cJSON *reply)
{
    json_answer_with(exchange, status, reply, NULL);
}

void json_refuse(struct exchange *exchange, int status, const char *why, const char *error)
{
    cJSON *reply = cJSON_CreateObject();
    cJSON_AddFalseToObject(reply, "ok");
    cJSON_AddStringToObject(reply, "error", error);
    cJSON_AddStringToObject(reply, "why", why);
    json_answer(exchange, status, reply);
    cJSON_Delete(reply);
}
