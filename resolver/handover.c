// SPDX-License-Identifier: Apache-2.0
#include "handover.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cache/image.h"
#include "base/notify.h"
#include "policy/snapshot.h"

static uint32_t now_s(const struct daemon *daemon)
{
    return (uint32_t)(clock_mono_us(daemon->clock) / 1000000);
}

/* The file's path; -EXDEV when its folder is not in memory. */
static int find_place(const struct daemon *daemon, char path[DAEMON_PATH_MAX])
{
    const struct config *config = policy_config_get(daemon->started_with);
    const char *socket = config->server.control_socket;
    const char *slash = strrchr(socket, '/');
    struct statfs fs;
    int len = slash ? (int)(slash - socket) : 0;
    if (!slash || snprintf(path, DAEMON_PATH_MAX, "%.*s/", len, socket) >= DAEMON_PATH_MAX ||
        statfs(path, &fs) < 0) {
        return -ENOENT;
    }
    if ((uint32_t)fs.f_type != TMPFS_MAGIC && (uint32_t)fs.f_type != RAMFS_MAGIC) {
        return -EXDEV;
    }
    int whole = snprintf(path, DAEMON_PATH_MAX, "%.*s/" HANDOVER_FILE, len, socket);
    return whole < DAEMON_PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* The descriptor that the service manager kept, or -1. */
static int given(struct daemon *daemon)
{
    int found = -1;
    for (size_t i = 0; i < daemon->activation.count; i++) {
        struct activation_item *item = &daemon->activation.items[i];
        if (item->fd < 0 || strcmp(item->name, HANDOVER_NAME) != 0) {
            continue;
        }
        if (found >= 0) {
            close(found); /* the last one is the newest */
        }
        found = item->fd;
        item->fd = -1;
    }
    return found;
}

/* The file, already out of its folder, or negative errno; nobody else may ever have
 * been able to write or read it. */
static int open_file(const struct daemon *daemon)
{
    char path[DAEMON_PATH_MAX];
    struct stat st;
    int err = find_place(daemon, path);
    if (err < 0) {
        return err == -EXDEV ? -ENOENT : err;
    }
    int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    (void)unlink(path);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
        (st.st_mode & 077) != 0) {
        close(fd);
        return -EACCES;
    }
    return fd;
}

int handover_take(struct daemon *daemon, uint64_t *ret_count, struct diag *diag)
{
    int fd = given(daemon);
    *ret_count = 0;
    if (fd >= 0) {
        notify_send("FDSTOREREMOVE=1\nFDNAME=" HANDOVER_NAME);
    } else {
        fd = open_file(daemon);
    }
    if (fd == -ENOENT) {
        return 0;
    }
    int err = fd < 0 ? fd : image_load(daemon->cache, fd, now_s(daemon), ret_count);
    if (fd >= 0) {
        close(fd);
    }
    return err < 0 ? diag_set(diag, err, "the cache of the last run cannot be used: %s",
                              err == -EBADMSG  ? "it is damaged"
                              : err == -ESTALE ? "it is of another boot"
                              : err == -EPROTO ? "it is of another version"
                              : err == -EXDEV  ? "it is not in memory"
                                               : strerror(-err))
                   : 0;
}

static int leave_to_manager(struct daemon *daemon)
{
    int fd = memfd_create(HANDOVER_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        return -errno;
    }
    int err = image_save(daemon->cache, fd, now_s(daemon));
    if (err == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0) {
        err = -errno;
    }
    if (err == 0) {
        notify_send_fd("FDSTORE=1\nFDNAME=" HANDOVER_NAME, fd);
    }
    close(fd);
    return err;
}

static int leave_file(struct daemon *daemon)
{
    char path[DAEMON_PATH_MAX];
    int err = find_place(daemon, path);
    if (err < 0) {
        return err;
    }
    (void)unlink(path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return -errno;
    }
    err = image_save(daemon->cache, fd, now_s(daemon));
    if (err < 0) {
        (void)unlink(path);
    }
    close(fd);
    return err;
}

int handover_leave(struct daemon *daemon)
{
    return notify_has_manager() ? leave_to_manager(daemon) : leave_file(daemon);
}
