// SPDX-License-Identifier: Apache-2.0
/* confinement: a program keeps itself to what its configuration needs, with or without a
 * service manager that does the same: no root, the folders its settings name (Landlock),
 * the system calls it makes (seccomp).
 *
 * What the kernel cannot do is left out and said. One a process. */
#pragma once
#include "base/diag.h"

struct config;

struct confinement {
    const struct config *config;
    const char *config_path;
    void (*say)(const char *text); /* what the kernel cannot do */
};

/* greengated, before its first thread: the folders it writes to are made and given to
 * server.user, whom it becomes, and other files are shut. As folder_prepare() and
 * privileges_drop(), and -ENOMEM. */
__attribute__((warn_unused_result)) int confinement_of_daemon(const struct confinement *to,
                                                              struct diag *diag);
/* The same program once all is open: its system calls. */
void confinement_of_calls(void (*say)(const char *text));

/* Who greengate-web goes on as: server.web_user, else server.user. */
const char *confinement_web_user(const struct config *config);
/* greengate-web once it listens and is that user: its files and system calls. -ENOMEM. */
__attribute__((warn_unused_result)) int confinement_of_web(const struct confinement *to,
                                                           struct diag *diag);

/* Let the group of server.web_user speak on a socket of ours; without that setting nothing
 * changes. -ENOENT: no such user; -EPERM: we are not in that group. */
__attribute__((warn_unused_result)) int
confinement_share_socket(const struct config *config, const char *path, struct diag *diag);

/* The first setting of greengated that leads out of the folders named at the start, as
 * "section.key"; NULL: none. */
const char *confinement_outside(const struct config *config);

/* When the file that a failure is about is out of reach since the start, say so. */
void confinement_explain(struct diag *diag);
