// SPDX-License-Identifier: Apache-2.0
#include "listen/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 256, FAST_OPEN_QUEUE = 64, RECEIVE_BYTES = 1 << 20 };

static int set_flag(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value));
}

static const char *remedy(int err)
{
    switch (err) {
    case EADDRINUSE: return "another program listens there: see `ss -lntup`, or change dns.listen";
    case EACCES: return "ports below 1024 need root or CAP_NET_BIND_SERVICE";
    case EADDRNOTAVAIL: return "this machine has no such address: change dns.listen";
    default: return "change dns.listen";
    }
}

static int open_bound(const struct addr *addr, int type, struct diag *diag)
{
    struct sockaddr_storage sa;
    char text[ADDR_TEXT_MAX];
    socklen_t len = addr_to_sockaddr(addr, &sa);
    int fd = socket(addr->family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int err = fd < 0 ? -errno : 0;
    if (err == 0 && (set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0 ||
                     set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0)) {
        err = -errno;
    }
    if (err == 0 && addr->family == AF_INET6 && set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) < 0) {
        err = -errno;
    }
    if (err == 0 && bind(fd, (struct sockaddr *)&sa, len) < 0) {
        err = -errno;
    }
    if (err < 0) {
        if (fd >= 0) {
            close(fd);
        }
        return diag_set(diag, err, "cannot listen on %s %s: %s; %s",
                        type == SOCK_DGRAM ? "udp" : "tcp", addr_print(addr, text), strerror(-err),
                        remedy(-err));
    }
    return fd;
}

static void prepare_udp(int fd, const struct addr *addr)
{
    (void)set_flag(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BYTES);
    if (addr->family == AF_INET) {
        (void)set_flag(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
        (void)set_flag(fd, IPPROTO_IP, IP_PKTINFO, addr_is_any(addr));
    } else {
        (void)set_flag(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
        (void)set_flag(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, addr_is_any(addr));
    }
}

static int listen_on(int fd, struct diag *diag)
{
    (void)set_flag(fd, IPPROTO_TCP, TCP_FASTOPEN, FAST_OPEN_QUEUE);
    if (listen(fd, BACKLOG) < 0) {
        int err = -errno;
        return diag_set(diag, err, "cannot listen on tcp: %s", strerror(-err));
    }
    return 0;
}

int socket_open_udp(const struct addr *addr, struct diag *diag)
{
    int fd = open_bound(addr, SOCK_DGRAM, diag);
    if (fd >= 0) {
        prepare_udp(fd, addr);
    }
    return fd;
}

int socket_open_tcp(const struct addr *addr, struct diag *diag)
{
    int fd = open_bound(addr, SOCK_STREAM, diag);
    int err = fd < 0 ? fd : listen_on(fd, diag);
    if (fd >= 0 && err < 0) {
        close(fd);
    }
    return err < 0 ? err : fd;
}

int socket_adopt(int fd, int type, struct diag *diag)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    struct addr addr;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        getsockname(fd, (struct sockaddr *)&sa, &len) < 0) {
        int err = -errno;
        return diag_set(diag, err, "a socket that was handed over: %s", strerror(-err));
    }
    addr_from_sockaddr((struct sockaddr *)&sa, &addr);
    if (type == SOCK_STREAM) {
        return listen_on(fd, diag);
    }
    prepare_udp(fd, &addr);
    return 0;
}
