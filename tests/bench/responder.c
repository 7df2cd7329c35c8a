// SPDX-License-Identifier: Apache-2.0
/* responder: the least a DNS server can do, to compare with.
 *
 * Reads batches with recvmmsg on a uv_poll handle, turns each query into an answer by
 * flipping its header, and sends the batch back. Prints its port and stays. With a number
 * as argument so many threads do this, each with a socket of its own on the same port. */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

enum { BATCH = 64, PACKET_MAX = 1500, ROUNDS_MAX = 4, BUFFER = 1 << 21, THREADS_MAX = 64 };

static _Thread_local uint8_t packets[BATCH][PACKET_MAX];
static _Thread_local struct sockaddr_in peers[BATCH];
static _Thread_local struct iovec parts[BATCH];
static _Thread_local struct mmsghdr messages[BATCH];

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

/* The port is chosen by the kernel for the first socket. */
static int open_socket(struct sockaddr_in *self)
{
    socklen_t len = sizeof(*self);
    int size = BUFFER, on = 1;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0 ||
        bind(fd, (struct sockaddr *)self, sizeof(*self)) != 0 ||
        getsockname(fd, (struct sockaddr *)self, &len) != 0) {
        perror("responder");
        exit(1);
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    return fd;
}

static void serve(void *argument)
{
    uv_loop_t loop;
    uv_poll_t poll;
    if (uv_loop_init(&loop) != 0 || uv_poll_init(&loop, &poll, *(int *)argument) != 0 ||
        uv_poll_start(&poll, UV_READABLE, on_readable) != 0) {
        exit(1);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
}

int main(int argc, char **argv)
{
    struct sockaddr_in self = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    static int fds[THREADS_MAX];
    int threads = argc > 1 ? atoi(argv[1]) : 1;
    threads = threads < 1 || threads > THREADS_MAX ? 1 : threads;
    for (int i = 0; i < threads; i++) {
        fds[i] = open_socket(&self);
    }
    printf("%d\n", ntohs(self.sin_port));
    fflush(stdout);
    for (int i = 1; i < threads; i++) {
        uv_thread_t thread;
        if (uv_thread_create(&thread, serve, &fds[i]) != 0) {
            return 1;
        }
    }
    serve(&fds[0]);
    return 0;
}
