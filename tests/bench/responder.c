// SPDX-License-Identifier: Apache-2.0
/* responder: the least a DNS server can do, to compare with.
 *
 * Reads batches with recvmmsg on a uv_poll handle, turns each query into an answer by
 * flipping its header, and sends the batch back. Prints its port and stays. */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

enum { BATCH = 64, PACKET_MAX = 1500, ROUNDS_MAX = 4, BUFFER = 1 << 21 };

static uint8_t packets[BATCH][PACKET_MAX];
static struct sockaddr_in peers[BATCH];
static struct iovec parts[BATCH];
static struct mmsghdr messages[BATCH];

static void prepare(void)
{
    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){packets[i], PACKET_MAX};
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &peers[i],
            .msg_namelen = sizeof(peers[i]),
            .msg_iov = &parts[i],
            .msg_iovlen = 1,
        };
    }
}

static void flip(uint8_t *packet)
{
    packet[2] |= 0x80; /* QR */
    packet[3] = 0x80;  /* RA, NOERROR */
}

static int answer_batch(int fd)
{
    prepare();
    int count = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) {
        flip(packets[i]);
        parts[i].iov_len = messages[i].msg_len;
    }
    int sent = 0;
    while (sent < count) {
        int more = sendmmsg(fd, messages + sent, (unsigned)(count - sent), 0);
        if (more <= 0) {
            break;
        }
        sent += more;
    }
    return count;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    uv_os_fd_t fd = -1;
    (void)events;
    if (status != 0 || uv_fileno((uv_handle_t *)poll, &fd) != 0) {
        return;
    }
    for (int round = 0; round < ROUNDS_MAX; round++) {
        if (answer_batch(fd) < BATCH) {
            return;
        }
    }
}

int main(void)
{
    struct sockaddr_in self = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(self);
    int size = BUFFER;
    uv_poll_t poll;

    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&self, sizeof(self)) != 0 ||
        getsockname(fd, (struct sockaddr *)&self, &len) != 0) {
        perror("responder");
        return 1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    printf("%d\n", ntohs(self.sin_port));
    fflush(stdout);
    if (uv_poll_init(uv_default_loop(), &poll, fd) != 0 ||
        uv_poll_start(&poll, UV_READABLE, on_readable) != 0) {
        return 1;
    }
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
