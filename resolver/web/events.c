// SPDX-License-Identifier: Apache-2.0
#include "web/events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/json.h"

enum { EVERY_MS = 2000, SESSION_MAX = 80 };

struct looker {
    struct events *events;
    struct exchange *exchange; /* NULL: a free place */
    bool begun;                /* the head of the answer was sent */
    uint64_t since;            /* a count */
    char session[SESSION_MAX];
};

struct events {
    uv_timer_t timer;
    struct inquiry_source *daemon;
    struct looker lookers[EVENTS_MAX];
    uint64_t count; /* of all that ever looked */
    bool closing;
};

static void forget(struct exchange *exchange)
{
    struct looker *looker = exchange->job;
    looker->exchange = NULL;
}

/* End a stream, or refuse to begin one. */
static void finish(struct looker *looker, int status, const cJSON *reply)
{
    struct exchange *exchange = looker->exchange;
    inquiry_cancel(&exchange->inquiry);
    looker->exchange = NULL;
    exchange->on_gone = NULL;
    if (looker->begun) {
        exchange->on_piece(exchange, NULL, 0);
    } else {
        json_answer(exchange, status, reply);
    }
}

/* A session looks with a few pages at once; one more takes the place of its oldest. */
static void make_room(struct events *events, const char *session)
{
    struct looker *oldest = NULL;
    unsigned count = 0;
    for (size_t i = 0; i < EVENTS_MAX; i++) {
        struct looker *looker = &events->lookers[i];
        if (looker->exchange && strcmp(looker->session, session) == 0) {
            count++;
            oldest = !oldest || looker->since < oldest->since ? looker : oldest;
        }
    }
    if (count >= EVENTS_OF_SESSION) {
        finish(oldest, 503, NULL);
    }
}

static bool begin(struct looker *looker)
{
    const struct answer answer = {
        .status = 200, .type = "text/event-stream", .policy = json_policy, .stream = true};
    if (!looker->begun) {
        looker->begun = true;
        looker->exchange->on_answer(looker->exchange, &answer);
    }
    return looker->exchange;
}

static void push(struct looker *looker, const char *event, const char *data)
{
    size_t cap = strlen(data) + 64;
    char *text = malloc(cap);
    int len = text ? snprintf(text, cap, "event: %s\ndata: %s\n\n", event, data) : 0;
    struct exchange *exchange = looker->exchange;
    if (len > 0) { /* one that does not take it is closed, and forgotten by forget() */
        (void)exchange->on_piece(exchange, text, (size_t)len);
    }
    free(text);
}

static void status_came(struct inquiry *inquiry, const cJSON *reply)
{
    struct exchange *exchange = inquiry->owner;
    struct looker *looker = exchange->job;
    int status = json_status(reply);
    if (status != 200 && (status != 503 || !looker->begun)) { /* nobody is known to be there */
        finish(looker, status, reply);
        return;
    }
    if (!begin(looker)) {
        return;
    }
    char *text = reply ? cJSON_PrintUnformatted(reply) : NULL;
    push(looker, reply ? "status" : "down", text ? text : "{}");
    cJSON_free(text);
}

static void ask(struct looker *looker)
{
    struct exchange *exchange = looker->exchange;
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", "status");
    cJSON_AddStringToObject(request, "session", looker->session);
    cJSON_AddBoolToObject(request, "quiet", looker->begun); /* watching is not using */
    exchange->inquiry.on_reply = status_came;
    exchange->inquiry.owner = exchange;
    inquiry_ask(looker->events->daemon, &exchange->inquiry, request);
}

static void tick(uv_timer_t *timer)
{
    struct events *events = timer->data;
    bool any = false;
    for (size_t i = 0; i < EVENTS_MAX; i++) {
        struct looker *looker = &events->lookers[i];
        if (looker->exchange && !looker->exchange->inquiry.flight) {
            ask(looker);
        }
        any = any || looker->exchange;
    }
    if (!any) {
        uv_timer_stop(timer);
    }
}

int events_new(uv_loop_t *loop, struct inquiry_source *daemon, struct events **ret_events)
{
    struct events *events = calloc(1, sizeof(*events));
    if (!events) {
        return -ENOMEM;
    }
    events->daemon = daemon;
    uv_timer_init(loop, &events->timer); /* cannot fail */
    events->timer.data = events;
    *ret_events = events;
    return 0;
}

static void closed(uv_handle_t *handle)
{
    free(handle->data);
}

void events_free(struct events *events)
{
    if (!events || events->closing) {
        return;
    }
    events->closing = true;
    for (size_t i = 0; i < EVENTS_MAX; i++) {
        if (events->lookers[i].exchange) {
            finish(&events->lookers[i], 503, NULL);
        }
    }
    uv_close((uv_handle_t *)&events->timer, closed);
}

void events_serve(struct events *events, struct exchange *exchange, const char *session)
{
    struct looker *looker = NULL;
    make_room(events, session);
    for (size_t i = 0; i < EVENTS_MAX && !looker; i++) {
        looker = events->lookers[i].exchange ? NULL : &events->lookers[i];
    }
    if (!looker || events->closing || strlen(session) >= SESSION_MAX) {
        json_refuse(exchange, 503, "busy", "too many dashboards look already");
        return;
    }
    *looker = (struct looker){.events = events, .exchange = exchange, .since = events->count++};
    snprintf(looker->session, sizeof(looker->session), "%s", session);
    exchange->job = looker;
    exchange->on_gone = forget;
    ask(looker);
    if (!uv_is_active((uv_handle_t *)&events->timer)) {
        uv_timer_start(&events->timer, tick, EVERY_MS, EVERY_MS);
    }
}
