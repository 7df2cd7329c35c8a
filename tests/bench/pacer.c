// SPDX-License-Identifier: Apache-2.0
/* pacer: asks a server at an even pace and judges every answer.
 *
 * pacer upstream                       prints its port; every A is 192.0.2.1 for an hour
 * pacer ask PORT QPS SECONDS FILE      lines "b NAME" (must be blocked) and "a NAME" (must
 *                                      be answered); prints one object of JSON
 *
 * Times of arrival are the kernel's, so that a pause of the pacer is not the server's. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { NAMES_MAX = 8192, PACKET_MAX = 512, IDS = 65536, NS_S = 1000000000, DRAIN_NS = 2000000000 };

struct question {
    uint8_t wire[PACKET_MAX];
    size_t len;
    bool blocked;
};

struct asked {
    int64_t at; /* 0: answered */
    bool blocked;
};

static struct question questions[NAMES_MAX];
static struct asked asked[IDS];

struct counts {
    uint64_t sent, answered, wrong;
    int64_t last_reply, gap_max, latency_max;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * NS_S + now.tv_nsec;
}

static int open_socket(uint16_t port, bool server)
{
    struct sockaddr_in addr = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);
    int on = 1, size = 1 << 22;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
    int err = server ? bind(fd, (void *)&addr, len) : connect(fd, (void *)&addr, len);
    if (fd < 0 || err < 0 || getsockname(fd, (void *)&addr, &len) < 0) {
        perror("pacer");
        exit(1);
    }
    if (server) {
        printf("%u\n", ntohs(addr.sin_port));
        fflush(stdout);
    }
    return fd;
}

static size_t question_end(const uint8_t *packet, size_t len)
{
    size_t at = 12;
    while (at < len && packet[at]) {
        at += 1 + (size_t)packet[at];
    }
    return at + 5;
}

__attribute__((noreturn)) static void serve(void)
{
    static const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4, 192, 0, 2, 1};
    int fd = open_socket(0, true);
    for (;;) {
        uint8_t packet[PACKET_MAX + sizeof(record)];
        struct sockaddr_in from;
        socklen_t len = sizeof(from);
        ssize_t got = recvfrom(fd, packet, PACKET_MAX, 0, (void *)&from, &len);
        size_t end = got > 12 ? question_end(packet, (size_t)got) : 0;
        if (end == 0 || end > (size_t)got) {
            continue;
        }
        bool address = packet[end - 3] == 1; /* QTYPE A */
        memcpy(packet + 2, "\x81\x80\0\1\0\0\0\0\0\0", 10);
        packet[7] = address;
        memcpy(packet + end, record, sizeof(record));
        sendto(fd, packet, end + (address ? sizeof(record) : 0), 0, (void *)&from, len);
    }
}

static void add_question(struct question *question, const char *name)
{
    uint8_t *out = question->wire;
    memcpy(out, "\0\0\1\0\0\1\0\0\0\0\0\0", 12);
    size_t at = 12;
    while (*name) {
        size_t label = strcspn(name, ".");
        out[at++] = (uint8_t)label;
        memcpy(out + at, name, label);
        at += label;
        name += label + (name[label] == '.');
    }
    memcpy(out + at, "\0\0\1\0\1", 5);
    question->len = at + 5;
}

static size_t read_questions(const char *path)
{
    char kind[4], name[256];
    size_t count = 0;
    FILE *file = fopen(path, "r");
    while (file && count < NAMES_MAX && fscanf(file, "%3s %255s", kind, name) == 2) {
        questions[count].blocked = kind[0] == 'b';
        add_question(&questions[count++], name);
    }
    return count;
}

/* Blocked: anything but the upstream's address. */
static bool is_blocked(const uint8_t *packet, size_t len)
{
    return !(len > 16 && packet[7] == 1 && (packet[3] & 15) == 0 &&
             memmem(packet + 12, len - 12, "\0\4\xc0\0\2\1", 6));
}

static int64_t arrival(struct msghdr *message)
{
    struct cmsghdr *control = CMSG_FIRSTHDR(message);
    struct timespec at;
    if (!control || control->cmsg_type != SCM_TIMESTAMPNS) {
        return now_ns();
    }
    memcpy(&at, CMSG_DATA(control), sizeof(at));
    return (int64_t)at.tv_sec * NS_S + at.tv_nsec;
}

static void take_replies(int fd, struct counts *counts)
{
    for (;;) {
        uint8_t packet[PACKET_MAX], control[128];
        struct iovec part = {packet, sizeof(packet)};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof(control)};
        ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT);
        if (got < 12) {
            return;
        }
        struct asked *one = &asked[packet[0] << 8 | packet[1]];
        int64_t at = arrival(&message);
        if (!one->at) {
            continue;
        }
        int64_t since = one->at > counts->last_reply ? one->at : counts->last_reply;
        counts->gap_max = at - since > counts->gap_max ? at - since : counts->gap_max;
        counts->latency_max =
            at - one->at > counts->latency_max ? at - one->at : counts->latency_max;
        counts->last_reply = at;
        counts->answered++;
        counts->wrong += is_blocked(packet, (size_t)got) != one->blocked;
        one->at = 0;
    }
}

static int ask(uint16_t port, int64_t qps, int64_t seconds, const char *path)
{
    size_t count = read_questions(path);
    int fd = open_socket(port, false);
    struct counts counts = {0};
    int64_t start = now_ns(), end = start + seconds * NS_S;
    if (count == 0) {
        fprintf(stderr, "pacer: no names in %s\n", path);
        return 1;
    }
    for (int64_t now = start; now < end + DRAIN_NS; now = now_ns()) {
        uint64_t due = now < end ? (uint64_t)((now - start) / 1000 * qps / 1000000) : 0;
        while (counts.sent < due) {
            struct question *question = &questions[counts.sent % count];
            uint16_t id = (uint16_t)counts.sent++;
            question->wire[0] = (uint8_t)(id >> 8);
            question->wire[1] = (uint8_t)id;
            asked[id] = (struct asked){now_ns(), question->blocked};
            if (send(fd, question->wire, question->len, 0) < 0) {
                perror("pacer: send");
            }
        }
        struct pollfd wait = {fd, POLLIN, 0};
        const struct timespec tick = {0, 200000};
        ppoll(&wait, 1, &tick, NULL);
        take_replies(fd, &counts);
        if (now >= end && counts.answered == counts.sent) {
            break;
        }
    }
    printf("{\"sent\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"wrong\": %" PRIu64
           ", \"gap_ms\": %.2f, \"latency_ms\": %.2f}\n",
           counts.sent, counts.sent - counts.answered, counts.wrong, (double)counts.gap_max / 1e6,
           (double)counts.latency_max / 1e6);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "upstream") == 0) {
        serve();
    }
    if (argc == 6 && strcmp(argv[1], "ask") == 0) {
        return ask((uint16_t)atoi(argv[2]), atoi(argv[3]), atoi(argv[4]), argv[5]);
    }
    fprintf(stderr, "usage: pacer upstream | pacer ask PORT QPS SECONDS FILE\n");
    return 2;
}
