// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blocklists/transfer.h"

enum { COPY = 1 << 16 };

static int copy_file(struct transfer *transfer, int fd, struct diag *diag)
{
    uint8_t data[COPY];
    for (;;) {
        ssize_t got = read(fd, data, sizeof(data));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return diag_set(diag, -errno, "%s", strerror(errno));
        }
        if (got == 0) {
            return 0;
        }
        int err = transfer_take(transfer, data, (size_t)got);
        if (err < 0) {
            return transfer_explain(transfer, err, diag);
        }
    }
}

/* "file:///a%20b" as a path; only the local host. */
static int file_path(const char *url, char *out, size_t cap)
{
    const char *at = url + 7;
    at += strncmp(at, "localhost/", 10) == 0 ? 9 : 0;
    if (*at != '/') {
        return -EINVAL;
    }
    size_t used = 0;
    for (; *at; at++) {
        unsigned octet = (unsigned char)*at;
        if (*at == '%') {
            if (!isxdigit((unsigned char)at[1]) || !isxdigit((unsigned char)at[2]) ||
                sscanf(at + 1, "%2x", &octet) != 1 || octet == 0) {
                return -EINVAL;
            }
            at += 2;
        }
        if (used + 1 == cap) {
            return -ENAMETOOLONG;
        }
        out[used++] = (char)octet;
    }
    out[used] = '\0';
    return 0;
}

/* Where the open file really lies, links resolved: asked of the kernel after opening,
 * so that nobody can exchange it in between. */
static bool lies_in(int fd, const char *folder)
{
    char link[64];
    char path[PATH_MAX];
    char root[PATH_MAX];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof(path) - 1);
    if (len < 0 || !realpath(folder, root)) {
        return false;
    }
    path[len] = '\0';
    size_t head = strlen(root);
    head -= root[head - 1] == '/';
    return strncmp(path, root, head) == 0 && path[head] == '/';
}

/* A file that may be read; its descriptor. */
static int open_file(const struct transfer *transfer, struct stat *st, struct diag *diag)
{
    char path[PATH_MAX];
    const char *folder = transfer->request->config->lists.file_folder;
    if (file_path(transfer->request->url, path, sizeof(path)) < 0) {
        return diag_set(diag, -ENOTSUP, "file:// needs an absolute path");
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return diag_set(diag, -errno, "%.300s: %s", path, strerror(errno));
    }
    int err = fstat(fd, st) < 0 ? -errno : 0;
    if (err < 0) {
        diag_set(diag, err, "%s", strerror(-err));
    } else if (*folder && !lies_in(fd, folder)) {
        err = diag_set(diag, -EACCES, "does not lie in lists.file_folder, %s", folder);
    } else if (!S_ISREG(st->st_mode)) {
        err = diag_set(diag, -ENOTSUP, "not a plain file");
    }
    if (err < 0) {
        close(fd);
        return err;
    }
    return fd;
}

int transfer_file(struct transfer *transfer, struct diag *diag)
{
    struct stat st = {0};
    struct fetch_result *result = transfer->result;
    int fd = open_file(transfer, &st, diag);
    if (fd < 0) {
        return fd;
    }
    int err = 0;
    snprintf(result->last_modified, sizeof(result->last_modified), "%lld.%09ld-%lld",
             (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (long long)st.st_size);
    result->unchanged = strcmp(result->last_modified, transfer->request->last_modified) == 0;
    if (!result->unchanged) {
        err = copy_file(transfer, fd, diag);
    }
    close(fd);
    return err;
}
