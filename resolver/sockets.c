// SPDX-License-Identifier: Apache-2.0
#include "sockets.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "policy/snapshot.h"

/* FILES_RESERVED are for listeners, control and files. */
enum {
    FILES_RESERVED = 256,
    SOCKETS_LEAST = 32,
    SOCKETS_MOST = 1 << 14,
    QUESTIONS_LEAST = 512,
};

/* SOCK_TLS: no type of the kernel's. */
enum { DNS_PORT = 53, TLS_PORT = 853, SOCK_TLS = -1 };

static int add(int fds[WORKER_SOCKETS_MAX], unsigned *count, int fd, struct diag *diag)
{
    if (*count == WORKER_SOCKETS_MAX) {
        close(fd);
        return diag_set(diag, -E2BIG, "more than %d listening sockets for one worker",
                        WORKER_SOCKETS_MAX);
    }
    fds[(*count)++] = fd;
    return 0;
}

static int add_socket(struct worker_sockets *sockets, int type, int fd, struct diag *diag)
{
    return type == SOCK_TLS     ? add(sockets->tls, &sockets->tls_count, fd, diag)
           : type == SOCK_DGRAM ? add(sockets->udp, &sockets->udp_count, fd, diag)
                                : add(sockets->tcp, &sockets->tcp_count, fd, diag);
}

/* A socket of each type for each worker: the kernel shares out what arrives. */
static int open_tls_address(struct daemon *daemon, const char *text, struct diag *diag)
{
    struct addr addr;
    if (addr_parse_port(text, TLS_PORT, &addr) < 0) {
        return diag_set(diag, -EINVAL, "dns.tls_listen: '%s'", text);
    }
    for (unsigned i = 0; i < daemon->workers_wanted; i++) {
        struct worker_sockets *sockets = &daemon->sockets[i];
        int fd = socket_open_tcp(&addr, diag);
        int err = fd < 0 ? fd : add_socket(sockets, SOCK_TLS, fd, diag);
        if (err < 0) {
            return err;
        }
    }
    return 0;
}

static int open_address(struct daemon *daemon, const char *text, struct diag *diag)
{
    struct addr addr;
    if (addr_parse_port(text, DNS_PORT, &addr) < 0) {
        return diag_set(diag, -EINVAL, "dns.listen: '%s'", text);
    }
    for (unsigned i = 0; i < daemon->workers_wanted; i++) {
        /* TCP first: the kernel refuses it beside another server, where UDP with
         * SO_REUSEADDR on both sides would take that one's queries away. */
        int tcp = socket_open_tcp(&addr, diag);
        int err = tcp < 0 ? tcp : add_socket(&daemon->sockets[i], SOCK_STREAM, tcp, diag);
        int udp = err < 0 ? err : socket_open_udp(&addr, diag);
        err = udp < 0 ? udp : add_socket(&daemon->sockets[i], SOCK_DGRAM, udp, diag);
        if (err < 0) {
            return err;
        }
    }
    return 0;
}

/* A socket that was handed over: where it listens. */
struct given {
    int fd, type;
    bool tls; /* by its name (FileDescriptorName=tls) */
    struct addr addr;
};

static bool describe(const struct activation_item *item, struct given *ret_given)
{
    int fd = item->fd;
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa), type_len = sizeof(ret_given->type);
    if (getsockname(fd, (struct sockaddr *)&sa, &len) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &ret_given->type, &type_len) < 0) {
        return false;
    }
    ret_given->fd = fd;
    ret_given->tls = strcmp(item->name, "tls") == 0 && ret_given->type == SOCK_STREAM;
    addr_from_sockaddr((struct sockaddr *)&sa, &ret_given->addr);
    return ret_given->addr.family &&
           (ret_given->type == SOCK_DGRAM || ret_given->type == SOCK_STREAM);
}

static bool is_alike(const struct given *a, const struct given *b)
{
    return a->type == b->type && a->tls == b->tls && a->addr.port == b->addr.port &&
           addr_equal(&a->addr, &b->addr);
}

/* The sockets of one address: one for each worker where there are as many (ReusePort=
 * with a line for each); workers beyond them share, and what is left over is shared out,
 * since the kernel sends queries to every socket. */
static int share_out(struct daemon *daemon, const struct given *alike, unsigned count,
                     struct diag *diag)
{
    unsigned workers = daemon->workers_wanted;
    unsigned most = count > workers ? count : workers;
    assert(count > 0 && workers > 0);
    for (unsigned i = 0; i < most; i++) {
        int fd = i < count ? alike[i].fd : fcntl(alike[i % count].fd, F_DUPFD_CLOEXEC, 0);
        if (fd < 0) {
            return diag_set(diag, -errno, "cannot share a socket: %s", strerror(errno));
        }
        int err = socket_adopt(fd, alike[0].type, diag);
        daemon->sockets[i % workers].lent = true;
        if (err == 0) {
            int type = alike[0].tls ? SOCK_TLS : alike[0].type;
            err = add_socket(&daemon->sockets[i % workers], type, fd, diag);
        }
        if (err < 0) {
            return err;
        }
    }
    return 0;
}

static int use_given(struct daemon *daemon, struct activation *activation, struct diag *diag)
{
    for (size_t i = 0; i < activation->count; i++) {
        struct given alike[ACTIVATION_MAX];
        unsigned count = 0;
        if (activation->items[i].fd < 0 || !describe(&activation->items[i], &alike[0])) {
            continue;
        }
        for (size_t k = i; k < activation->count; k++) {
            struct activation_item *item = &activation->items[k];
            if (item->fd >= 0 && describe(item, &alike[count]) &&
                is_alike(&alike[0], &alike[count])) {
                item->fd = -1;
                count++;
            }
        }
        int err = share_out(daemon, alike, count, diag);
        if (err < 0) {
            return err;
        }
    }
    return 0;
}

int sockets_open(struct daemon *daemon, struct diag *diag)
{
    const struct config *config = policy_config_get(daemon->config);
    const struct text_list *listen = &config->dns.listen, *tls = &config->dns.tls_listen;
    int err = use_given(daemon, &daemon->activation, diag);
    bool given = daemon->sockets[0].udp_count + daemon->sockets[0].tcp_count > 0;
    bool given_tls = daemon->sockets[0].tls_count > 0;
    for (size_t i = 0; err == 0 && !given && i < listen->count; i++) {
        err = open_address(daemon, listen->items[i], diag);
    }
    for (size_t i = 0; err == 0 && !given_tls && i < tls->count; i++) {
        err = open_tls_address(daemon, tls->items[i], diag);
    }
    return err;
}

static unsigned raise_limit(const struct daemon *daemon)
{
    struct rlimit limit;
    rlim_t workers = daemon->workers_wanted;
    rlim_t clients = (rlim_t)policy_config_get(daemon->config)->dns.tcp_connections;
    rlim_t reserved = FILES_RESERVED + clients;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) {
        return 0;
    }
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 && getrlimit(RLIMIT_NOFILE, &limit) < 0) {
        return 0;
    }
    rlim_t spare = limit.rlim_cur > reserved ? limit.rlim_cur - reserved : 0;
    rlim_t each = spare / (workers ? workers : 1);
    return each > SOCKETS_MOST    ? SOCKETS_MOST
           : each < SOCKETS_LEAST ? SOCKETS_LEAST
                                  : (unsigned)each;
}

/* Too few are answered with SERVFAIL when much is asked: say why. */
static void note_few_files(struct daemon *daemon, unsigned sockets_max)
{
    unsigned at_once = sockets_max / 2 * daemon->workers_wanted; /* two sockets each */
    if (sockets_max > 0 && at_once < QUESTIONS_LEAST) {
        daemon->few_questions = at_once;
        fprintf(stderr,
                "greengated: of the file descriptors only %u questions at once can be asked: raise "
                "LimitNOFILE\n",
                at_once);
    }
}

unsigned sockets_raise_limit(struct daemon *daemon)
{
    unsigned sockets_max = raise_limit(daemon);
    note_few_files(daemon, sockets_max);
    return sockets_max;
}
