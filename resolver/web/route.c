// SPDX-License-Identifier: Apache-2.0
#include "web/route.h"

#include <string.h>
#include <time.h>

#include "web/language.h"
#include "web/page.h"

enum { RETRY_LEAST_S = 10 };

static void serve_empty(struct site *site, struct exchange *exchange)
{
    (void)site;
    const struct answer answer = {.status = 403};
    exchange->on_answer(exchange, &answer);
}

static void answer_page(struct exchange *exchange, const struct page *page)
{
    static const int statuses[] = {
        [PAGE_BLOCKED] = 403,
        [PAGE_NEUTRAL] = 403,
        /* Not 200: no program may take the page for the site's own content, and 503
         * with Retry-After says just what is the case. */
        [PAGE_OPEN] = 503,
    };
    const struct site *site = exchange->site;
    char body[PAGE_MAX];
    struct text text = {body, 0, sizeof(body), false};
    page_write(page, &text);
    struct answer answer = {
        .status = statuses[page->kind],
        .type = "text/html; charset=utf-8",
        .language = page->language,
        .policy = site->policy,
        .retry_s = page->kind == PAGE_OPEN ? page->wait_s : 0,
        .body = body,
        .len = text.len,
    };
    if (text.full) {
        answer = (struct answer){.status = 500};
    }
    exchange->on_answer(exchange, &answer);
}

static void reason_came(struct reason_query *query, const struct reason *reason)
{
    struct exchange *exchange = query->owner;
    const struct site *site = exchange->site;
    size_t language =
        language_choose(site->languages, site->language_count, exchange->request.accept_language);
    int64_t ttl_s = site->config->block.ttl_s;
    const struct page page = {
        .kind = !reason->known    ? PAGE_NEUTRAL
                : reason->blocked ? PAGE_BLOCKED
                                  : PAGE_OPEN,
        .config = site->config,
        .catalog = site->catalog,
        .texts = site->texts,
        .language = site->languages[language],
        .host = exchange->request.host,
        .reason = reason,
        .now = (int64_t)time(NULL),
        .wait_s = ttl_s > RETRY_LEAST_S ? (unsigned)ttl_s : RETRY_LEAST_S,
    };
    answer_page(exchange, &page);
}

static void serve_warning(struct site *site, struct exchange *exchange)
{
    if (!request_wants_page(&exchange->request)) {
        serve_empty(site, exchange);
        return;
    }
    exchange->question.on_reason = reason_came;
    exchange->question.owner = exchange;
    if (exchange->request.host_kind == HOST_NAME) {
        reason_ask(site->reasons, &exchange->question, &exchange->client, exchange->request.host);
    } else { /* an address is no name that a list could block */
        const struct reason unknown = {0};
        reason_came(&exchange->question, &unknown);
    }
}

/* The first row that fits; a path that ends in '*' covers all that begin so. */
static const struct route {
    const char *path;
    void (*serve)(struct site *site, struct exchange *exchange);
} routes[] = {
    {"/favicon.ico", serve_empty},
    {"/robots.txt", serve_empty},
    {"*", serve_warning},
};

static bool covers(const char *pattern, const char *path)
{
    size_t len = strcspn(pattern, "*");
    return strncmp(pattern, path, len) == 0 && (pattern[len] == '*' || path[len] == '\0');
}

void route_serve(struct site *site, struct exchange *exchange)
{
    exchange->site = site;
    const struct route *route = routes;
    while (!covers(route->path, exchange->request.path)) {
        route++; /* the last covers all */
    }
    route->serve(site, exchange);
}
