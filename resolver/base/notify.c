// SPDX-License-Identifier: Apache-2.0
#include "base/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static socklen_t manager_address(struct sockaddr_un *sa)
{
    const char *path = getenv("NOTIFY_SOCKET");
    size_t len = path ? strlen(path) : 0;
    if (len < 2 || len >= sizeof(sa->sun_path) || (path[0] != '/' && path[0] != '@')) {
        return 0;
    }
    *sa = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(sa->sun_path, path, len);
    if (path[0] == '@') {
        sa->sun_path[0] = '\0'; /* the abstract namespace */
    }
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

bool notify_has_manager(void)
{
    struct sockaddr_un sa;
    return manager_address(&sa) > 0;
}

void notify_send_fd(const char *state, int fd)
{
    struct sockaddr_un sa;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {(void *)state, strlen(state)};
    struct msghdr message = {.msg_name = &sa, .msg_iov = &part, .msg_iovlen = 1};
    message.msg_namelen = manager_address(&sa);
    if (message.msg_namelen == 0) {
        return;
    }
    if (fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof(control);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    }
    int one = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (one >= 0) {
        (void)sendmsg(one, &message, MSG_NOSIGNAL);
        close(one);
    }
}

void notify_send(const char *state)
{
    notify_send_fd(state, -1);
}

static unsigned long long number_of(const char *name)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : 0;
}

bool notify_is_watched(void)
{
    unsigned long long pid = number_of("WATCHDOG_PID");
    return number_of("WATCHDOG_USEC") > 0 && (pid == 0 || pid == (unsigned long long)getpid());
}

unsigned notify_interval_ms(unsigned usual_ms)
{
    unsigned long long third = number_of("WATCHDOG_USEC") / 3000;
    return !notify_is_watched() || third > usual_ms ? usual_ms : third > 0 ? (unsigned)third : 1;
}
