// SPDX-License-Identifier: Apache-2.0
#include "confine/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int become(const struct passwd *entry)
{
    if (initgroups(entry->pw_name, entry->pw_gid) < 0 || setgid(entry->pw_gid) < 0 ||
        setuid(entry->pw_uid) < 0) {
        return -errno;
    }
    /* Root that can be had again was not given up. */
    return entry->pw_uid != 0 && setuid(0) == 0 ? -EPERM : 0;
}

int privileges_drop(const char *user, struct diag *diag)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        return diag_set(diag, -errno, "cannot give up new privileges: %s", strerror(errno));
    }
    if (!user[0]) {
        return 0;
    }
    errno = 0;
    const struct passwd *entry = getpwnam(user);
    if (!entry) {
        return diag_set(diag, -ENOENT, "server.user: there is no user '%s'", user);
    }
    if (getuid() == entry->pw_uid) {
        return 0;
    }
    int err = become(entry);
    return err < 0
               ? diag_set(diag, err, "server.user: cannot become '%s': %s", user, strerror(-err))
               : 0;
}
