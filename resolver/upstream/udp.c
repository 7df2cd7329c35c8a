// SPDX-License-Identifier: Apache-2.0
#include "upstream/flight.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/wire.h"
#include "upstream/cookie.h"

enum {
    PORT_FIRST = 1024,
    PORT_TRIES = 8,
    EVENTS = 64,
    RECEIVE_BURST = 16, /* packets looked at per wake-up, so that a flood cannot hold the loop */
};

struct udp_attempt {
    struct attempt attempt;
    struct udp_attempt *next; /* once it has ended */
    int fd;
};

/* A port of the full range, chosen by us: the kernel's own range is smaller. Never the
 * server's own: on this host the socket would be connected to itself, and would keep the
 * server from its port. */
static void bind_random_port(struct upstream *upstream, int fd, const struct addr *server)
{
    for (unsigned i = 0; i < PORT_TRIES; i++) {
        uint16_t bits;
        struct sockaddr_storage sa;
        struct addr any = {.family = server->family};
        upstream_random(upstream, &bits, sizeof(bits));
        any.port = bits;
        if (bits < PORT_FIRST || bits == server->port) {
            continue;
        }
        if (bind(fd, (struct sockaddr *)&sa, addr_to_sockaddr(&any, &sa)) == 0) {
            return;
        }
    }
    /* None was free: connect() lets the kernel choose, at random too. */
}

static int open_socket(struct upstream *upstream, const struct addr *addr)
{
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(addr, &sa);
    int fd = socket(addr->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    if (addr->family == AF_INET) {
        int omit = IP_PMTUDISC_OMIT; /* forged fragmentation reports change nothing */
        (void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &omit, sizeof(omit));
    } else {
        int omit = IPV6_PMTUDISC_OMIT;
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &omit, sizeof(omit));
    }
    bind_random_port(upstream, fd, addr);
    if (connect(fd, (struct sockaddr *)&sa, len) < 0) {
        int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

/* An event may still point at it: freed when all events have been seen. */
void udp_attempt_end(struct attempt *attempt)
{
    struct udp_attempt *udp = (struct udp_attempt *)attempt;
    struct upstream *upstream = attempt->flight->upstream;
    attempt->flight = NULL;
    close(udp->fd); /* which takes it out of the epoll set too */
    udp->fd = -1;
    if (upstream->receiving) {
        udp->next = upstream->ended;
        upstream->ended = udp;
    } else {
        free(udp);
    }
}

static void free_ended(struct upstream *upstream)
{
    while (upstream->ended) {
        struct udp_attempt *udp = upstream->ended;
        upstream->ended = udp->next;
        free(udp);
    }
}

static void receive(struct udp_attempt *udp)
{
    struct upstream *upstream = udp->attempt.flight ? udp->attempt.flight->upstream : NULL;
    for (unsigned i = 0; i < RECEIVE_BURST && udp->attempt.flight; i++) {
        ssize_t len = recv(udp->fd, upstream->receive, DNS_MESSAGE_MAX, 0);
        if (len >= 0) {
            struct packet packet = {upstream->receive, (size_t)len};
            if (flight_receive(&udp->attempt, &packet)) {
                return;
            }
        } else if (errno != EAGAIN && errno != EINTR) {
            flight_refused(&udp->attempt);
            return;
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct upstream *upstream = poll->data;
    struct epoll_event ready[EVENTS];
    (void)status;
    (void)events;
    int count = epoll_wait(upstream->epoll, ready, EVENTS, 0);
    upstream->receiving = true;
    for (int i = 0; i < count; i++) {
        receive(ready[i].data.ptr);
    }
    upstream->receiving = false;
    free_ended(upstream);
}

int udp_open(struct upstream *upstream)
{
    upstream->epoll = epoll_create1(EPOLL_CLOEXEC);
    int err = upstream->epoll < 0
                  ? -errno
                  : uv_poll_init(upstream->setup.loop, &upstream->poll, upstream->epoll);
    if (err < 0) {
        if (upstream->epoll >= 0) {
            close(upstream->epoll);
        }
        return err;
    }
    upstream->poll.data = upstream;
    return uv_poll_start(&upstream->poll, UV_READABLE, on_ready);
}

void udp_close(struct upstream *upstream)
{
    close(upstream->epoll);
}

static struct addr local_of(int fd)
{
    struct sockaddr_storage sa;
    struct addr local = {0};
    socklen_t len = sizeof(sa);
    if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0) {
        addr_from_sockaddr((struct sockaddr *)&sa, &local);
    }
    return local;
}

static int send_query(struct udp_attempt *udp)
{
    uint8_t octets[ASK_WIRE_MAX];
    struct wire out;
    struct addr local = local_of(udp->fd);
    struct server *server = attempt_server(&udp->attempt);
    if (server) {
        cookie_leave_from(server, &local);
    }
    wire_init(&out, octets, sizeof(octets));
    attempt_write(&udp->attempt, &out);
    return send(udp->fd, out.data, out.len, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int start(struct upstream *upstream, struct udp_attempt *udp)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = udp};
    int err = send_query(udp);
    if (err == 0 && epoll_ctl(upstream->epoll, EPOLL_CTL_ADD, udp->fd, &event) < 0) {
        err = -errno;
    }
    return err;
}

int udp_attempt_start(struct flight *flight, int server)
{
    struct upstream *upstream = flight->upstream;
    struct udp_attempt *udp = calloc(1, sizeof(*udp));
    if (!udp) {
        return -ENOMEM;
    }
    attempt_prepare(&udp->attempt, flight, server);
    udp->fd = open_socket(upstream, &upstream->table.servers[server].plan->url.addr);
    if (udp->fd < 0) {
        int err = udp->fd;
        free(udp);
        return err;
    }
    int err = start(upstream, udp);
    if (err < 0) {
        udp_attempt_end(&udp->attempt);
        return err;
    }
    flight_add(flight, &udp->attempt);
    return 0;
}
