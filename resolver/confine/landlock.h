// SPDX-License-Identifier: Apache-2.0
/* landlock: the folders that a program may still reach, asked of the kernel.
 *
 * What is named is what the program may open from then on; sockets of other programs
 * can be spoken to as before. Threads that are started later are bound by it too,
 * those that run already are not. */
#pragma once
#include <stdbool.h>

enum landlock_right {
    LANDLOCK_READ,   /* files and folders, with all below */
    LANDLOCK_WRITE,  /* and make, write and remove files */
    LANDLOCK_SOCKET, /* and make sockets */
};

struct landlock;

/* -ENOMEM. Nothing is asked of the kernel yet. */
__attribute__((warn_unused_result)) int landlock_new(struct landlock **ret_landlock);
void landlock_free(struct landlock *landlock); /* accepts NULL */

/* A folder or file that is missing is passed over. -ENOMEM. */
__attribute__((warn_unused_result)) int landlock_add(struct landlock *landlock, const char *path,
                                                     enum landlock_right right);

/* Reading of a file that may be replaced by rename, may be a link, or comes later: the
 * folders it lies in. -ENOMEM. */
__attribute__((warn_unused_result)) int landlock_add_file(struct landlock *landlock,
                                                          const char *path);

/* From now on only that, and no new TCP listener. Needs no_new_privs. The version of the
 * kernel's interface; -EOPNOTSUPP: it has none, or it is switched off. */
__attribute__((warn_unused_result)) int landlock_enter(struct landlock *landlock);

/* Does what was added cover a path, as links stand now? True before landlock_enter(). */
bool landlock_covers(const struct landlock *landlock, const char *path);
