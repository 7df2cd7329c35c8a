// SPDX-License-Identifier: Apache-2.0
#include "activation.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_FD = 3 }; /* SD_LISTEN_FDS_START */

static unsigned long number_of(const char *text)
{
    char *end = NULL;
    unsigned long number = text ? strtoul(text, &end, 10) : 0;
    return text && end != text && *end == '\0' ? number : 0;
}

void activation_take(struct activation *ret_given)
{
    unsigned long pid = number_of(getenv("LISTEN_PID"));
    unsigned long count = number_of(getenv("LISTEN_FDS"));
    const char *names = getenv("LISTEN_FDNAMES");
    ret_given->count = 0;
    if (pid != (unsigned long)getpid()) {
        return;
    }
    for (unsigned long i = 0; i < count && i < ACTIVATION_MAX; i++) {
        struct activation_item *item = &ret_given->items[ret_given->count++];
        size_t len = names ? strcspn(names, ":") : 0;
        item->fd = FIRST_FD + (int)i;
        snprintf(item->name, sizeof(item->name), "%.*s", (int)len, names ? names : "");
        names = names && names[len] ? names + len + 1 : NULL;
        (void)fcntl(item->fd, F_SETFD, FD_CLOEXEC);
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
}
