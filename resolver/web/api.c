// SPDX-License-Identifier: Apache-2.0
#include "web/api.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "web/apitable.h"
#include "web/form.h"
#include "web/json.h"

#define COOKIE "greengate_session"

enum { CSRF_LEN = 32, DEPTH_MAX = 32, VALUE_MAX = 512 };

bool api_session(const struct exchange *exchange, char out[API_SESSION_MAX])
{
    static const char bearer[] = "Bearer ", cookie[] = COOKIE "=";
    const struct request_own *own = exchange->request.own;
    out[0] = '\0';
    if (strncasecmp(own->authorization, bearer, sizeof(bearer) - 1) == 0) {
        snprintf(out, API_SESSION_MAX, "%s", own->authorization + sizeof(bearer) - 1);
        return false;
    }
    for (const char *at = own->cookie; *at; at += strcspn(at, ";"), at += strspn(at, "; ")) {
        if (strncmp(at, cookie, sizeof(cookie) - 1) == 0) {
            at += sizeof(cookie) - 1;
            snprintf(out, API_SESSION_MAX, "%.*s", (int)strcspn(at, ";"), at);
            return true;
        }
    }
    return true;
}

/* What a page of ours must repeat in what it posts: nobody else can read it. */
static void print_csrf(const struct desk *desk, const char *session, char out[CSRF_LEN + 1])
{
    const struct hash_key *key = &desk->site->key;
    const struct hash_key other = {key->k1, ~key->k0};
    size_t len = strlen(session);
    snprintf(out, CSRF_LEN + 1, "%016llx%016llx",
             (unsigned long long)hash_siphash24(key, session, len),
             (unsigned long long)hash_siphash24(&other, session, len));
}

/* From a page of this very origin, as far as the browser tells. */
static bool is_own_origin(const struct request_own *own)
{
    const char *mark = strstr(own->origin, "://");
    return !*own->origin || (mark && strcasecmp(mark + 3, own->authority) == 0);
}

/* A cookie goes along with whatever a browser sends us, so that alone is not a wish. */
static bool is_meant(const struct desk *desk, const struct exchange *exchange, const char *session)
{
    char csrf[CSRF_LEN + 1];
    const struct request_own *own = exchange->request.own;
    print_csrf(desk, session, csrf);
    return is_own_origin(own) && strcmp(own->csrf, csrf) == 0;
}

/* Deeper than any request of ours: cJSON would call itself as often. */
static bool is_deep(const char *text, size_t len)
{
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < len; i++) {
        if (quoted) {
            i += text[i] == '\\';
            quoted = i < len && text[i] != '"';
        } else if (text[i] == '"') {
            quoted = true;
        } else if (text[i] == '{' || text[i] == '[') {
            if (++depth > DEPTH_MAX) {
                return true;
            }
        } else if (text[i] == '}' || text[i] == ']') {
            depth--;
        }
    }
    return false;
}

/* The body, with only what the row takes; NULL with *ret_error. */
static cJSON *read_body(const struct api_row *row, const struct request *request, char *error,
                        size_t cap)
{
    size_t len = request->body ? request->body_len : 0;
    if (is_deep(request->body, len)) {
        snprintf(error, cap, "the body is nested too deeply");
        return NULL;
    }
    const char *end = NULL;
    cJSON *body =
        len ? cJSON_ParseWithLengthOpts(request->body, len, &end, false) : cJSON_CreateObject();
    for (; end && end < request->body + len; end++) {
        if (!strchr(" \t\r\n", *end)) {
            cJSON_Delete(body);
            body = NULL;
            break;
        }
    }
    if (!cJSON_IsObject(body)) {
        snprintf(error, cap, "the body is no JSON object");
        cJSON_Delete(body);
        return NULL;
    }
    cJSON *item;
    cJSON_ArrayForEach(item, body)
    {
        if (!apitable_takes(row, item->string)) {
            snprintf(error, cap, "%.32s: unknown member", item->string);
            cJSON_Delete(body);
            return NULL;
        }
    }
    return body;
}

/* One parameter of the query, as what it is. */
static bool add_parameter(cJSON *json, const char *name, const char *value)
{
    char *end;
    double number = strtod(value, &end);
    switch (apitable_kind(name, strlen(name))) {
    case API_TEXT: return cJSON_AddStringToObject(json, name, value);
    case API_NUMBER:
        return *value && !*end && isfinite(number) && cJSON_AddNumberToObject(json, name, number);
    case API_FLAG:
        return (strcmp(value, "true") == 0 || strcmp(value, "false") == 0) &&
               cJSON_AddBoolToObject(json, name, *value == 't');
    default: return false;
    }
}

/* The query, with only what the row takes. */
static cJSON *read_query(const struct api_row *row, const struct request *request, char *error,
                         size_t cap)
{
    const char *query = request->own->query;
    cJSON *json = cJSON_CreateObject();
    for (const char *at = query; *at; at += strcspn(at, "&"), at += strspn(at, "&")) {
        char name[32], value[VALUE_MAX];
        struct text text = {value, 0, sizeof(value) - 1, false};
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, "=&"), at);
        bool found = form_get(at, strcspn(at, "&"), name, &text) && !text.full;
        value[text.len] = '\0';
        if (!found || !apitable_takes(row, name) || cJSON_HasObjectItem(json, name) ||
            !add_parameter(json, name, value)) {
            snprintf(error, cap, "%s: unknown parameter, or not as it should be", name);
            cJSON_Delete(json);
            return NULL;
        }
    }
    return json;
}

static void answer(struct inquiry *inquiry, const cJSON *reply)
{
    json_answer(inquiry->owner, json_status(reply), reply);
}

/* A session goes into the cookie, where no script reads it. */
static void session_came(struct inquiry *inquiry, const cJSON *reply)
{
    char csrf[CSRF_LEN + 1], cookie[256];
    struct exchange *exchange = inquiry->owner;
    const struct desk *desk = exchange->site;
    cJSON *copy = reply ? cJSON_Duplicate(reply, true) : NULL;
    cJSON *session = cJSON_DetachItemFromObjectCaseSensitive(copy, "session");
    const char *text = cJSON_GetStringValue(session);
    const char *origin = exchange->request.own->origin;
    int status = json_status(reply);
    if (text) {
        print_csrf(desk, text, csrf);
        cJSON_AddStringToObject(copy, "csrf", csrf);
        snprintf(cookie, sizeof(cookie), COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict%s", text,
                 strncasecmp(origin, "https:", 6) == 0 ? "; Secure" : "");
    }
    json_answer_with(exchange, status == 409 ? 403 : status, copy, text ? cookie : NULL);
    cJSON_Delete(session);
    cJSON_Delete(copy);
}

/* Who is signed in, and with what his pages post. */
static void identity_came(struct inquiry *inquiry, const cJSON *reply)
{
    char csrf[CSRF_LEN + 1], session[API_SESSION_MAX];
    struct exchange *exchange = inquiry->owner;
    cJSON *copy = reply ? cJSON_Duplicate(reply, true) : NULL;
    (void)api_session(exchange, session);
    print_csrf(exchange->site, session, csrf);
    if (json_status(reply) == 200) {
        cJSON_AddStringToObject(copy, "csrf", csrf);
    }
    json_answer(exchange, json_status(reply), copy);
    cJSON_Delete(copy);
}

static void local_came(struct inquiry *inquiry, const cJSON *reply)
{
    struct exchange *exchange = inquiry->owner;
    const struct desk *desk = exchange->site;
    if (json_status(reply) != 200) {
        answer(inquiry, reply);
        return;
    }
    const struct answer whole = {
        .status = 200,
        .type = "application/json",
        .policy = json_policy,
        .body = desk->catalog,
        .len = strlen(desk->catalog),
    };
    exchange->on_answer(exchange, &whole);
}

static bool opens_session(const struct api_row *row)
{
    return strcmp(row->command, "sign-in") == 0 || strcmp(row->command, "set-up") == 0;
}

static void pass_on(struct desk *desk, struct exchange *exchange, const struct api_row *row,
                    cJSON *request)
{
    const char *command = row->how == API_LOCAL ? "session" : row->command;
    cJSON_AddStringToObject(request, "command", command);
    exchange->inquiry.owner = exchange;
    exchange->inquiry.on_reply = row->how == API_LOCAL             ? local_came
                                 : strcmp(command, "session") == 0 ? identity_came
                                                                   : answer;
    if (row->how != API_KEYS) {
        inquiry_ask(desk->daemon, &exchange->inquiry, request);
        return;
    }
    keysmith_ask(desk->smith, exchange, request, opens_session(row) ? session_came : answer);
}

/* May this be asked at all? What is wrong is answered. */
static bool may_ask(const struct desk *desk, struct exchange *exchange, const struct api_row *row)
{
    char session[API_SESSION_MAX];
    bool by_cookie = api_session(exchange, session);
    static const char json[] = "application/json";
    const struct request_own *own = exchange->request.own;
    bool posts = row->method == REQUEST_POST;
    if (posts && strncasecmp(own->content_type, json, sizeof(json) - 1) != 0) {
        json_refuse(exchange, 415, "type", "Content-Type: application/json is expected");
    } else if (!*session && !opens_session(row)) {
        json_refuse(exchange, 401, "signed-out", "sign in first, or send a token");
    } else if (posts && opens_session(row) && !is_own_origin(own)) {
        json_refuse(exchange, 403, "csrf", "the request came from another site");
    } else if (posts && by_cookie && !opens_session(row) && !is_meant(desk, exchange, session)) {
        json_refuse(exchange, 403, "csrf", "X-CSRF-Token is missing or old: GET session tells it");
    } else {
        return true;
    }
    return false;
}

static void serve_row(struct desk *desk, struct exchange *exchange, const struct api_row *row)
{
    char session[API_SESSION_MAX], error[160] = "";
    if (!may_ask(desk, exchange, row)) {
        return;
    }
    const struct request *request = &exchange->request;
    cJSON *json = row->method == REQUEST_POST ? read_body(row, request, error, sizeof(error))
                                              : read_query(row, request, error, sizeof(error));
    if (!json) {
        json_refuse(exchange, 400, "request", error);
        return;
    }
    if (!opens_session(row)) {
        (void)api_session(exchange, session);
        cJSON_AddStringToObject(json, "session", session);
    }
    pass_on(desk, exchange, row, json);
}

/* Of a path that is there with another method. */
static void refuse_method(struct exchange *exchange, const char *allow)
{
    const struct answer refusal = {.status = 405, .policy = json_policy, .allow = allow};
    exchange->on_answer(exchange, &refusal);
}

void api_serve(struct desk *desk, struct exchange *exchange)
{
    char session[API_SESSION_MAX];
    const struct request *request = &exchange->request;
    const char *path = request->path + sizeof(API_ROOT) - 1;
    enum request_method method = request->method == REQUEST_HEAD ? REQUEST_GET : request->method;
    const struct api_row *other = NULL;
    for (size_t i = 0; i < api_row_count; i++) {
        bool here = strcmp(api_rows[i].path, path) == 0;
        if (here && api_rows[i].method == method) {
            serve_row(desk, exchange, &api_rows[i]);
            return;
        }
        other = here ? &api_rows[i] : other;
    }
    if (strcmp(path, "events") == 0 && request->method == REQUEST_GET) {
        (void)api_session(exchange, session);
        events_serve(desk->events, exchange, session);
    } else if (strcmp(path, "openapi.json") == 0 && method == REQUEST_GET) {
        cJSON *description = api_describe();
        json_answer(exchange, 200, description);
        cJSON_Delete(description);
    } else if (other) {
        refuse_method(exchange, other->method == REQUEST_GET ? "GET, HEAD" : "POST");
    } else {
        json_refuse(exchange, 404, "path", "there is no such path");
    }
}
