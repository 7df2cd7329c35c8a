// SPDX-License-Identifier: Apache-2.0
#include "web/desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/api.h"
#include "web/catalogjson.h"
#include "web/json.h"

/* A name that somebody else's DNS led to this address is none of ours: a page from there would be
 * asked for with our cookies (DNS rebinding). */
static bool is_our_name(const struct desk *desk, const struct request *request)
{
    const struct config *config = desk->site->config;
    struct request own;
    if (request->host_kind == HOST_ADDRESS || strcmp(request->host, "localhost") == 0) {
        return true;
    }
    const char *name = config->server.name;
    if (request_set_host(&own, name, strlen(name)) == 0 && strcmp(own.host, request->host) == 0) {
        return true;
    }
    for (size_t i = 0; i < config->web.admin_names.count; i++) {
        name = config->web.admin_names.items[i];
        if (request_set_host(&own, name, strlen(name)) == 0 &&
            strcmp(own.host, request->host) == 0) {
            return true;
        }
    }
    return false;
}

static void answer_text(struct exchange *exchange, int status, const char *type, const char *body)
{
    const struct answer answer = {
        .status = status,
        .type = type,
        .policy = json_policy,
        .body = body,
        .len = strlen(body),
    };
    exchange->on_answer(exchange, &answer);
}

static void health_came(struct inquiry *inquiry, const cJSON *reply)
{
    char body[96];
    const char *state = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(reply, "state"));
    bool good = state && strcmp(state, "protected") == 0;
    snprintf(body, sizeof(body), "{\"web\":\"ok\",\"daemon\":\"%.20s\"}\n", state ? state : "down");
    answer_text(inquiry->owner, good ? 200 : 503, "application/json", body);
}

static void metrics_came(struct inquiry *inquiry, const cJSON *reply)
{
    struct exchange *exchange = inquiry->owner;
    const cJSON *lines = cJSON_GetObjectItemCaseSensitive(reply, "lines"), *line;
    size_t len = 1;
    if (json_status(reply) != 200) {
        json_answer(exchange, json_status(reply), reply);
        return;
    }
    cJSON_ArrayForEach(line, lines)
    {
        len += cJSON_IsString(line) ? strlen(line->valuestring) + 1 : 0;
    }
    char *body = malloc(len);
    if (!body) {
        json_answer(exchange, 503, NULL);
        return;
    }
    char *at = body;
    cJSON_ArrayForEach(line, lines)
    {
        at = cJSON_IsString(line) ? stpcpy(stpcpy(at, line->valuestring), "\n") : at;
    }
    *at = '\0';
    answer_text(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", body);
    free(body);
}

static void ask(struct desk *desk, struct exchange *exchange, const char *command,
                void (*on_reply)(struct inquiry *inquiry, const cJSON *reply))
{
    char session[API_SESSION_MAX];
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", command);
    (void)api_session(exchange, session);
    if (*session && on_reply == metrics_came) {
        cJSON_AddStringToObject(request, "session", session);
    }
    exchange->inquiry.on_reply = on_reply;
    exchange->inquiry.owner = exchange;
    inquiry_ask(desk->daemon, &exchange->inquiry, request);
}

/* A collector near by needs no token: the figures name nobody. */
static void serve_metrics(struct desk *desk, struct exchange *exchange)
{
    char session[API_SESSION_MAX];
    const struct text_list *from = &desk->site->config->web.metrics_from;
    bool open = false;
    for (size_t i = 0; i < from->count && !open; i++) {
        struct prefix prefix;
        open =
            prefix_parse(from->items[i], &prefix) == 0 && prefix_covers(&prefix, &exchange->client);
    }
    (void)api_session(exchange, session);
    if (!open && !*session) {
        json_refuse(exchange, 401, "signed-out", "send a token, or set web.metrics_from");
        return;
    }
    ask(desk, exchange, "metrics", metrics_came);
}

void desk_serve(void *context, struct exchange *exchange)
{
    struct desk *desk = context;
    const struct request *request = &exchange->request;
    bool reads = request->method == REQUEST_GET || request->method == REQUEST_HEAD;
    exchange->site = desk;
    if (!is_our_name(desk, request)) {
        answer_text(exchange, 421, "text/plain; charset=utf-8",
                    "This is greengate's dashboard, and not called by that name.\n"
                    "Use its address or server.name, or add the name to web.admin_names.\n");
    } else if (strncmp(request->path, API_ROOT, sizeof(API_ROOT) - 1) == 0) {
        api_serve(desk, exchange);
    } else if (!reads) {
        const struct answer refusal = {.status = 405, .policy = json_policy, .allow = "GET, HEAD"};
        exchange->on_answer(exchange, &refusal);
    } else if (strcmp(request->path, "/greengate/health") == 0) {
        ask(desk, exchange, "status", health_came);
    } else if (strcmp(request->path, "/metrics") == 0) {
        serve_metrics(desk, exchange);
    } else if (!asset_serve(desk->assets, exchange)) {
        answer_text(exchange, 404, "text/plain; charset=utf-8", "There is no such page.\n");
    }
}

int desk_open(struct desk *desk, uv_loop_t *loop, struct diag *diag)
{
    const char *data_dir = desk->site->config->server.data_dir;
    int err = keysmith_new(loop, desk->daemon, &desk->smith);
    if (err == 0) {
        err = events_new(loop, desk->daemon, &desk->events);
    }
    if (err == 0) {
        err = catalogjson_make(desk->site, &desk->catalog, diag);
    }
    /* Without its pages the API is still there. */
    if (err == 0 && asset_load(data_dir, &desk->assets, diag) < 0) {
        desk->assets = NULL;
    }
    return err;
}

void desk_refresh(struct desk *desk)
{
    struct diag aside = {0}; /* site_load() has said what is wrong with these files */
    char *catalog = NULL;
    if (desk->catalog && catalogjson_make(desk->site, &catalog, &aside) == 0) {
        free(desk->catalog);
        desk->catalog = catalog;
    }
}

void desk_close(struct desk *desk)
{
    keysmith_free(desk->smith);
    events_free(desk->events);
    asset_free(desk->assets);
    free(desk->catalog);
    desk->smith = NULL;
    desk->events = NULL;
    desk->assets = NULL;
    desk->catalog = NULL;
}
