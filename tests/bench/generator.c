// SPDX-License-Identifier: Apache-2.0
/* generator: asks a DNS server on loopback as fast as it answers, or at a fixed rate.
 *
 * generator PORT FILE SECONDS [QUERIES_PER_SECOND]. FILE has a name and a type (A) in a
 * line, as dnsperf's. Batches go out by sendmmsg over several sockets, so that the
 * server and not the generator is what is measured. Prints one JSON object. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH = 64,
    SOCKETS = 8,
    QUERIES_MAX = 200000,
    PACKET_MAX = 300,
    WINDOW = 1024,       /* queries on their way at once, all sockets together */
    STUCK_NS = 50000000, /* nothing came for so long: they are lost */
    SLOTS = 1 << 16,     /* query ids */
    BUCKETS = 200000,    /* of a microsecond */
    BUFFER = 1 << 21,
};

struct packet {
    uint16_t len;
    uint8_t octets[PACKET_MAX];
};

static struct packet *queries;
static size_t query_count;
static int sockets[SOCKETS];
static uint64_t sent_at[SOCKETS][SLOTS]; /* by id, 0 = answered */
static uint32_t latencies[BUCKETS];
static uint64_t sent, answered, next_id;
static uint8_t inbox[BATCH][PACKET_MAX * 5];
static uint8_t outbox[BATCH][PACKET_MAX]; /* a query may stand in a batch twice */

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* A query for type A: header, name, type, class. */
static bool make_query(const char *name, struct packet *packet)
{
    static const uint8_t head[12] = {0, 0, 1, 0, 0, 1};
    static const uint8_t tail[5] = {0, 0, 1, 0, 1};
    size_t at = sizeof(head);
    memcpy(packet->octets, head, sizeof(head));
    for (const char *label = name; *label;) {
        size_t len = strcspn(label, ".");
        if (len == 0 || len > 63 || at + len + 1 + sizeof(tail) > PACKET_MAX) {
            return false;
        }
        packet->octets[at++] = (uint8_t)len;
        memcpy(packet->octets + at, label, len);
        at += len;
        label += len + (label[len] == '.');
    }
    memcpy(packet->octets + at, tail, sizeof(tail));
    packet->len = (uint16_t)(at + sizeof(tail));
    return true;
}

static bool read_queries(const char *path)
{
    char name[512];
    FILE *file = fopen(path, "re");
    queries = calloc(QUERIES_MAX, sizeof(*queries));
    if (!file || !queries) {
        return false;
    }
    while (query_count < QUERIES_MAX && fscanf(file, "%511s %*s", name) == 1) {
        query_count += make_query(name, &queries[query_count]);
    }
    fclose(file);
    return query_count > 0;
}

static bool open_sockets(uint16_t port)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int size = BUFFER;
    for (int i = 0; i < SOCKETS; i++) {
        sockets[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (sockets[i] < 0 || connect(sockets[i], (struct sockaddr *)&to, sizeof(to)) < 0) {
            return false;
        }
        (void)setsockopt(sockets[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    }
    return true;
}

static void take_answer(int index, const uint8_t *octets, uint64_t now)
{
    unsigned id = (unsigned)octets[0] << 8 | octets[1];
    uint64_t begun = sent_at[index][id];
    if (begun == 0 || !(octets[2] & 0x80)) {
        return;
    }
    sent_at[index][id] = 0;
    uint64_t took = (now - begun) / 1000;
    latencies[took < BUCKETS ? took : BUCKETS - 1]++;
    answered++;
}

/* All that waits on a socket; how many answers came. */
static unsigned receive(int index)
{
    struct iovec parts[BATCH];
    struct mmsghdr messages[BATCH] = {0};
    unsigned total = 0;
    int got;
    do {
        for (int i = 0; i < BATCH; i++) {
            parts[i] = (struct iovec){inbox[i], sizeof(inbox[i])};
            messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
        }
        got = recvmmsg(sockets[index], messages, BATCH, MSG_DONTWAIT, NULL);
        uint64_t now = now_ns();
        for (int i = 0; i < got; i++) {
            take_answer(index, inbox[i], now);
        }
        total += got > 0 ? (unsigned)got : 0;
    } while (got == BATCH);
    return total;
}

/* A batch of the next queries; how many left. */
static unsigned ask(int index, unsigned count)
{
    struct iovec parts[BATCH];
    struct mmsghdr messages[BATCH] = {0};
    uint64_t now = now_ns();
    for (unsigned i = 0; i < count; i++) {
        const struct packet *packet = &queries[(sent + i) % query_count];
        uint16_t id = (uint16_t)(next_id + i);
        memcpy(outbox[i], packet->octets, packet->len);
        outbox[i][0] = (uint8_t)(id >> 8);
        outbox[i][1] = (uint8_t)id;
        parts[i] = (struct iovec){outbox[i], packet->len};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
        sent_at[index][id] = now;
    }
    int done = sendmmsg(sockets[index], messages, count, 0);
    unsigned left = done > 0 ? (unsigned)done : 0;
    for (unsigned i = left; i < count; i++) {
        sent_at[index][(uint16_t)(next_id + i)] = 0;
    }
    sent += left;
    next_id += count;
    return left;
}

static void flood(uint64_t until)
{
    uint64_t lost = 0, heard = now_ns();
    for (int index = 0; now_ns() < until; index = (index + 1) % SOCKETS) {
        if (sent - answered - lost < WINDOW) {
            ask(index, BATCH);
        }
        unsigned came = 0;
        for (int i = 0; i < SOCKETS; i++) {
            came += receive(i);
        }
        uint64_t now = now_ns();
        if (came) {
            heard = now;
        } else if (now - heard > STUCK_NS) {
            lost = sent - answered;
            heard = now;
        }
    }
}

/* One query at a time, each at its own moment; the loop spins, so a late answer is the
 * server's lateness. */
static void pace(uint64_t until, uint64_t rate)
{
    uint64_t begin = now_ns(), asked = 0;
    for (uint64_t now = begin; now < until; now = now_ns()) {
        if (now >= begin + asked * 1000000000 / rate) {
            ask((int)(asked % SOCKETS), 1);
            asked++;
        }
        receive((int)(now / 1000 % SOCKETS));
    }
}

static void collect_late(void)
{
    uint64_t until = now_ns() + 200000000;
    while (answered < sent && now_ns() < until) {
        for (int i = 0; i < SOCKETS; i++) {
            receive(i);
        }
    }
}

static unsigned percentile(double part)
{
    uint64_t seen = 0;
    for (unsigned i = 0; i < BUCKETS; i++) {
        seen += latencies[i];
        if ((double)seen >= part * (double)answered) {
            return i;
        }
    }
    return BUCKETS;
}

int main(int argc, char **argv)
{
    if (argc < 4 || !read_queries(argv[2]) || !open_sockets((uint16_t)atoi(argv[1]))) {
        fprintf(stderr, "usage: generator PORT FILE SECONDS [QUERIES_PER_SECOND]\n");
        return 2;
    }
    uint64_t begin = now_ns();
    uint64_t until = begin + (uint64_t)(atof(argv[3]) * 1e9);
    if (argc > 4) {
        pace(until, (uint64_t)atoi(argv[4]));
    } else {
        flood(until);
    }
    double seconds = (double)(now_ns() - begin) / 1e9;
    collect_late();
    printf(
        "{\"sent\": %llu, \"answered\": %llu, \"seconds\": %.3f, \"p50_us\": %u, \"p99_us\": %u, "
        "\"p999_us\": %u}\n",
        (unsigned long long)sent, (unsigned long long)answered, seconds, percentile(0.5),
        percentile(0.99), percentile(0.999));
    return 0;
}
