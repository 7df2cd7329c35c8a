// SPDX-License-Identifier: Apache-2.0
#include "neigh/neigh.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 32768, READS_AT_ONCE = 256, UNUSABLE = NUD_INCOMPLETE | NUD_FAILED | NUD_NOARP };

struct neigh {
    int fd;        /* -1: none */
    uint32_t dump; /* number of the newest dump, its messages' sequence */
    bool wanted;   /* another one is needed */
    size_t count, cap;
    struct neighbour *rows;
};

struct neigh *neigh_new(void)
{
    struct neigh *neigh = calloc(1, sizeof(*neigh));
    if (neigh) {
        neigh->fd = -1;
    }
    return neigh;
}

static int ask_for_all(struct neigh *neigh)
{
    struct {
        struct nlmsghdr head;
        struct ndmsg body;
    } request = {
        .head = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ndmsg)),
                 .nlmsg_type = RTM_GETNEIGH,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                 .nlmsg_seq = ++neigh->dump},
        .body = {.ndm_family = AF_UNSPEC},
    };
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    ssize_t sent = sendto(neigh->fd, &request, request.head.nlmsg_len, 0,
                          (struct sockaddr *)&kernel, sizeof(kernel));
    neigh->wanted = sent < 0;
    return sent < 0 ? -errno : 0;
}

int neigh_open(struct neigh **ret_neigh)
{
    struct sockaddr_nl place = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_NEIGH};
    struct neigh *neigh = neigh_new();
    if (!neigh) {
        return -ENOMEM;
    }
    neigh->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    int err = neigh->fd < 0 ? -errno : 0;
    if (err == 0 && bind(neigh->fd, (struct sockaddr *)&place, sizeof(place)) < 0) {
        err = -errno;
    }
    if (err == 0) {
        err = ask_for_all(neigh);
    }
    if (err < 0) {
        neigh_close(neigh);
        return err;
    }
    *ret_neigh = neigh;
    return 0;
}

void neigh_close(struct neigh *neigh)
{
    if (neigh) {
        if (neigh->fd >= 0) {
            close(neigh->fd);
        }
        free(neigh->rows);
        free(neigh);
    }
}

int neigh_fd(const struct neigh *neigh)
{
    return neigh->fd;
}

size_t neigh_rows(const struct neigh *neigh, const struct neighbour **ret_rows)
{
    *ret_rows = neigh->rows;
    return neigh->count;
}

static size_t find(const struct neigh *neigh, const struct neighbour *like)
{
    size_t at = 0;
    while (at < neigh->count && (!addr_equal(&neigh->rows[at].addr, &like->addr) ||
                                 neigh->rows[at].interface != like->interface)) {
        at++;
    }
    return at;
}

static bool forget(struct neigh *neigh, const struct neighbour *like)
{
    size_t at = find(neigh, like);
    if (at == neigh->count) {
        return false;
    }
    neigh->rows[at] = neigh->rows[--neigh->count];
    return true;
}

/* A dump is whole: what it did not name is gone. */
static bool sweep(struct neigh *neigh)
{
    size_t kept = 0, before = neigh->count;
    for (size_t i = 0; i < before; i++) {
        if (neigh->rows[i].dump == neigh->dump) {
            neigh->rows[kept++] = neigh->rows[i];
        }
    }
    neigh->count = kept;
    return kept < before;
}

static bool remember(struct neigh *neigh, const struct neighbour *row)
{
    size_t at = find(neigh, row);
    if (at < neigh->count) {
        bool same = memcmp(neigh->rows[at].mac, row->mac, NEIGH_MAC_LEN) == 0;
        neigh->rows[at] = *row;
        return !same;
    }
    if (neigh->count == neigh->cap) {
        size_t cap = neigh->cap ? neigh->cap * 2 : 64;
        struct neighbour *rows = cap > NEIGH_MAX ? NULL : realloc(neigh->rows, cap * sizeof(*rows));
        if (!rows) {
            return false; /* a network that floods the table is not followed further */
        }
        neigh->rows = rows;
        neigh->cap = cap;
    }
    neigh->rows[neigh->count++] = *row;
    return true;
}

/* The attribute of that type, of at least `len` octets; NULL. */
static const uint8_t *find_attribute(const struct nlmsghdr *head, unsigned type, size_t len)
{
    const struct ndmsg *body = NLMSG_DATA(head);
    const struct rtattr *at =
        (const struct rtattr *)((const uint8_t *)body + NLMSG_ALIGN(sizeof(*body)));
    int left = (int)head->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*body));
    for (; RTA_OK(at, left); at = RTA_NEXT(at, left)) {
        if (at->rta_type == type && RTA_PAYLOAD(at) >= len) {
            return RTA_DATA(at);
        }
    }
    return NULL;
}

static bool take_row(struct neigh *neigh, const struct nlmsghdr *head)
{
    struct neighbour row = {0};
    const struct ndmsg *body = NLMSG_DATA(head);
    if (head->nlmsg_len < NLMSG_LENGTH(sizeof(*body)) ||
        (body->ndm_family != AF_INET && body->ndm_family != AF_INET6)) {
        return false;
    }
    size_t len = body->ndm_family == AF_INET ? 4 : 16;
    const uint8_t *address = find_attribute(head, NDA_DST, len);
    const uint8_t *mac = find_attribute(head, NDA_LLADDR, NEIGH_MAC_LEN);
    if (!address) {
        return false;
    }
    row.addr.family = body->ndm_family;
    row.interface = body->ndm_ifindex;
    row.dump = neigh->dump;
    memcpy(row.addr.bytes, address, len);
    bool link_local = len == 16 && address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
    row.addr.scope = link_local ? (uint32_t)body->ndm_ifindex : 0;
    if (head->nlmsg_type == RTM_DELNEIGH || !mac || body->ndm_state & UNUSABLE) {
        return forget(neigh, &row);
    }
    memcpy(row.mac, mac, NEIGH_MAC_LEN);
    return remember(neigh, &row);
}

static bool take_message(struct neigh *neigh, const struct nlmsghdr *head)
{
    bool ours = head->nlmsg_seq == neigh->dump && neigh->dump != 0;
    switch (head->nlmsg_type) {
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH: return take_row(neigh, head);
    case NLMSG_DONE: return ours && sweep(neigh);
    case NLMSG_ERROR: neigh->wanted |= ours; return false; /* the kernel was busy, say */
    default: return false;
    }
}

bool neigh_take(struct neigh *neigh, const uint8_t *data, size_t len)
{
    bool changed = false;
    const struct nlmsghdr *head = (const struct nlmsghdr *)data;
    int left = (int)len; /* it may go below 0 behind the last one */
    while (left >= (int)sizeof(*head) && NLMSG_OK(head, (unsigned)left)) {
        changed |= take_message(neigh, head);
        head = NLMSG_NEXT(head, left);
    }
    return changed;
}

bool neigh_read(struct neigh *neigh)
{
    static _Alignas(struct nlmsghdr) uint8_t buffer[BUFFER]; /* of the one thread */
    bool changed = false;
    if (neigh->wanted) {
        (void)ask_for_all(neigh); /* else the next call does */
    }
    for (unsigned i = 0; i < READS_AT_ONCE; i++) {
        struct sockaddr_nl from = {0};
        socklen_t from_len = sizeof(from);
        ssize_t len =
            recvfrom(neigh->fd, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &from_len);
        if (len < 0 && errno == ENOBUFS) {
            neigh->wanted =
                true; /* something was lost; what is known stays until it is told anew */
        } else if (len <= 0) {
            break;
        } else if (from.nl_pid == 0) { /* from the kernel, nobody else */
            changed |= neigh_take(neigh, buffer, (size_t)len);
        }
    }
    return changed;
}
