// SPDX-License-Identifier: Apache-2.0
#include "web/inquiry.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "control/client.h"

enum { FLIGHTS_MAX = 256 };

const struct inquiry_limits inquiry_defaults = {1000, 64 * 1024};
const struct inquiry_limits inquiry_own_defaults = {8000, CLIENT_FRAME_MAX + 4};

/* A request that was sent; the reply takes the oldest. */
struct inquiry_flight {
    struct inquiry_flight *next;
    struct inquiry *inquiry; /* NULL: cancelled, its reply is thrown away */
    uint64_t until;          /* loop time */
};

/* One connection; it outlives its source until libuv has closed it. */
struct line {
    uv_pipe_t pipe;
    uv_connect_t connect;
    struct inquiry_source *source; /* NULL: given up */
    size_t len;
    size_t cap;
    uint8_t data[]; /* replies that are not whole yet */
};

struct inquiry_source {
    uv_loop_t *loop;
    uv_timer_t timer; /* of the oldest question */
    uv_timer_cb time_is_up;
    struct line *line; /* NULL: not connected */
    struct inquiry_flight *first, **last;
    size_t count;
    bool closing;
    struct inquiry_limits limits;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

struct message {
    uv_write_t request;
    struct line *line;
    uint8_t *frame;
};

static void line_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void land(struct inquiry_source *source, const cJSON *reply)
{
    struct inquiry_flight *flight = source->first;
    struct inquiry *inquiry = flight->inquiry;
    source->first = flight->next;
    if (!source->first) {
        source->last = &source->first;
    }
    source->count--;
    free(flight);
    if (inquiry) {
        inquiry->flight = NULL;
        inquiry->on_reply(inquiry, reply);
    }
}

static void watch_oldest(struct inquiry_source *source)
{
    if (!source->first) {
        uv_timer_stop(&source->timer);
        return;
    }
    uint64_t now = uv_now(source->loop);
    uint64_t until = source->first->until;
    uv_timer_start(&source->timer, source->time_is_up, until > now ? until - now : 0, 0);
}

/* Give the connection up: replies could no longer be told apart. Only what waits now
 * is answered: an answer may ask again. */
static void hang_up(struct inquiry_source *source)
{
    if (source->line) {
        source->line->source = NULL;
        uv_close((uv_handle_t *)&source->line->pipe, line_closed);
        source->line = NULL;
    }
    uv_timer_stop(&source->timer);
    for (size_t left = source->count; left > 0; left--) {
        land(source, NULL);
    }
    watch_oldest(source);
}

static void time_is_up(uv_timer_t *timer)
{
    hang_up(timer->data);
}

/* One whole reply off the front: octets used, 0 when more must come, or an error. */
static int take_reply(struct line *line, size_t at)
{
    cJSON *reply = NULL;
    int used = client_unframe(line->data + at, line->len - at, &reply);
    if (used > 0 && !line->source->first) {
        used = -EBADMSG; /* nobody asked */
    } else if (used > 0) {
        land(line->source, reply);
    }
    cJSON_Delete(reply);
    return used;
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    struct line *line = handle->data;
    (void)suggested;
    *ret_buf = uv_buf_init((char *)line->data + line->len, (unsigned)(line->cap - line->len));
}

static void take_data(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct line *line = stream->data;
    (void)buf;
    if (!line->source || got == 0) {
        return;
    }
    if (got < 0) {
        hang_up(line->source);
        return;
    }
    line->len += (size_t)got;
    size_t at = 0;
    int used = 1;
    while (used > 0 && at < line->len) {
        used = take_reply(line, at);
        if (!line->source) {
            return; /* an answer asked again, and that failed */
        }
        at += used > 0 ? (size_t)used : 0;
    }
    memmove(line->data, line->data + at, line->len - at);
    line->len -= at;
    if (used < 0 || line->len == line->cap) {
        hang_up(line->source);
    } else {
        watch_oldest(line->source);
    }
}

static void connected(uv_connect_t *request, int status)
{
    struct line *line = request->handle->data;
    if (!line->source) {
        return;
    }
    if (status < 0 || uv_read_start(request->handle, give_room, take_data) < 0) {
        hang_up(line->source);
    }
}

static int open_line(struct inquiry_source *source)
{
    struct line *line = calloc(1, sizeof(*line) + source->limits.reply_max);
    if (!line) {
        return -ENOMEM;
    }
    int err = uv_pipe_init(source->loop, &line->pipe, 0);
    if (err < 0) {
        free(line);
        return err;
    }
    line->pipe.data = line;
    line->source = source;
    line->cap = source->limits.reply_max;
    source->line = line;
    uv_pipe_connect(&line->connect, &line->pipe, source->path, connected);
    return 0;
}

static void sent(uv_write_t *request, int status)
{
    struct message *message = (struct message *)request;
    struct line *line = message->line;
    free(message->frame);
    free(message);
    if (status < 0 && line->source) {
        hang_up(line->source);
    }
}

static int send_request(struct inquiry_source *source, const cJSON *request)
{
    struct message *message = calloc(1, sizeof(*message));
    size_t len = 0;
    if (!message) {
        return -ENOMEM;
    }
    message->line = source->line;
    message->frame = client_frame(request, &len);
    int err = message->frame ? 0 : -ENOMEM;
    if (err == 0) {
        uv_buf_t buf = uv_buf_init((char *)message->frame, (unsigned)len);
        err = uv_write(&message->request, (uv_stream_t *)&source->line->pipe, &buf, 1, sent);
    }
    if (err < 0) {
        free(message->frame);
        free(message);
    }
    return err;
}

int inquiry_new(uv_loop_t *loop, const char *socket_path, const struct inquiry_limits *limits,
                struct inquiry_source **ret_source)
{
    struct inquiry_source *source = calloc(1, sizeof(*source));
    if (!source) {
        return -ENOMEM;
    }
    if (strlen(socket_path) >= sizeof(source->path)) {
        free(source);
        return -ENAMETOOLONG;
    }
    memcpy(source->path, socket_path, strlen(socket_path) + 1);
    source->loop = loop;
    source->limits = *limits;
    source->last = &source->first;
    uv_timer_init(loop, &source->timer); /* cannot fail */
    source->timer.data = source;
    source->time_is_up = time_is_up;
    *ret_source = source;
    return 0;
}

static void source_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void inquiry_free(struct inquiry_source *source)
{
    if (source && !source->closing) {
        source->closing = true;
        hang_up(source);
        uv_close((uv_handle_t *)&source->timer, source_closed);
    }
}

void inquiry_ask(struct inquiry_source *source, struct inquiry *inquiry, cJSON *request)
{
    struct inquiry_flight *flight = NULL;
    if (request && !source->closing && source->count < FLIGHTS_MAX) {
        flight = calloc(1, sizeof(*flight));
    }
    int err = flight ? 0 : -ENOMEM;
    if (err == 0 && !source->line) {
        err = open_line(source);
    }
    if (err == 0) {
        err = send_request(source, request);
    }
    cJSON_Delete(request);
    if (err < 0) {
        free(flight);
        inquiry->on_reply(inquiry, NULL);
        return;
    }
    flight->inquiry = inquiry;
    flight->until = uv_now(source->loop) + source->limits.wait_ms;
    inquiry->flight = flight;
    *source->last = flight;
    source->last = &flight->next;
    if (source->count++ == 0) {
        watch_oldest(source);
    }
}

void inquiry_cancel(struct inquiry *inquiry)
{
    if (inquiry->flight) {
        inquiry->flight->inquiry = NULL;
        inquiry->flight = NULL;
    }
}
