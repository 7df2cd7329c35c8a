// SPDX-License-Identifier: Apache-2.0
#include "base/wholefile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, char *text, size_t max, size_t *ret_len)
{
    size_t len = 0;
    while (len <= max) {
        ssize_t got = read(fd, text + len, max + 1 - len);
        if (got < 0 && errno != EINTR) {
            return -errno;
        }
        if (got == 0) {
            text[len] = '\0';
            *ret_len = len;
            return 0;
        }
        len += got > 0 ? (size_t)got : 0;
    }
    return -EFBIG;
}

int wholefile_read(const char *path, size_t max, char **ret_text, size_t *ret_len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    char *text = malloc(max + 1);
    int err = text ? read_all(fd, text, max, ret_len) : -ENOMEM;
    close(fd);
    if (err < 0) {
        free(text);
        return err;
    }
    *ret_text = text;
    return 0;
}

int wholefile_put(int fd, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        ssize_t put = write(fd, at, len);
        if (put < 0 && errno != EINTR) {
            return -errno;
        }
        at += put > 0 ? put : 0;
        len -= put > 0 ? (size_t)put : 0;
    }
    return 0;
}

/* The rename must survive a power cut too. */
static void sync_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int len = slash > path ? (int)(slash - path) : 1;
    snprintf(folder, sizeof(folder), "%.*s", len, slash ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

int wholefile_save(const char *path, const char *text, size_t len)
{
    char temp[PATH_MAX];
    int used = snprintf(temp, sizeof(temp), "%s.new", path);
    if (used < 0 || (size_t)used >= sizeof(temp)) {
        return -ENAMETOOLONG;
    }
    int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) {
        return -errno;
    }
    int err = wholefile_put(fd, text, len);
    /* The umask must not decide who reads it. */
    if (err == 0 && (fchmod(fd, 0640) < 0 || fsync(fd) < 0)) {
        err = -errno;
    }
    if (close(fd) < 0 && err == 0) {
        err = -errno;
    }
    if (err == 0 && rename(temp, path) < 0) {
        err = -errno;
    }
    if (err < 0) {
        unlink(temp);
        return err;
    }
    sync_folder(path);
    return 0;
}
