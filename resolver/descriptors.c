// SPDX-License-Identifier: Apache-2.0
#include "descriptors.h"

#include <stdio.h>
#include <sys/resource.h>

/* FILES_RESERVED are for listeners, control and files. */
enum {
    FILES_RESERVED = 256,
    SOCKETS_LEAST = 32,
    SOCKETS_MOST = 1 << 14,
    QUESTIONS_LEAST = 512,
};

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

unsigned descriptors_raise(struct daemon *daemon)
{
    unsigned sockets_max = raise_limit(daemon);
    note_few_files(daemon, sockets_max);
    return sockets_max;
}
