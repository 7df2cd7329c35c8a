// SPDX-License-Identifier: Apache-2.0
/* folders: those that a program writes to, made and given to its user before it gives
 * up root.
 *
 * Only what was root's changes hands, and only when it is plainly ours. As somebody
 * else than root, and without a user, folders are made and nothing is given. */
#pragma once
#include "base/diag.h"

/* The folder of lists, rules and statistics. Made with mode 0750 (0755 above it) when
 * missing. When it is root's it is given to `user` if it holds nothing but state, and
 * the state in it that is root's with it. A folder that is somebody else's stays.
 * -ENOENT: no such user; -EPERM: it holds what is not ours; -ELOOP: a link to a folder
 * that is not the user's; -ENOTDIR and what mkdir(2) and fchown(2) say. */
__attribute__((warn_unused_result)) int folder_prepare(const char *path, const char *user,
                                                       struct diag *diag);

/* The same for the folder that a socket lies in: mode 0755, and of what lies
 * in it nothing is given. */
__attribute__((warn_unused_result)) int folder_prepare_socket(const char *socket_path,
                                                              const char *user, struct diag *diag);
