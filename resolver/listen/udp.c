// SPDX-License-Identifier: Apache-2.0
#include "listen/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    PACKET_MAX = 4096, /* a query has no business being larger, padding included */
    CONTROL_MAX = 64,
    BATCHES_PER_WAKE = 4, /* then the loop's other handles have their turn */
    DRAIN_BATCHES = 1024, /* more than a socket's buffer holds */
    DISCARD_PORT = 9,
    BEHIND_WAKES = 8, /* that end with packets left: we cannot keep up */
};

struct slot {
    struct query query;
    struct sockaddr_storage peer;
    uint8_t packet[PACKET_MAX];
    _Alignas(16) uint8_t control[CONTROL_MAX];
};

struct udp_batch {
    struct query_worker *worker;
    struct slot *slots; /* [UDP_BATCH] */
    /* Replies stand close together, for all of a batch to lie in few pages: each begins where
     * that before it ended. */
    uint8_t *rooms;
    size_t room_used;
    struct mmsghdr received[UDP_BATCH];
    struct udp_listener *prepared; /* for whose packets the headers of `received` are */
    struct iovec receive_parts[UDP_BATCH];
    struct mmsghdr replies[UDP_BATCH];
    struct iovec reply_parts[UDP_BATCH];
    unsigned reply_count;
    struct udp_listener *busy; /* whose batch is being served: replies are gathered */
};

struct udp_listener {
    struct query_channel channel; /* first, so that a channel is its listener */
    struct udp_batch *batch;
    uv_poll_t poll;
    int fd;
    struct addr local;
    bool wildcard;
    unsigned behind; /* wake-ups in a row that ended with packets left */
};

/* UDP_BATCH replies of any length, and room to write the last in. */
enum { ROOMS = (UDP_BATCH - 1) * (DNS_MESSAGE_MAX + 1) + QUERY_ROOM + 64 };

struct udp_batch *udp_batch_new(struct query_worker *worker)
{
    struct udp_batch *batch = calloc(1, sizeof(*batch));
    if (!batch) {
        return NULL;
    }
    batch->worker = worker;
    batch->slots = calloc(UDP_BATCH, sizeof(*batch->slots));
    batch->rooms = mmap(NULL, ROOMS, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (!batch->slots || batch->rooms == MAP_FAILED) {
        batch->rooms = batch->rooms == MAP_FAILED ? NULL : batch->rooms;
        udp_batch_free(batch);
        return NULL;
    }
    for (unsigned i = 0; i < UDP_BATCH; i++) {
        struct slot *slot = &batch->slots[i];
        slot->query.worker = worker;
        slot->query.packet = slot->packet;
        batch->receive_parts[i] = (struct iovec){slot->packet, sizeof(slot->packet)};
    }
    return batch;
}

void udp_batch_free(struct udp_batch *batch)
{
    if (!batch) {
        return;
    }
    if (batch->rooms) {
        munmap(batch->rooms, ROOMS);
    }
    free(batch->slots);
    free(batch);
}

/* Make the first headers ready to receive into; the kernel writes to those of packets alone. */
static void prepare(struct udp_listener *listener, unsigned count)
{
    struct udp_batch *batch = listener->batch;
    for (unsigned i = 0; i < count; i++) {
        struct slot *slot = &batch->slots[i];
        batch->received[i].msg_hdr = (struct msghdr){
            .msg_name = &slot->peer,
            .msg_namelen = sizeof(slot->peer),
            .msg_iov = &batch->receive_parts[i],
            .msg_iovlen = 1,
            .msg_control = listener->wildcard ? slot->control : NULL,
            .msg_controllen = listener->wildcard ? CONTROL_MAX : 0,
        };
    }
}

/* The address that a packet came to, from its control data. */
static void read_local(struct msghdr *header, struct addr *local)
{
    for (struct cmsghdr *at = CMSG_FIRSTHDR(header); at; at = CMSG_NXTHDR(header, at)) {
        if (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(at), sizeof(info));
            *local = (struct addr){.family = AF_INET, .port = local->port};
            memcpy(local->bytes, &info.ipi_spec_dst, 4); /* ours, if it came to a broadcast one */
        } else if (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(at), sizeof(info));
            const struct sockaddr_in6 asked = {.sin6_family = AF_INET6,
                                               .sin6_port = htons(local->port),
                                               .sin6_addr = info.ipi6_addr,
                                               .sin6_scope_id = info.ipi6_ifindex};
            addr_from_sockaddr((const struct sockaddr *)&asked, local);
        }
    }
}

/* Control data that makes a reply leave from `local`; returns its length. */
static size_t write_local(const struct addr *local, uint8_t control[CONTROL_MAX])
{
    struct msghdr header = {.msg_control = control, .msg_controllen = CONTROL_MAX};
    struct cmsghdr *at = CMSG_FIRSTHDR(&header);
    memset(control, 0, CONTROL_MAX);
    if (local->family == AF_INET) {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, local->bytes, 4);
        at->cmsg_level = IPPROTO_IP;
        at->cmsg_type = IP_PKTINFO;
        at->cmsg_len = CMSG_LEN(sizeof(info));
        memcpy(CMSG_DATA(at), &info, sizeof(info));
        return CMSG_SPACE(sizeof(info));
    }
    struct in6_pktinfo info = {.ipi6_ifindex = local->scope};
    memcpy(&info.ipi6_addr, local->bytes, 16);
    at->cmsg_level = IPPROTO_IPV6;
    at->cmsg_type = IPV6_PKTINFO;
    at->cmsg_len = CMSG_LEN(sizeof(info));
    memcpy(CMSG_DATA(at), &info, sizeof(info));
    return CMSG_SPACE(sizeof(info));
}

/* A reply of the batch being served: it goes with the others. The slot's own peer and
 * control buffers are used again. */
static void gather(struct udp_batch *batch, const struct query *query)
{
    struct slot *slot = (struct slot *)query;
    unsigned at = batch->reply_count++;
    struct udp_listener *listener = batch->busy;
    batch->reply_parts[at] = (struct iovec){query->out.data, query->out.len};
    batch->room_used += (query->out.len + 63) / 64 * 64;
    batch->replies[at].msg_hdr = (struct msghdr){
        .msg_name = &slot->peer,
        .msg_namelen = query->client.family == AF_INET && slot->peer.ss_family == AF_INET
                           ? sizeof(struct sockaddr_in)
                           : sizeof(struct sockaddr_in6),
        .msg_iov = &batch->reply_parts[at],
        .msg_iovlen = 1,
    };
    if (listener->wildcard) {
        batch->replies[at].msg_hdr.msg_control = slot->control;
        batch->replies[at].msg_hdr.msg_controllen = write_local(&query->local, slot->control);
    }
}

/* A reply that had to wait. */
static void send_alone(struct udp_listener *listener, const struct query *query)
{
    struct sockaddr_storage peer;
    _Alignas(16) uint8_t control[CONTROL_MAX];
    struct iovec part = {query->out.data, query->out.len};
    struct msghdr header = {
        .msg_name = &peer,
        .msg_namelen = addr_to_sockaddr(&query->client, &peer),
        .msg_iov = &part,
        .msg_iovlen = 1,
    };
    if (listener->wildcard) {
        header.msg_control = control;
        header.msg_controllen = write_local(&query->local, control);
    }
    if (listener->fd < 0 || sendmsg(listener->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        query_count_drop(query->worker->drops, DROP_SEND);
    }
}

static void send_reply(struct query_channel *channel, const struct query *query)
{
    struct udp_listener *listener = (struct udp_listener *)channel;
    if (listener->batch->busy && query != query->worker->resumed) {
        gather(listener->batch, query);
    } else {
        send_alone(listener, query);
    }
}

static void hold(struct query_channel *channel)
{
    (void)channel; /* a socket stays until its worker ends */
}

static void flush(struct udp_listener *listener)
{
    struct udp_batch *batch = listener->batch;
    unsigned sent = 0;
    while (sent < batch->reply_count) {
        int done = sendmmsg(listener->fd, batch->replies + sent, batch->reply_count - sent,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        if (done <= 0) {
            /* That one cannot be sent: go on behind it. */
            query_count_drop(batch->worker->drops, DROP_SEND);
            done = 1;
        }
        sent += (unsigned)done;
    }
    batch->reply_count = 0;
}

/* Each step is done for the whole batch, so that the memory of the next one is on its
 * way. */
static void serve(struct udp_listener *listener, unsigned count)
{
    struct udp_batch *batch = listener->batch;
    batch->busy = listener;
    batch->room_used = 0;
    for (unsigned i = 0; i < count; i++) {
        struct slot *slot = &batch->slots[i];
        struct query *query = &slot->query;
        struct msghdr *header = &batch->received[i].msg_hdr;
        query->channel = &listener->channel;
        /* What was too long for us was no query: a header alone is a format error. */
        bool cut = header->msg_flags & MSG_TRUNC;
        query->packet_len = cut ? DNS_HEADER : batch->received[i].msg_len;
        query->local = listener->local;
        addr_from_sockaddr((struct sockaddr *)&slot->peer, &query->client);
        if (listener->wildcard) {
            read_local(header, &query->local);
        }
        query_begin(query);
    }
    for (unsigned i = 0; i < count; i++) {
        query_decide(&batch->slots[i].query);
    }
    for (unsigned i = 0; i < count; i++) {
        query_fetch(&batch->slots[i].query);
    }
    for (unsigned i = 0; i < count; i++) {
        batch->slots[i].query.room = batch->rooms + batch->room_used;
        query_resume(&batch->slots[i].query);
    }
    flush(listener);
    batch->busy = NULL;
}

/* One batch of what has come; false when there is no more. */
static bool serve_batch(struct udp_listener *listener)
{
    struct udp_batch *batch = listener->batch;
    if (batch->prepared != listener) {
        prepare(listener, UDP_BATCH);
        batch->prepared = listener;
    }
    int count = recvmmsg(listener->fd, batch->received, UDP_BATCH, MSG_DONTWAIT, NULL);
    if (count <= 0) {
        return false;
    }
    query_tick(batch->worker);
    query_batch(batch->worker, listener->behind >= BEHIND_WAKES);
    serve(listener, (unsigned)count);
    query_batch(batch->worker, false);
    prepare(listener, (unsigned)count);
    return count == UDP_BATCH;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)events;
    struct udp_listener *listener = poll->data;
    bool more = status == 0;
    for (unsigned i = 0; more && i < BATCHES_PER_WAKE; i++) {
        more = serve_batch(listener);
    }
    listener->behind = !more ? 0 : listener->behind + (listener->behind < BEHIND_WAKES);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

int udp_listener_start(struct udp_batch *batch, uv_loop_t *loop, int fd,
                       struct udp_listener **ret_listener)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    struct udp_listener *listener = calloc(1, sizeof(*listener));
    if (!listener || getsockname(fd, (struct sockaddr *)&sa, &len) < 0) {
        free(listener);
        return listener ? -errno : -ENOMEM;
    }
    listener->channel = (struct query_channel){send_reply, hold, hold, STATS_UDP};
    listener->batch = batch;
    listener->fd = fd;
    addr_from_sockaddr((struct sockaddr *)&sa, &listener->local);
    listener->wildcard = addr_is_any(&listener->local);
    int err = uv_poll_init(loop, &listener->poll, fd);
    if (err < 0) {
        free(listener);
        return err;
    }
    listener->poll.data = listener;
    err = uv_poll_start(&listener->poll, UV_READABLE, on_readable);
    if (err < 0) {
        uv_close((uv_handle_t *)&listener->poll, on_closed);
        return err;
    }
    *ret_listener = listener;
    return 0;
}

/* A connected socket gets nothing from others: what comes from now on goes to the other
 * sockets of the address, those of our successor. */
static void leave_group(const struct udp_listener *listener)
{
    struct addr nobody = listener->local;
    struct sockaddr_storage sa;
    nobody.port = DISCARD_PORT;
    if (listener->wildcard) {
        nobody.bytes[nobody.family == AF_INET ? 0 : 15] = nobody.family == AF_INET ? 127 : 1;
        nobody.bytes[3] |= nobody.family == AF_INET;
    }
    (void)connect(listener->fd, (struct sockaddr *)&sa, addr_to_sockaddr(&nobody, &sa));
}

void udp_listener_drain(struct udp_listener *listener, bool lent)
{
    uv_poll_stop(&listener->poll);
    if (lent) {
        return;
    }
    leave_group(listener);
    for (unsigned i = 0; i < DRAIN_BATCHES && serve_batch(listener); i++) {
    }
}

void udp_listener_stop(struct udp_listener *listener)
{
    uv_close((uv_handle_t *)&listener->poll, on_closed);
    close(listener->fd);
    listener->fd = -1;
}
