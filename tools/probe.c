// SPDX-License-Identifier: Apache-2.0
#include "tools/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "dns/addresses.h"
#include "dns/answer.h"

enum { FRAME = 2 };

static int open_socket(const struct probe *probe)
{
    struct sockaddr_storage place;
    socklen_t len = addr_to_sockaddr(&probe->server, &place);
    struct timeval limit = {probe->timeout_ms / 1000, (probe->timeout_ms % 1000) * 1000};
    int fd =
        socket(probe->server.family, (probe->tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    /* On Linux SO_SNDTIMEO bounds connect(2) too. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
        connect(fd, (struct sockaddr *)&place, len) < 0) {
        int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

static bool read_whole(int fd, uint8_t *out, size_t len)
{
    return recv(fd, out, len, MSG_WAITALL) == (ssize_t)len;
}

/* The length of what came, 0 for nothing. */
static size_t receive(const struct probe *probe, int fd, uint8_t *out, size_t cap)
{
    uint8_t head[FRAME];
    if (!probe->tcp) {
        ssize_t len = recv(fd, out, cap, 0);
        return len > 0 ? (size_t)len : 0;
    }
    size_t len = read_whole(fd, head, FRAME) ? (size_t)head[0] << 8 | head[1] : 0;
    return len && len <= cap && read_whole(fd, out, len) ? len : 0;
}

static bool send_query(const struct probe *probe, int fd, const uint8_t *query, size_t len)
{
    uint8_t frame[FRAME + ASK_WIRE_MAX] = {(uint8_t)(len >> 8), (uint8_t)len};
    memcpy(frame + FRAME, query, len);
    const uint8_t *data = probe->tcp ? frame : query;
    size_t all = probe->tcp ? len + FRAME : len;
    return send(fd, data, all, MSG_NOSIGNAL) == (ssize_t)all;
}

static int see_address(void *context, const struct addr *addr)
{
    (void)addr;
    *(bool *)context = true;
    return 0;
}

static enum probe_result judge(const struct ask *ask, const struct packet *packet,
                               uint16_t *ret_rcode)
{
    struct ask_verdict verdict;
    struct answer answer;
    bool found = false;
    if (ask_read_verdict(ask, packet, &verdict) < 0) {
        return PROBE_SILENCE;
    }
    *ret_rcode = verdict.rcode;
    if (verdict.rcode == RCODE_NXDOMAIN) {
        return PROBE_NXDOMAIN;
    }
    if (verdict.rcode != RCODE_NOERROR) {
        return PROBE_FAILURE;
    }
    struct answer_room *room = calloc(1, sizeof(*room));
    const struct answer_source source = {ask, *packet, {0, UINT32_MAX, UINT32_MAX, false}};
    if (room && answer_rebuild(&source, room, &answer) == 0 &&
        addresses_walk(answer.wire, answer.len, see_address, &found) < 0) {
        found = false;
    }
    free(room);
    return found ? PROBE_ADDRESSES : PROBE_NO_DATA;
}

/* RFC 6891 section 6.1.2: options of code, length, data. */
static void see_options(const uint8_t *data, size_t len, struct probe_seen *seen)
{
    for (size_t at = 0; len - at >= 4;) {
        unsigned code = (unsigned)data[at] << 8 | data[at + 1];
        size_t octets = (size_t)data[at + 2] << 8 | data[at + 3];
        if (octets > len - at - 4) {
            return;
        }
        if (code == OPTION_EDE && octets >= 2 && seen->ede < 0) {
            seen->ede = data[at + 4] << 8 | data[at + 5];
        }
        at += 4 + octets;
    }
}

static void see_records(const struct packet *packet, size_t pos, struct probe_seen *seen)
{
    struct rr rr;
    while (pos < packet->len && rr_read(packet->data, packet->len, &pos, &rr) == 0) {
        uint8_t wire[DNAME_WIRE_MAX];
        size_t at = rr.rdata, len;
        if (rr.type == TYPE_OPT) {
            see_options(packet->data + rr.rdata, rr.rdlen, seen);
        } else if (rr.type == TYPE_CNAME && !*seen->target &&
                   rr_expand_name(packet, &at, wire, &len) == 0) {
            dname_print_wire(wire, seen->target);
        }
    }
}

static enum probe_result exchange(const struct probe *probe, int fd, const struct ask *ask,
                                  uint16_t *ret_rcode)
{
    struct ask_extras extras = {0};
    struct ask_mark mark;
    uint8_t query[ASK_WIRE_MAX];
    struct wire wire = {.data = query, .cap = sizeof(query)};
    if (getrandom(extras.random, sizeof(extras.random), 0) != (ssize_t)sizeof(extras.random)) {
        return PROBE_SILENCE;
    }
    ask_write(ask, &extras, &wire, &mark);
    uint8_t *reply = malloc(DNS_MESSAGE_MAX);
    enum probe_result result = PROBE_SILENCE;
    if (reply && send_query(probe, fd, query, wire.len)) {
        size_t len = receive(probe, fd, reply, DNS_MESSAGE_MAX);
        const struct packet packet = {reply, len};
        enum ask_match match = len ? ask_check(ask, &mark, &packet) : ASK_FOREIGN;
        if (match == ASK_OURS || match == ASK_CASE) {
            result = judge(ask, &packet, ret_rcode);
            if (probe->seen) {
                see_records(&packet, DNS_HEADER + mark.name_len + 4U, probe->seen);
            }
        }
    }
    free(reply);
    return result;
}

enum probe_result probe_ask(const struct probe *probe, const struct dname *name, uint16_t type,
                            uint16_t *ret_rcode)
{
    const struct ask ask = {.name = *name, .type = type};
    *ret_rcode = 0;
    int fd = open_socket(probe);
    if (fd < 0) {
        return PROBE_SILENCE;
    }
    enum probe_result result = exchange(probe, fd, &ask, ret_rcode);
    close(fd);
    return result;
}
