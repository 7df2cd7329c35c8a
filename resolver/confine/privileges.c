// SPDX-License-Identifier: Apache-2.0
#include "confine/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
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

/* No capability is left to anybody but root: those that systemd lent were for binding. */
static int drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    if (geteuid() == 0) {
        return 0;
    }
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

int privileges_drop(const char *user, struct diag *diag)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        return diag_set(diag, -errno, "cannot give up new privileges: %s", strerror(errno));
    }
    if (!user[0]) {
        return drop_capabilities();
    }
    errno = 0;
    const struct passwd *entry = getpwnam(user);
    if (!entry) {
        return diag_set(diag, -ENOENT, "server.user: there is no user '%s'", user);
    }
    int err = getuid() == entry->pw_uid ? 0 : become(entry);
    if (err == 0) {
        err = drop_capabilities();
    }
    return err < 0
               ? diag_set(diag, err, "server.user: cannot become '%s': %s", user, strerror(-err))
               : 0;
}
