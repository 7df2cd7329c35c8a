// SPDX-License-Identifier: Apache-2.0
#include "control/commands.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct command {
    const char *name;
    int (*handler)(struct control_call *call);
    unsigned roles;
    bool audited;
} commands[] = {
#define COMMAND(name, handler, roles, audited) {name, control_do_##handler, roles, audited},
#include "control/commands.def"
#undef COMMAND
};

/* What requests may hold. A member that is not known or of another kind is refused: a
 * rule must not come to be for everybody because "group" was mistyped. */
static const struct member {
    const char *key;
    int kind;
} members[] = {
    {"command", cJSON_String},
    {"name", cJSON_String},
    {"host", cJSON_String},
    {"client", cJSON_String},
    {"group", cJSON_String},
    {"note", cJSON_String},
    {"by", cJSON_String},
    {"action", cJSON_String},
    {"exact", cJSON_True | cJSON_False},
    {"for_s", cJSON_Number},
    {"since", cJSON_Number},
    {"until", cJSON_Number},
    {"offset", cJSON_Number},
    {"put", cJSON_Object},
    {"remove", cJSON_Array},
    {"kind", cJSON_String},
    {"what", cJSON_String},
    {"from", cJSON_Number},
    {"at", cJSON_Number},
    {"pattern", cJSON_String},
    {"code", cJSON_String},
    {"all", cJSON_True | cJSON_False},
    {"text", cJSON_String},
    {"everybody", cJSON_True | cJSON_False},
    {"session", cJSON_String},
    {"account", cJSON_String},
    {"role", cJSON_String},
    {"salt", cJSON_String},
    {"passes", cJSON_Number},
    {"kib", cJSON_Number},
    {"key", cJSON_String},
    {"verifier", cJSON_String},
    {"invitation", cJSON_String},
    {"label", cJSON_String},
    {"id", cJSON_String},
    {"lists", cJSON_Array},
    {"generation", cJSON_Number},
    {"quiet", cJSON_True | cJSON_False},
};

/* Why the request's members are not as they should be, in `out`; false: they are. */
static bool has_wrong_member(const cJSON *request, char *out, size_t cap)
{
    const size_t count = sizeof(members) / sizeof(members[0]);
    const cJSON *item;
    cJSON_ArrayForEach(item, request)
    {
        size_t i = 0;
        while (i < count && strcmp(members[i].key, item->string) != 0) {
            i++;
        }
        if (i == count) {
            snprintf(out, cap, "%.32s: unknown member", item->string);
            return true;
        }
        if (!(item->type & members[i].kind)) {
            snprintf(out, cap, "%s: of a wrong kind", members[i].key);
            return true;
        }
    }
    return false;
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

cJSON *control_error(int code, const char *text)
{
    cJSON *reply = cJSON_CreateObject();
    if (!cJSON_AddFalseToObject(reply, "ok") || !cJSON_AddStringToObject(reply, "error", text) ||
        !cJSON_AddNumberToObject(reply, "exit", code)) {
        cJSON_Delete(reply);
        return NULL;
    }
    return reply;
}

static cJSON *run(const struct command *command, const struct control_backend *backend,
                  const struct control_asker *asker)
{
    char text[DIAG_FILE_MAX + DIAG_TEXT_MAX + 32];
    struct diag diag = {0};
    struct control_call call = {backend, asker, asker->request, cJSON_CreateObject(), &diag};
    cJSON_AddTrueToObject(call.reply, "ok");
    int code = call.reply ? command->handler(&call) : CONTROL_FAILED;
    if (code == CONTROL_DONE) {
        if (command->audited) {
            control_audit(&call);
        }
        return call.reply;
    }
    cJSON_Delete(call.reply);
    diag_print(&diag, text, sizeof(text));
    return control_error(code, text[0] ? text : "no memory");
}

/* An error whose reason greengate-web has to know. */
static cJSON *refuse(const char *why, const char *text)
{
    cJSON *reply = control_error(CONTROL_FAILED, text);
    cJSON_AddStringToObject(reply, "why", why);
    return reply;
}

cJSON *control_answer(const struct control_backend *backend, const struct control_asker *peer)
{
    const cJSON *request = peer->request;
    struct control_asker asker = *peer;
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(request, "command"));
    const struct command *command = name ? find_command(name) : NULL;
    char wrong[96];
    if (!command) {
        return control_error(CONTROL_USAGE, name ? "unknown command" : "no command given");
    }
    bool claims = asker.role == ROLE_WEB && cJSON_HasObjectItem(request, "session");
    if (claims && !control_identify(backend, &asker)) {
        return refuse("signed-out", "not signed in, or not any more");
    }
    if (!(command->roles & asker.role)) {
        return refuse("role", claims ? "your role may not do that" : "not allowed on this socket");
    }
    if (has_wrong_member(request, wrong, sizeof(wrong))) {
        return control_error(CONTROL_USAGE, wrong);
    }
    return run(command, backend, &asker);
}

const char *control_text(const struct control_call *call, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(call->request, key));
    return text ? text : "";
}

int control_number(const struct control_call *call, const char *key, int64_t most,
                   int64_t *ret_number)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(call->request, key);
    if (!item) {
        return -ENOENT;
    }
    double value = cJSON_IsNumber(item) ? item->valuedouble : -1;
    if (!(value >= 0 && value <= (double)most) || value != floor(value)) {
        return -EINVAL;
    }
    *ret_number = (int64_t)value;
    return 0;
}

bool control_flag(const struct control_call *call, const char *key)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(call->request, key));
}

void control_add_hex(cJSON *object, const char *key, uint64_t value)
{
    char text[20];
    snprintf(text, sizeof(text), "%016llx", (unsigned long long)value);
    cJSON_AddStringToObject(object, key, text);
}

bool control_copy_plain(const struct control_call *call, const char *key, char *out, size_t cap)
{
    const char *text = control_text(call, key);
    for (const char *at = text; *at; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            return false;
        }
    }
    int len = snprintf(out, cap, "%s", text);
    return len >= 0 && (size_t)len < cap;
}

const char *control_bare_url(const char *url, char out[CONTROL_URL_MAX])
{
    const char *mark = strstr(url, "://");
    const char *host = mark ? mark + 3 : url;
    size_t authority = strcspn(host, "/?#");
    const char *at = memrchr(host, '@', authority);
    const char *from = at ? at + 1 : host;
    snprintf(out, CONTROL_URL_MAX, "%.*s%.*s", mark ? (int)(host - url) : 0, url,
             (int)strcspn(from, "?#"), from);
    return out;
}
