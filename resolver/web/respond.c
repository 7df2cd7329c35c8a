// SPDX-License-Identifier: Apache-2.0
#include "web/respond.h"

#include <time.h>

#include "web/language.h"
#include "web/site.h"

struct page respond_begin(const struct exchange *exchange, enum page_kind kind)
{
    const struct site *site = exchange->site;
    size_t language =
        language_choose(site->languages, site->language_count, exchange->request.accept_language);
    return (struct page){
        .kind = kind,
        .config = site->config,
        .catalog = site->catalog,
        .texts = site->texts,
        .language = site->languages[language],
        .host = exchange->request.host,
        .origin = "",
        .now = (int64_t)time(NULL),
    };
}

void respond_page(struct exchange *exchange, const struct page *page, int status)
{
    const struct site *site = exchange->site;
    char body[PAGE_MAX];
    struct text text = {body, 0, sizeof(body), false};
    page_write(page, &text);
    struct answer answer = {
        .status = status,
        .type = "text/html; charset=utf-8",
        .language = page->language,
        .policy = site_face(site, &exchange->request)->policy,
        .retry_s = page->wait_s,
        .body = body,
        .len = text.len,
    };
    if (text.full) {
        answer = (struct answer){.status = 500};
    }
    exchange->on_answer(exchange, &answer);
}
