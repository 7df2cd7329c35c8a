// SPDX-License-Identifier: Apache-2.0
#include "web/route.h"

#include <string.h>

#include "web/ownpage.h"
#include "web/reason.h"
#include "web/respond.h"
#include "web/review.h"

enum { RETRY_LEAST_S = 10 };

static void serve_empty(struct site *site, struct exchange *exchange)
{
    (void)site;
    const struct answer answer = {.status = 403};
    exchange->on_answer(exchange, &answer);
}

static void reason_came(struct inquiry *inquiry, const cJSON *reply)
{
    static const int statuses[] = {
        [PAGE_BLOCKED] = 403,
        [PAGE_NEUTRAL] = 403,
        /* Not 200: no program may take the page for the site's own content, and 503
         * with Retry-After says just what is the case. */
        [PAGE_OPEN] = 503,
    };
    struct exchange *exchange = inquiry->owner;
    const struct site *site = exchange->site;
    const struct reason reason = reason_read(reply);
    int64_t ttl_s = site->config->block.ttl_s;
    struct page page = respond_begin(exchange, !reason.known    ? PAGE_NEUTRAL
                                               : reason.blocked ? PAGE_BLOCKED
                                                                : PAGE_OPEN);
    page.reason = &reason;
    if (page.kind == PAGE_OPEN) {
        page.wait_s = ttl_s > RETRY_LEAST_S ? (unsigned)ttl_s : RETRY_LEAST_S;
    } else if (page.kind == PAGE_BLOCKED) {
        page.origin = site_face(site, &exchange->request)->origin;
        review_token(site, page.host, page.token);
    }
    respond_page(exchange, &page, statuses[page.kind]);
}

static void serve_warning(struct site *site, struct exchange *exchange)
{
    if (!request_wants_page(&exchange->request)) {
        serve_empty(site, exchange);
        return;
    }
    const struct request *request = &exchange->request;
    if (ownpage_is_asked(site, request)) {
        ownpage_serve(exchange);
        return;
    }
    exchange->inquiry.on_reply = reason_came;
    exchange->inquiry.owner = exchange;
    if (request->host_kind == HOST_NAME) {
        inquiry_ask(site->daemon, &exchange->inquiry,
                    reason_request("why", &exchange->client, request->host));
    } else { /* an address is no name that a list could block */
        reason_came(&exchange->inquiry, NULL);
    }
}

/* For a monitor of the network: is somebody filtering? Nothing else is told to strangers. */
static void health_came(struct inquiry *inquiry, const cJSON *reply)
{
    struct exchange *exchange = inquiry->owner;
    const char *state = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(reply, "state"));
    bool filters = state && strcmp(state, "unprotected") != 0;
    char body[96];
    struct text text = {body, 0, sizeof(body), false};
    text_printf(&text, "{\"web\":\"ok\",\"daemon\":\"%.20s\"}\n", state ? state : "down");
    const struct answer answer = {
        .status = filters ? 200 : 503,
        .type = "application/json",
        .body = body,
        .len = text.len,
    };
    exchange->on_answer(exchange, &answer);
}

static void serve_health(struct site *site, struct exchange *exchange)
{
    const struct request *request = &exchange->request;
    if (request->host_kind != HOST_ADDRESS && strcmp(request->host, site->own_host) != 0) {
        serve_warning(site, exchange); /* a path of the site that is blocked */
        return;
    }
    cJSON *question = cJSON_CreateObject();
    cJSON_AddStringToObject(question, "command", "status");
    exchange->inquiry.on_reply = health_came;
    exchange->inquiry.owner = exchange;
    inquiry_ask(site->daemon, &exchange->inquiry, question);
}

static void serve_review(struct site *site, struct exchange *exchange)
{
    if (review_is_ours(site, &exchange->request)) {
        review_serve(site, exchange);
    } else { /* a path of the site that is blocked */
        serve_warning(site, exchange);
    }
}

/* The first row that fits; a path that ends in '*' covers all that begin so. */
static const struct route {
    const char *path;
    void (*serve)(struct site *site, struct exchange *exchange);
} routes[] = {
    {"/favicon.ico", serve_empty},
    {"/robots.txt", serve_empty},
    {"/greengate/health", serve_health},
    {REQUEST_FORM_PATH "*", serve_review},
    {"*", serve_warning},
};

static bool covers(const char *pattern, const char *path)
{
    size_t len = strcspn(pattern, "*");
    return strncmp(pattern, path, len) == 0 && (pattern[len] == '*' || path[len] == '\0');
}

void route_serve(void *site, struct exchange *exchange)
{
    exchange->site = site;
    const struct route *route = routes;
    while (!covers(route->path, exchange->request.path)) {
        route++; /* the last covers all */
    }
    route->serve(site, exchange);
}
