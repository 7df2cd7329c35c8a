// SPDX-License-Identifier: Apache-2.0
#include "control/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_CAP = 4096 };

struct call {
    int fd;
    int64_t until_ms;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int wait_for(const struct call *call, short events)
{
    for (;;) {
        int64_t left = call->until_ms - now_ms();
        struct pollfd wait = {.fd = call->fd, .events = events};
        int ready = left > 0 ? poll(&wait, 1, (int)left) : 0;
        if (ready > 0) {
            return 0;
        }
        if (ready == 0) {
            return -ETIMEDOUT;
        }
        if (errno != EINTR) {
            return -errno;
        }
    }
}

/* Connecting waits while the daemon has more callers than it can take at once. */
static int dial(const char *path, unsigned timeout_ms, int *ret_fd)
{
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    const struct timeval limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
    size_t len = strlen(path);
    if (len >= sizeof(place.sun_path)) {
        return -ENAMETOOLONG;
    }
    memcpy(place.sun_path, path, len + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
        connect(fd, (struct sockaddr *)&place, sizeof(place)) < 0 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
        int err = errno == EAGAIN ? -ETIMEDOUT : -errno;
        close(fd);
        return err;
    }
    *ret_fd = fd;
    return 0;
}

/* A daemon that refuses us may close before it has read all: its reply still counts. */
static int send_all(const struct call *call, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(call->fd, data, len, MSG_NOSIGNAL);
        if (sent > 0) {
            data += sent;
            len -= (size_t)sent;
        } else if (errno == EPIPE || errno == ECONNRESET) {
            return 0;
        } else if (errno == EAGAIN) {
            int err = wait_for(call, POLLOUT);
            if (err < 0) {
                return err;
            }
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

/* Read until a frame is whole. */
static int receive(const struct call *call, uint8_t **data, cJSON **ret_reply)
{
    size_t len = 0, cap = 0;
    for (;;) {
        int used = len ? client_unframe(*data, len, ret_reply) : 0;
        if (used != 0) {
            return used < 0 ? used : 0;
        }
        if (len == cap) {
            cap = cap ? cap * 2 : FIRST_CAP; /* client_unframe() bounds it */
            uint8_t *more = realloc(*data, cap);
            if (!more) {
                return -ENOMEM;
            }
            *data = more;
        }
        ssize_t got = recv(call->fd, *data + len, cap - len, 0);
        if (got == 0) {
            return -EBADMSG;
        }
        int err = got > 0 ? 0 : errno == EAGAIN ? wait_for(call, POLLIN) : -errno;
        if (err < 0 && err != -EINTR) {
            return err;
        }
        len += got > 0 ? (size_t)got : 0;
    }
}

static int say(struct diag *diag, int err, const char *path)
{
    switch (err) {
    case -ENOENT:
    case -ECONNREFUSED:
        return diag_set(diag, -ECONNREFUSED,
                        "greengated is not running: no daemon answers on %.200s", path);
    case -EACCES:
        return diag_set(diag, err, "%.200s: permission denied; use sudo, or be in its group", path);
    case -ETIMEDOUT: return diag_set(diag, err, "the daemon does not answer on %.200s", path);
    case -EBADMSG: return diag_set(diag, err, "the daemon's reply is not understood");
    default: return diag_set(diag, err, "%.200s: %s", path, strerror(-err));
    }
}

int client_call(const struct client_target *target, const cJSON *request, cJSON **ret_reply,
                struct diag *diag)
{
    struct call call = {.fd = -1, .until_ms = now_ms() + target->timeout_ms};
    uint8_t *data = NULL;
    size_t len = 0;
    uint8_t *frame = client_frame(request, &len);
    int err = frame ? dial(target->socket_path, target->timeout_ms, &call.fd) : -ENOMEM;
    if (err == 0) {
        err = send_all(&call, frame, len);
    }
    if (err == 0) {
        err = receive(&call, &data, ret_reply);
    }
    free(data);
    free(frame);
    if (call.fd >= 0) {
        close(call.fd);
    }
    return err < 0 ? say(diag, err, target->socket_path) : 0;
}
