// SPDX-License-Identifier: Apache-2.0
/* Snapshots that gave way to newer ones, until no worker uses them any more. */
#include "daemon.h"

#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "policy/snapshot.h"

static bool is_held(const struct daemon *daemon, const struct snapshot *snapshot)
{
    for (unsigned i = 0; i < daemon->worker_count; i++) {
        if (!worker_has_ended(daemon->workers[i]) &&
            worker_snapshot(daemon->workers[i]) == snapshot) {
            return true;
        }
    }
    return false;
}

/* The C library keeps what was freed; a database more of it is too much for a small
 * machine. */
static void give_back(void)
{
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}

void daemon_collect(struct daemon *daemon)
{
    bool freed = false;
    for (struct retired **at = &daemon->retired; *at;) {
        struct retired *gone = *at;
        if (is_held(daemon, gone->snapshot)) {
            at = &gone->next;
            continue;
        }
        *at = gone->next;
        snapshot_free(gone->snapshot);
        free(gone);
        freed = true;
    }
    if (freed) {
        give_back();
    }
}
