// SPDX-License-Identifier: Apache-2.0
#include "web/review.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "web/form.h"
#include "web/reason.h"
#include "web/respond.h"
#include "web/reviewpage.h"

enum { HOUR_S = 3600, TEXT_OCTETS = 2000, SOON_S = 60 };

static void print_token(const struct site *site, const char *host, int64_t hour,
                        char out[REVIEW_TOKEN_MAX])
{
    enum { HOUR = sizeof(hour), HOST = 255 };
    uint8_t data[HOUR + HOST];
    size_t len = strnlen(host, HOST);
    memcpy(data, &hour, HOUR);
    memcpy(data + HOUR, host, len);
    snprintf(out, REVIEW_TOKEN_MAX, "%016llx",
             (unsigned long long)hash_siphash24(&site->key, data, HOUR + len));
}

void review_token(const struct site *site, const char *host, char out[REVIEW_TOKEN_MAX])
{
    print_token(site, host, (int64_t)time(NULL) / HOUR_S, out);
}

/* Of this hour or the one before. */
static bool is_token(const struct site *site, const char *host, const char *token)
{
    int64_t hour = (int64_t)time(NULL) / HOUR_S;
    char now[REVIEW_TOKEN_MAX], before[REVIEW_TOKEN_MAX];
    print_token(site, host, hour, now);
    print_token(site, host, hour - 1, before);
    return strcmp(now, token) == 0 || strcmp(before, token) == 0;
}

bool review_is_ours(const struct site *site, const struct request *request)
{
    return *site->face.origin && strcmp(request->host, site->own_host) == 0;
}

static const char *text_of(const cJSON *reply, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(reply, key));
    return text ? text : "";
}

static bool is_true(const cJSON *reply, const char *key)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reply, key));
}

static void show(struct exchange *exchange, const struct review_view *view, int status)
{
    struct page page = respond_begin(exchange, PAGE_REVIEW);
    page.review = view;
    page.host = "";
    page.wait_s = status == 429 ? HOUR_S : status == 503 ? SOON_S : 0;
    respond_page(exchange, &page, status);
}

/* Why a request was not taken, in the daemon's words. */
static const struct refusal {
    const char *why;
    int status;
    enum text_id words;
    bool ask;
} refusals[] = {
    {"limit", 429, TEXT_review_limit, true},
    {"open", 403, TEXT_review_open, false},
    {"stale", 403, TEXT_review_stale, false},
    {"", 503, TEXT_review_full, true}, /* all others */
};

static void refuse(struct exchange *exchange, const char *why)
{
    const struct refusal *row = refusals;
    while (*row->why && strcmp(row->why, why) != 0) {
        row++;
    }
    const struct review_view view = {
        .heading = TEXT_review_failed,
        .words = row->words,
        .code = "",
        .answer = "",
        .ask = row->ask,
    };
    show(exchange, &view, row->status);
}

/* To the page of the request, which may be loaded again. */
static void taken(struct inquiry *inquiry, const cJSON *reply)
{
    struct exchange *exchange = inquiry->owner;
    const struct site_face *face = site_face(exchange->site, &exchange->request);
    const char *code = text_of(reply, "code");
    char location[sizeof(face->origin) + 64];
    if (!is_true(reply, "taken") || !*code || strlen(code) > 32) {
        refuse(exchange, text_of(reply, "why"));
        return;
    }
    snprintf(location, sizeof(location), "%s%s/%s", face->origin, REQUEST_FORM_PATH, code);
    const struct answer answer = {.status = 303, .policy = face->policy, .location = location};
    exchange->on_answer(exchange, &answer);
}

/* One field of the form, "" when it is missing or too long. */
static void get(const struct request *request, const char *name, char *out, size_t cap)
{
    struct text text = {out, 0, cap - 1, false};
    bool found = request->body && form_get(request->body, request->body_len, name, &text);
    out[found && !text.full ? text.len : 0] = '\0';
}

static void take(struct site *site, struct exchange *exchange)
{
    char name[256], token[REVIEW_TOKEN_MAX], words[TEXT_OCTETS];
    const struct request *request = &exchange->request;
    struct request named;
    get(request, "name", name, sizeof(name));
    get(request, "token", token, sizeof(token));
    get(request, "text", words, sizeof(words));
    if (request_set_host(&named, name, strlen(name)) < 0 || named.host_kind != HOST_NAME ||
        !is_token(site, named.host, token)) {
        refuse(exchange, "stale");
        return;
    }
    cJSON *json = reason_request("review", &exchange->client, named.host);
    if (json && !cJSON_AddStringToObject(json, "text", words)) {
        cJSON_Delete(json);
        json = NULL;
    }
    exchange->inquiry.on_reply = taken;
    exchange->inquiry.owner = exchange;
    inquiry_ask(site->daemon, &exchange->inquiry, json);
}

static void state_came(struct inquiry *inquiry, const cJSON *reply)
{
    struct exchange *exchange = inquiry->owner;
    const cJSON *until = cJSON_GetObjectItemCaseSensitive(reply, "until");
    const char *state = text_of(reply, "state");
    struct review_view view = {
        .heading = TEXT_review_unknown_heading,
        .words = TEXT_review_unknown,
        .until = cJSON_IsNumber(until) ? (int64_t)until->valuedouble : 0,
        .code = text_of(reply, "code"),
        .answer = text_of(reply, "answer"),
    };
    if (!is_true(reply, "ok")) {
        refuse(exchange, "");
        return;
    }
    if (strcmp(state, "waiting") == 0) {
        view.heading = TEXT_review_waiting_heading;
        view.words = TEXT_review_waiting;
    } else if (strcmp(state, "approved") == 0) {
        view.heading = TEXT_review_approved_heading;
        view.words = TEXT_review_approved;
    } else if (strcmp(state, "ended") == 0) {
        view.heading = TEXT_review_ended_heading;
        view.words = TEXT_review_ended;
        view.ask = true;
    } else if (strcmp(state, "denied") == 0) {
        view.heading = TEXT_review_denied_heading;
        view.words = TEXT_review_denied;
        view.ask = true;
    }
    struct page page = respond_begin(exchange, PAGE_REVIEW);
    page.review = &view;
    page.host = text_of(reply, "name");
    respond_page(exchange, &page, *state ? 200 : 404);
}

static void tell(struct site *site, struct exchange *exchange)
{
    const char *code = exchange->request.path + strlen(REQUEST_FORM_PATH);
    cJSON *json = cJSON_CreateObject();
    if (!cJSON_AddStringToObject(json, "command", "review-state") ||
        !cJSON_AddStringToObject(json, "code", *code == '/' ? code + 1 : "")) {
        cJSON_Delete(json);
        json = NULL;
    }
    exchange->inquiry.on_reply = state_came;
    exchange->inquiry.owner = exchange;
    inquiry_ask(site->daemon, &exchange->inquiry, json);
}

void review_serve(struct site *site, struct exchange *exchange)
{
    if (exchange->request.method == REQUEST_POST) {
        take(site, exchange);
    } else {
        tell(site, exchange);
    }
}
