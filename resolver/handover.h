// SPDX-License-Identifier: Apache-2.0
/* handover: the cache's way over a restart, in memory alone.
 *
 * With a service manager the cache waits in its store of descriptors (a memfd named
 * greengate-cache), else in a file beside the control socket, if that folder is in
 * memory. Whoever takes it checks it and removes it. */
#pragma once
#include "daemon.h"

#define HANDOVER_NAME "greengate-cache"
#define HANDOVER_FILE "cache.image"

/* Fill the cache with what the last process left; *ret_count answers, 0 when it left
 * nothing. An error means that what it left could not be used, and is gone. */
__attribute__((warn_unused_result)) int handover_take(struct daemon *daemon, uint64_t *ret_count,
                                                      struct diag *diag);

/* Leave the cache for the next process; the workers have ended. -EXDEV: there is no
 * place in memory. */
__attribute__((warn_unused_result)) int handover_leave(struct daemon *daemon);
