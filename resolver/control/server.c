// SPDX-License-Identifier: Apache-2.0
#include "control/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/peer.h"

enum { BACKLOG = 128, GROUPS_MAX = 1024 };

struct listener {
    uv_pipe_t pipe;
    struct control_server *server;
    enum control_role role;
    unsigned peers;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

struct control_server {
    struct peer_owner owner; /* first, so that it leads back here */
    struct listener listeners[2];
    struct peer *peers;
    unsigned open_listeners;
    bool closing;
};

static void free_when_empty(struct control_server *server)
{
    if (server->closing && server->open_listeners == 0 && !server->peers) {
        free(server);
    }
}

static void peer_gone(struct peer_owner *owner, struct peer *peer)
{
    struct control_server *server = (struct control_server *)owner;
    if (peer->previous) {
        peer->previous->next = peer->next;
    } else {
        server->peers = peer->next;
    }
    if (peer->next) {
        peer->next->previous = peer->previous;
    }
    server->listeners[peer->role == ROLE_WEB].peers--;
    free_when_empty(server);
}

/* Is the process at the other end in the group that owns the socket file? */
static bool in_group(int fd, gid_t own, gid_t wanted)
{
    gid_t groups[GROUPS_MAX];
    socklen_t len = sizeof(groups);
    if (own == wanted) {
        return true;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0) {
        return false;
    }
    for (size_t i = 0; i < len / sizeof(groups[0]); i++) {
        if (groups[i] == wanted) {
            return true;
        }
    }
    return false;
}

/* root, the daemon's own user, or the group of the socket file. The file's mode says
 * the same; this holds when somebody loosened it. */
static bool is_admin(const struct listener *listener, struct peer *peer)
{
    struct ucred who;
    struct stat info;
    socklen_t len = sizeof(who);
    int fd = -1;
    if (uv_fileno((const uv_handle_t *)&peer->pipe, &fd) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0) {
        return false;
    }
    peer->uid = who.uid;
    return who.uid == 0 || who.uid == geteuid() ||
           (stat(listener->path, &info) == 0 && in_group(fd, who.gid, info.st_gid));
}

/* The one that waits longest makes room; peers are listed newest first. */
static void close_oldest(struct control_server *server, enum control_role role)
{
    struct peer *oldest = NULL;
    for (struct peer *peer = server->peers; peer; peer = peer->next) {
        oldest = peer->role == role && !peer->closing ? peer : oldest;
    }
    if (oldest) {
        peer_close(oldest);
    }
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct listener *listener = stream->data;
    struct control_server *server = listener->server;
    struct peer *peer = NULL;
    if (status < 0 || server->closing || peer_accept(&server->owner, &listener->pipe, &peer) < 0) {
        return;
    }
    peer->role = listener->role;
    peer->uid = -1;
    peer->next = server->peers;
    if (server->peers) {
        server->peers->previous = peer;
    }
    server->peers = peer;
    if (++listener->peers > CONTROL_PEERS_MAX) {
        close_oldest(server, listener->role);
    }
    if (listener->role == ROLE_ADMIN && !is_admin(listener, peer)) {
        peer_refuse(peer, "not allowed: root, the daemon's user or the socket's group is needed");
    } else {
        peer_start(peer, listener->role);
    }
}

static void listener_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    listener->server->open_listeners--;
    free_when_empty(listener->server);
}

/* Does anybody answer there? Then the file is not ours to replace. */
static bool is_answered(const char *path)
{
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return false;
    }
    snprintf(place.sun_path, sizeof(place.sun_path), "%s", path);
    bool answered = connect(fd, (struct sockaddr *)&place, sizeof(place)) == 0 || errno == EAGAIN;
    close(fd);
    return answered;
}

static int refuse_answered(const char *path, struct diag *diag)
{
    return is_answered(path) ? diag_set(diag, -EADDRINUSE, "another daemon answers on %s", path)
                             : 0;
}

/* A socket that a killed daemon left behind; anything else stays. */
static void remove_left_over(const char *path)
{
    struct stat info;
    if (lstat(path, &info) == 0 && S_ISSOCK(info.st_mode)) {
        unlink(path);
    }
}

static void make_folder(const char *path)
{
    char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
    const char *slash = strrchr(path, '/');
    if (slash && slash != path) {
        snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
        if (mkdir(folder, 0750) < 0) {
            return; /* it is there, or bind says what is wrong */
        }
    }
}

static int bind_listener(struct listener *listener, struct diag *diag)
{
    int err = refuse_answered(listener->path, diag);
    if (err < 0) {
        return err;
    }
    remove_left_over(listener->path);
    make_folder(listener->path);
    /* The file must never be open to all, not even between bind and chmod. */
    mode_t mask = umask(0117);
    err = uv_pipe_bind(&listener->pipe, listener->path);
    umask(mask);
    if (err == 0) {
        err = uv_listen((uv_stream_t *)&listener->pipe, BACKLOG, on_connection);
    }
    return err < 0 ? diag_set(diag, err, "cannot listen on %s: %s", listener->path, strerror(-err))
                   : 0;
}

static int open_listener(struct control_server *server, enum control_role role, uv_loop_t *loop,
                         struct diag *diag)
{
    struct listener *listener = &server->listeners[role == ROLE_WEB];
    listener->server = server;
    listener->role = role;
    int err = uv_pipe_init(loop, &listener->pipe, 0);
    if (err < 0) {
        return diag_set(diag, err, "%s", strerror(-err));
    }
    listener->pipe.data = listener;
    server->open_listeners++;
    return bind_listener(listener, diag);
}

static int set_paths(const char *socket_path, struct listener listeners[2], struct diag *diag)
{
    char *path = listeners[0].path;
    size_t cap = sizeof(listeners[0].path);
    int len = snprintf(path, cap, "%s", socket_path);
    int err = len > 0 && (size_t)len < cap ? 0 : -ENAMETOOLONG;
    if (err == 0) {
        err = client_web_socket(path, listeners[1].path, cap);
    }
    return err == 0 ? 0
                    : diag_set(diag, err, "%.200s: at most %zu octets, and not named web.sock",
                               socket_path, cap - 1);
}

int control_look(const char *socket_path, struct diag *diag)
{
    struct listener listeners[2];
    int err = set_paths(socket_path, listeners, diag);
    for (size_t i = 0; err == 0 && i < 2; i++) {
        err = refuse_answered(listeners[i].path, diag);
    }
    return err;
}

int control_open(const struct control_setup *setup, const struct control_backend *backend,
                 struct control_server **ret_server, struct diag *diag)
{
    struct control_server *server = calloc(1, sizeof(*server));
    if (!server) {
        return diag_set(diag, -ENOMEM, "no memory for the control socket");
    }
    server->owner.backend = *backend;
    server->owner.idle_ms = setup->idle_ms ? setup->idle_ms : CONTROL_IDLE_MS;
    server->owner.on_gone = peer_gone;
    int err = set_paths(setup->socket_path, server->listeners, diag);
    if (err < 0) {
        free(server);
        return err;
    }
    err = open_listener(server, ROLE_ADMIN, setup->loop, diag);
    if (err == 0) {
        err = open_listener(server, ROLE_WEB, setup->loop, diag);
    }
    if (err < 0) {
        control_close(server);
        return err;
    }
    *ret_server = server;
    return 0;
}

void control_close(struct control_server *server)
{
    if (!server || server->closing) {
        return;
    }
    server->closing = true;
    for (size_t i = 0; i < 2; i++) {
        struct listener *listener = &server->listeners[i];
        if (listener->server && listener->pipe.data) {
            uv_close((uv_handle_t *)&listener->pipe, listener_closed);
        }
    }
    for (struct peer *peer = server->peers; peer; peer = peer->next) {
        peer_close(peer);
    }
    free_when_empty(server);
}
