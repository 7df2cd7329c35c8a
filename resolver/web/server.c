// SPDX-License-Identifier: Apache-2.0
#include "web/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { SLOTS = 1024, BACKLOG = 128 };

const struct server_limits server_defaults = {
    .connections = 1024,
    .per_client = 32,
    .times = {.headers_ms = 10000, .body_ms = 10000, .idle_ms = 15000},
    .queue_max = 64 * 1024,
};

const struct server_limits server_own_defaults = {
    .connections = 128,
    .per_client = 32,
    .times = {.headers_ms = 10000, .body_ms = 10000, .idle_ms = 15000},
    .queue_max = 2 * 1024 * 1024,
};

TAILQ_HEAD(idle_list, connection);
LIST_HEAD(client_list, connection);

struct listener {
    uv_tcp_t tcp;
    struct server *server;
};

struct server {
    uv_loop_t *loop;
    struct server_limits limits;
    struct connection_owner owner; /* of all connections */
    struct hash_key key;
    struct idle_list idle;             /* longest first */
    struct client_list clients[SLOTS]; /* by the address's hash */
    struct listener *listeners[SERVER_LISTEN_MAX];
    size_t listener_count, open_listeners;
    unsigned count;
    bool stopping;
    void (*on_stopped)(void *context);
    void *stopped_context;
};

static void free_when_done(struct server *server)
{
    if (server->stopping && server->count == 0 && server->open_listeners == 0) {
        server->on_stopped(server->stopped_context);
        free(server);
    }
}

static void listener_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    struct server *server = listener->server;
    free(listener);
    server->open_listeners--;
    free_when_done(server);
}

static void idle_changed(struct connection *connection, bool idle)
{
    struct server *server = connection->owner->keeper;
    if (idle) {
        TAILQ_INSERT_TAIL(&server->idle, connection, idle_place);
    } else {
        TAILQ_REMOVE(&server->idle, connection, idle_place);
    }
}

static void connection_gone(struct connection *connection)
{
    struct server *server = connection->owner->keeper;
    if (connection->listed) {
        LIST_REMOVE(connection, client_place);
    }
    free(connection);
    server->count--;
    free_when_done(server);
}

static struct client_list *list_of(struct server *server, const struct addr *client)
{
    uint64_t hash = hash_keyed(&server->key, client->bytes, sizeof(client->bytes));
    return &server->clients[hash % SLOTS];
}

/* Whether one more connection of this address is right; an idle one of it may go. */
static bool client_may_have_one(struct server *server, const struct connection *newcomer)
{
    const struct addr *client = &newcomer->exchange.client;
    struct connection *other, *idle = NULL;
    unsigned count = 0;
    LIST_FOREACH(other, list_of(server, client), client_place)
    {
        if (addr_equal(&other->exchange.client, client) && !wire_stream(&other->wire)->closing) {
            count++;
            idle = other->idle ? other : idle; /* the last in the list is the oldest */
        }
    }
    if (count < server->limits.per_client) {
        return true;
    }
    if (idle) {
        connection_close(idle);
    }
    return idle;
}

/* Whether there is a place at all, made free if need be. */
static bool make_place(struct server *server)
{
    if (server->count < server->limits.connections) {
        return true;
    }
    struct connection *idle = TAILQ_FIRST(&server->idle);
    if (idle) {
        connection_close(idle);
    }
    return idle;
}

static void turn_away(uv_handle_t *handle)
{
    free(handle);
}

/* Take it out of the queue only to close it. */
static void refuse(struct server *server, uv_stream_t *tcp)
{
    uv_tcp_t *stranger = malloc(sizeof(*stranger));
    if (stranger && uv_tcp_init(server->loop, stranger) == 0) {
        (void)!uv_accept(tcp, (uv_stream_t *)stranger);
        uv_close((uv_handle_t *)stranger, turn_away);
    } else {
        free(stranger);
    }
}

static void client_waits(uv_stream_t *tcp, int status)
{
    struct listener *listener = tcp->data;
    struct server *server = listener->server;
    if (status < 0) {
        return;
    }
    struct connection *connection = make_place(server) ? calloc(1, sizeof(*connection)) : NULL;
    if (!connection) {
        refuse(server, tcp);
        return;
    }
    server->count++;
    if (connection_accept(connection, &server->owner, tcp) < 0) {
        return;
    }
    if (!client_may_have_one(server, connection)) {
        connection_close(connection);
        return;
    }
    LIST_INSERT_HEAD(list_of(server, &connection->exchange.client), connection, client_place);
    connection->listed = true;
}

int server_new(uv_loop_t *loop, const struct server_content *content,
               const struct server_limits *limits, struct server **ret_server)
{
    struct server *server = calloc(1, sizeof(*server));
    if (!server) {
        return -ENOMEM;
    }
    server->loop = loop;
    server->limits = *limits;
    server->owner = (struct connection_owner){
        .limits = limits->times,
        .serve = content->serve,
        .context = content->context,
        .queue_max = limits->queue_max,
        .own = content->own,
        .identity = content->identity,
        .on_idle = idle_changed,
        .on_closed = connection_gone,
        .keeper = server,
    };
    hash_key_random(&server->key);
    TAILQ_INIT(&server->idle);
    *ret_server = server;
    return 0;
}

static int bind_and_listen(struct listener *listener, struct addr *addr)
{
    struct sockaddr_storage at;
    int len = sizeof(at);
    addr_to_sockaddr(addr, &at);
    unsigned flags = addr->family == AF_INET6 ? UV_TCP_IPV6ONLY : 0;
    int err = uv_tcp_bind(&listener->tcp, (const struct sockaddr *)&at, flags);
    if (err == 0) {
        err = uv_listen((uv_stream_t *)&listener->tcp, BACKLOG, client_waits);
    }
    if (err == 0) {
        err = uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)&at, &len);
    }
    if (err == 0) {
        addr_from_sockaddr((const struct sockaddr *)&at, addr);
    }
    return err;
}

int server_listen(struct server *server, struct addr *addr, struct diag *diag)
{
    char print[ADDR_TEXT_MAX];
    if (server->listener_count == SERVER_LISTEN_MAX) {
        return diag_set(diag, -ENOSPC, "more than %d addresses to listen on", SERVER_LISTEN_MAX);
    }
    struct listener *listener = calloc(1, sizeof(*listener));
    if (!listener) {
        return -ENOMEM;
    }
    int err = uv_tcp_init(server->loop, &listener->tcp);
    if (err < 0) {
        free(listener);
        return err;
    }
    listener->tcp.data = listener;
    listener->server = server;
    server->open_listeners++;
    err = bind_and_listen(listener, addr);
    if (err < 0) {
        uv_close((uv_handle_t *)&listener->tcp, listener_closed);
        return diag_set(diag, err, "cannot listen on %s: %s", addr_print(addr, print),
                        strerror(-err));
    }
    server->listeners[server->listener_count++] = listener;
    return 0;
}

static void for_each(struct server *server, void (*act)(struct connection *connection))
{
    for (size_t slot = 0; slot < SLOTS; slot++) {
        struct connection *connection;
        LIST_FOREACH(connection, &server->clients[slot], client_place)
        {
            act(connection); /* frees it later, in the loop */
        }
    }
}

void server_stop(struct server *server, void (*on_stopped)(void *context), void *context)
{
    if (server->stopping) {
        return;
    }
    server->stopping = true;
    server->on_stopped = on_stopped;
    server->stopped_context = context;
    for (size_t i = 0; i < server->listener_count; i++) {
        uv_close((uv_handle_t *)&server->listeners[i]->tcp, listener_closed);
    }
    for_each(server, connection_end);
    free_when_done(server); /* when it never listened */
}

void server_cut(struct server *server)
{
    for_each(server, connection_close);
}
