// SPDX-License-Identifier: Apache-2.0
#include "confine/folders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

struct folder {
    const char *path;
    mode_t mode;        /* when it is made */
    bool gives_entries; /* what is ours in it changes hands too */
    const char *user;
    uid_t uid; /* 0: nothing is given */
    gid_t gid;
};

/* What greengate writes: the names of state_dir, and sockets. */
static bool is_ours(int fd, const char *name)
{
    static const char *const patterns[] = {
        "stats.db*",       "rules.yaml",       "rules.yaml.new", "update.lock",
        "generations",     "sources",          "blocklist.ggdb", "blocklist.ggdb.tmp",
        "managed.yaml",    "managed.yaml.new", "managed.lock",   "audit.log",
        "audit.log.[1-9]", "requests.db*",     "accounts.db*",   "update.request*",
        "update.status*",  "cache.image*",
    };
    struct stat entry;
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        if (fnmatch(patterns[i], name, 0) == 0) {
            return true;
        }
    }
    return fstatat(fd, name, &entry, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(entry.st_mode);
}

static int give(int fd, const struct folder *folder)
{
    return fchown(fd, folder->uid, folder->gid) < 0 ? -errno : 0;
}

/* The names of a folder, for as long as `act` says 0. */
static int each_entry(int fd, const struct folder *folder,
                      int (*act)(int fd, const struct folder *folder, const char *name))
{
    int copy = openat(fd, ".", OPEN_FOLDER);
    DIR *entries = copy < 0 ? NULL : fdopendir(copy);
    if (!entries) {
        int err = -errno;
        if (copy >= 0) {
            close(copy);
        }
        return err;
    }
    int err = 0;
    for (struct dirent *entry; err == 0 && (entry = readdir(entries));) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            err = act(dirfd(entries), folder, entry->d_name);
        }
    }
    closedir(entries);
    return err;
}

/* A file with a second name may be anybody's: whoever owned the folder before could
 * have linked it in. The same for a symbolic link's goal, so only the link goes. */
static int give_file(int fd, const struct folder *folder, const char *name)
{
    struct stat entry;
    int err = 0;
    if (fstatat(fd, name, &entry, AT_SYMLINK_NOFOLLOW) < 0 || entry.st_uid != 0) {
        return 0;
    }
    if (S_ISLNK(entry.st_mode)) {
        err = fchownat(fd, name, folder->uid, folder->gid, AT_SYMLINK_NOFOLLOW);
        return err < 0 && errno != ENOENT ? -errno : 0;
    }
    if (!S_ISREG(entry.st_mode)) {
        return 0;
    }
    int file = openat(fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) {
        return errno == ENOENT || errno == ELOOP ? 0 : -errno;
    }
    if (fstat(file, &entry) == 0 && S_ISREG(entry.st_mode) && entry.st_uid == 0 &&
        entry.st_nlink == 1) {
        err = give(file, folder);
    }
    close(file);
    return err;
}

/* A file, or a folder and, by `act`, what lies in it. A folder that is given already may hold
 * files of root's all the same. */
static int give_with(int fd, const struct folder *folder, const char *name,
                     int (*act)(int fd, const struct folder *folder, const char *name))
{
    struct stat entry;
    int inner = openat(fd, name, OPEN_FOLDER);
    if (inner < 0) {
        return errno == ENOTDIR || errno == ELOOP ? give_file(fd, folder, name)
               : errno == ENOENT                  ? 0
                                                  : -errno;
    }
    int err = 0;
    if (fstat(inner, &entry) == 0 && (entry.st_uid == 0 || entry.st_uid == folder->uid)) {
        err = entry.st_uid == 0 ? give(inner, folder) : 0;
        if (err == 0) {
            err = each_entry(inner, folder, act);
        }
    }
    close(inner);
    return err;
}

/* Of generations: their files, and folders of texts, which are links into sources. */
static int give_inner(int fd, const struct folder *folder, const char *name)
{
    return give_with(fd, folder, name, give_file);
}

/* One entry of state_dir. */
static int give_entry(int fd, const struct folder *folder, const char *name)
{
    return is_ours(fd, name) ? give_with(fd, folder, name, give_inner) : 0;
}

static int refuse_foreign(int fd, const struct folder *folder, const char *name)
{
    (void)folder;
    return is_ours(fd, name) || strcmp(name, "lost+found") == 0 ? 0 : -EPERM;
}

static int fail(const struct folder *folder, int err, struct diag *diag)
{
    if (err == -EPERM) {
        return diag_set(diag, err,
                        "the folder %s is root's and holds more than greengate's own files; "
                        "name a folder of its own, or give it to '%s' by hand",
                        folder->path, folder->user);
    }
    return diag_set(diag, err, "cannot give the folder %s to '%s': %s", folder->path, folder->user,
                    strerror(-err));
}

/* An open folder changes hands when it is root's and ours. */
static int give_open(int fd, const struct folder *folder, bool is_new)
{
    struct stat state;
    if (fstat(fd, &state) < 0) {
        return -errno;
    }
    if (state.st_uid != 0 && state.st_uid != folder->uid) {
        return 0;
    }
    int err = 0;
    if (state.st_uid == 0) {
        err = is_new ? 0 : each_entry(fd, folder, refuse_foreign);
        if (err == -EPERM && state.st_mode & (S_IWGRP | S_IWOTH)) {
            return 0; /* shared on purpose, as /tmp is */
        }
        if (err == 0) {
            err = give(fd, folder);
        }
    }
    return err == 0 && folder->gives_entries ? each_entry(fd, folder, give_entry) : err;
}

/* A link is not followed to give what it leads to, but may lead to the user's own. */
static int check_link(const struct folder *folder, int err, struct diag *diag)
{
    struct stat target;
    if (stat(folder->path, &target) == 0 && S_ISDIR(target.st_mode)) {
        return target.st_uid == folder->uid
                   ? 0
                   : diag_set(diag, -ELOOP, "%s is a link to a folder that is not '%s's",
                              folder->path, folder->user);
    }
    return diag_set(diag, err, "%s is no folder", folder->path);
}

static int give_folder(const struct folder *folder, bool is_new, struct diag *diag)
{
    int fd = open(folder->path, OPEN_FOLDER);
    if (fd < 0) {
        int err = -errno;
        return err == -ELOOP || err == -ENOTDIR ? check_link(folder, err, diag)
                                                : fail(folder, err, diag);
    }
    int err = give_open(fd, folder, is_new);
    close(fd);
    return err < 0 ? fail(folder, err, diag) : 0;
}

/* 1 when it was made, whatever the umask; 0 when it was there. */
static int make_one(const char *path, mode_t mode)
{
    if (mkdir(path, mode) < 0) {
        return errno == EEXIST ? 0 : -errno;
    }
    int fd = open(path, OPEN_FOLDER);
    if (fd < 0 || fchmod(fd, mode) < 0) {
        int err = -errno;
        if (fd >= 0) {
            close(fd);
        }
        return err;
    }
    close(fd);
    return 1;
}

/* The folders above, then the folder; as make_one() says of the last. */
static int make_all(const struct folder *folder)
{
    char path[PATH_MAX];
    size_t len = strlen(folder->path);
    if (len >= sizeof(path)) {
        return -ENAMETOOLONG;
    }
    memcpy(path, folder->path, len + 1);
    while (len > 1 && path[len - 1] == '/') {
        path[--len] = '\0';
    }
    for (size_t i = 1; i < len; i++) {
        if (path[i] == '/') {
            path[i] = '\0';
            int err = make_one(path, 0755);
            if (err < 0) {
                return err;
            }
            path[i] = '/';
        }
    }
    return make_one(path, folder->mode);
}

static int find_user(struct folder *folder, struct diag *diag)
{
    if (geteuid() != 0 || !folder->user[0]) {
        return 0;
    }
    const struct passwd *entry = getpwnam(folder->user);
    if (!entry) {
        return diag_set(diag, -ENOENT, "server.user: there is no user '%s'", folder->user);
    }
    folder->uid = entry->pw_uid;
    folder->gid = entry->pw_gid;
    return 0;
}

static int prepare(struct folder *folder, struct diag *diag)
{
    struct stat state;
    int err = find_user(folder, diag);
    if (err < 0) {
        return err;
    }
    int made = make_all(folder);
    if (made < 0) {
        return diag_set(diag, made, "cannot make the folder %s: %s", folder->path, strerror(-made));
    }
    if (folder->uid == 0) {
        bool wrong = stat(folder->path, &state) == 0 && !S_ISDIR(state.st_mode);
        return wrong ? diag_set(diag, -ENOTDIR, "%s is no folder", folder->path) : 0;
    }
    return give_folder(folder, made == 1, diag);
}

int folder_prepare(const char *path, const char *user, struct diag *diag)
{
    struct folder folder = {.path = path, .mode = 0750, .gives_entries = true, .user = user};
    return prepare(&folder, diag);
}

int folder_prepare_socket(const char *socket_path, const char *user, struct diag *diag)
{
    char path[PATH_MAX];
    const char *slash = strrchr(socket_path, '/');
    size_t len = slash ? (size_t)(slash - socket_path) : 0;
    if (len == 0) {
        return 0; /* beside us, or in the root folder: neither is ours to give */
    }
    if (len >= sizeof(path)) {
        return diag_set(diag, -ENAMETOOLONG, "the socket's path is too long");
    }
    memcpy(path, socket_path, len);
    path[len] = '\0';
    struct folder folder = {.path = path, .mode = 0755, .user = user};
    return prepare(&folder, diag);
}
