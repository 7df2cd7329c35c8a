// SPDX-License-Identifier: Apache-2.0
#include "upstream/flight.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/wire.h"

enum {
    PORT_FIRST = 1024,
    PORT_TRIES = 8,
    RECEIVE_BURST = 16, /* packets looked at per wake-up, so that a flood cannot hold the loop */
};

struct udp_attempt {
    struct attempt attempt;
    uv_poll_t poll;
    int fd;
};

/* A port of the full range, chosen by us: the kernel's own range is smaller. */
static void bind_random_port(struct upstream *upstream, int fd, uint8_t family)
{
    for (unsigned i = 0; i < PORT_TRIES; i++) {
        uint16_t bits;
        struct sockaddr_storage sa;
        struct addr any = {.family = family};
        upstream_random(upstream, &bits, sizeof(bits));
        any.port = bits;
        if (bits < PORT_FIRST) {
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
    bind_random_port(upstream, fd, addr->family);
    if (connect(fd, (struct sockaddr *)&sa, len) < 0) {
        int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void udp_attempt_end(struct attempt *attempt)
{
    struct udp_attempt *udp = (struct udp_attempt *)attempt;
    attempt->flight = NULL;
    uv_close((uv_handle_t *)&udp->poll, on_closed);
    close(udp->fd);
    udp->fd = -1;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct udp_attempt *udp = poll->data;
    (void)events;
    for (unsigned i = 0; i < RECEIVE_BURST && udp->attempt.flight; i++) {
        struct upstream *upstream = udp->attempt.flight->upstream;
        ssize_t len = status < 0 ? status : recv(udp->fd, upstream->receive, DNS_MESSAGE_MAX, 0);
        if (len >= 0) {
            struct packet packet = {upstream->receive, (size_t)len};
            if (flight_receive(&udp->attempt, &packet)) {
                return;
            }
        } else if (status < 0 || (errno != EAGAIN && errno != EINTR)) {
            flight_refused(&udp->attempt);
            return;
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

static int send_query(struct udp_attempt *udp)
{
    uint8_t octets[ASK_WIRE_MAX];
    struct wire out;
    wire_init(&out, octets, sizeof(octets));
    attempt_write(&udp->attempt, &out);
    return send(udp->fd, out.data, out.len, MSG_NOSIGNAL) < 0 ? -errno : 0;
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
    int err = udp->fd < 0 ? udp->fd : uv_poll_init(upstream->setup.loop, &udp->poll, udp->fd);
    if (err < 0) {
        if (udp->fd >= 0) {
            close(udp->fd);
        }
        free(udp);
        return err;
    }
    udp->poll.data = udp;
    err = send_query(udp);
    if (err == 0) {
        err = uv_poll_start(&udp->poll, UV_READABLE, on_readable);
    }
    if (err < 0) {
        udp_attempt_end(&udp->attempt);
        return err;
    }
    flight_add(flight, &udp->attempt);
    return 0;
}
