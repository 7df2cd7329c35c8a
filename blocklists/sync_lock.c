// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blocklists/sync.h"

/* A lock of the file, not of its existence: it ends with the process. */
int sync_lock(const char *state_dir, struct diag *diag)
{
    char path[PATH_MAX];
    int err = 0;
    if (mkdir(state_dir, 0755) < 0 && errno != EEXIST) {
        diag_at(diag, state_dir, 0, 0);
        return diag_set(diag, -errno, "%s", strerror(errno));
    }
    snprintf(path, sizeof(path), "%s/update.lock", state_dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        diag_at(diag, path, 0, 0);
        return diag_set(diag, -errno, "%s", strerror(errno));
    }
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
        err = errno == EAGAIN || errno == EACCES
                  ? diag_set(diag, -EBUSY, "another update is running")
                  : diag_set(diag, -errno, "%s: %s", path, strerror(errno));
        close(fd);
        return err;
    }
    return fd;
}
