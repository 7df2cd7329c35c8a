// SPDX-License-Identifier: Apache-2.0
#include "listen/tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "listen/connection.h"

enum { ACCEPTS_PER_WAKE = 64, BACKLOG_MAX = 4096 };

struct tcp_listener {
    struct tcp_room *room;
    struct tcp_listener *next;
    uv_poll_t poll;
    uv_timer_t pause;
    int fd;
    bool tls;
    unsigned open_handles;
    uv_poll_cb serve; /* on_waiting(), for when a pause is over */
};

void tcp_room_release(struct tcp_room *room)
{
    if (room->given_up && room->connections == 0 && !room->listeners && room->turns.open == 0) {
        tls_context_free(room->identity);
        free(room->slot.room);
        free(room->gathered);
        free(room);
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct tcp_listener *listener = handle->data;
    struct tcp_room *room = listener->room;
    if (--listener->open_handles > 0) {
        return;
    }
    struct tcp_listener **at = &room->listeners;
    while (*at != listener) {
        at = &(*at)->next;
    }
    *at = listener->next;
    close(listener->fd);
    free(listener);
    tcp_room_release(room);
}

/* Take up to `count` of the connections that wait. -EAGAIN when there are no more. */
static int accept_some(struct tcp_listener *listener, unsigned count)
{
    while (count-- > 0) {
        struct sockaddr_storage sa;
        socklen_t len = sizeof(sa);
        struct addr peer;
        int fd = accept4(listener->fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == ECONNABORTED || errno == EINTR)) {
            continue;
        }
        if (fd < 0) {
            return -errno;
        }
        addr_from_sockaddr((struct sockaddr *)&sa, &peer);
        if (connection_open(listener->room, fd, &peer, listener->tls) < 0) {
            continue; /* it is closed; others may fare better */
        }
    }
    return 0;
}

static void on_pause_over(uv_timer_t *timer)
{
    struct tcp_listener *listener = timer->data;
    uv_poll_start(&listener->poll, UV_READABLE, listener->serve);
}

static void on_waiting(uv_poll_t *poll, int status, int events)
{
    struct tcp_listener *listener = poll->data;
    (void)events;
    query_tick(listener->room->worker);
    int err = status < 0 ? status : accept_some(listener, ACCEPTS_PER_WAKE);
    if (err == 0 || err == -EAGAIN) {
        return;
    }
    /* No descriptor or memory for it: what waits would wake us again and again. */
    (void)connection_evict(listener->room, NULL);
    uv_poll_stop(&listener->poll);
    uv_timer_start(&listener->pause, on_pause_over, TCP_PAUSE_MS, 0);
}

static void on_turns_closed(struct turns *turns)
{
    tcp_room_release(turns->owner);
}

struct tcp_room *tcp_room_new(const struct tcp_setup *setup)
{
    struct tcp_room *room = calloc(1, sizeof(*room));
    uint8_t *reply = aligned_alloc(64, QUERY_ROOM + 64 - QUERY_ROOM % 64);
    uint8_t *gathered = malloc(TCP_GATHER_MAX);
    if (!room || !reply || !gathered) {
        free(room);
        free(reply);
        free(gathered);
        return NULL;
    }
    room->worker = setup->worker;
    room->loop = setup->loop;
    room->census = setup->census;
    room->share = setup->workers;
    room->last = &room->first;
    room->slot.room = reply;
    room->gathered = gathered;
    turns_init(&room->turns, room->loop, connection_go_on);
    room->turns.owner = room;
    return room;
}

int tcp_room_listen(struct tcp_room *room, int fd, bool tls)
{
    struct tcp_listener *listener = calloc(1, sizeof(*listener));
    if (!listener) {
        return -ENOMEM;
    }
    int err = uv_poll_init(room->loop, &listener->poll, fd);
    if (err < 0) {
        free(listener);
        return err;
    }
    uv_timer_init(room->loop, &listener->pause); /* cannot fail */
    listener->poll.data = listener->pause.data = listener;
    listener->open_handles = 2;
    listener->room = room;
    listener->serve = on_waiting;
    listener->fd = fd;
    listener->tls = tls;
    listener->next = room->listeners;
    room->listeners = listener;
    return uv_poll_start(&listener->poll, UV_READABLE, on_waiting);
}

void tcp_room_identify(struct tcp_room *room, struct tls_context *identity)
{
    tls_context_free(room->identity);
    room->identity = identity;
}

void tcp_room_stop(struct tcp_room *room, bool lent)
{
    for (struct tcp_listener *at = room->listeners; at; at = at->next) {
        if (!lent) {
            (void)accept_some(at, BACKLOG_MAX);
        }
        uv_close((uv_handle_t *)&at->poll, on_closed);
        uv_close((uv_handle_t *)&at->pause, on_closed);
    }
    room->stopping = true;
    turns_stop(&room->turns, on_turns_closed);
    for (struct connection *at = room->first; at; at = at->next) {
        connection_finish(at);
    }
}

bool tcp_room_is_idle(const struct tcp_room *room)
{
    return room->connections == 0;
}

void tcp_room_give_up(struct tcp_room *room)
{
    room->given_up = true;
    for (struct connection *at = room->first; at; at = at->next) {
        stream_close(&at->tls.stream);
    }
    tcp_room_release(room);
}
