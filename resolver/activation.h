// SPDX-License-Identifier: Apache-2.0
/* activation: descriptors that a service manager hands over (sd_listen_fds(3)):
 * sockets of a .socket unit, and what an earlier run left in its store. */
#pragma once
#include <stddef.h>

enum { ACTIVATION_MAX = 1024, ACTIVATION_NAME_MAX = 64 };

struct activation {
    size_t count;
    struct activation_item {
        int fd; /* -1 once somebody has taken it over */
        char name[ACTIVATION_NAME_MAX];
    } items[ACTIVATION_MAX];
};

/* Read and clear the environment; nothing when it speaks to another process. The
 * descriptors are closed on exec. */
void activation_take(struct activation *ret_given);
