// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/wholefile.h"
#include "tools/livedb.h"
#include "tools/restore.h"

#define WAITING ".restored" /* behind a path: written, not yet in its place */

int restore_path(const char *folder, const char *name, char out[PATH_MAX])
{
    int len = snprintf(out, PATH_MAX, "%s/%s", folder, name);
    return len >= 0 && len < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int restore_make_folders(const char *folder)
{
    static const char *const parts[] = {"config", "config/conf.d", "state"};
    char path[PATH_MAX];
    if (mkdir(folder, 0700) < 0 && errno != EEXIST) {
        return -errno;
    }
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        int err = restore_path(folder, parts[i], path);
        if (err < 0 || mkdir(path, 0700) < 0) {
            return err < 0 ? err : -errno;
        }
    }
    return 0;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

void restore_remove_folders(const char *folder)
{
    (void)!nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int restore_put(const char *path, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return -errno;
    }
    int err = wholefile_put(fd, data, len);
    if (err == 0 && fsync(fd) < 0) {
        err = -errno;
    }
    close(fd);
    return err;
}

int restore_set_aside(const struct restore_set *set, struct diag *diag)
{
    char target[PATH_MAX], path[PATH_MAX];
    for (size_t i = 0; i < set->names->count; i++) {
        const char *name = set->names->items[i];
        struct backup_data data = {0};
        int err = backup_path(set->to, name, target);
        if (err < 0 || access(target, F_OK) < 0) {
            continue;
        }
        err = backup_read(set->to, name, &data, diag);
        if (err < 0) {
            return err;
        }
        err = restore_path(set->folder, name, path);
        err = err < 0 ? err : restore_put(path, data.octets, data.len);
        free(data.octets);
        if (err < 0) {
            diag_at(diag, path, 0, 0);
            return diag_set(diag, err, "%s", strerror(-err));
        }
    }
    return 0;
}

/* Root writes into the state folder as its owner: whoever owns it could have put links there, to
 * files that only root may write. */
struct aside {
    uid_t uid;
    gid_t gid, groups[64];
    int count; /* of the groups before, -1: nothing was changed */
};

static int step_back(struct aside *aside)
{
    int err = 0;
    if (aside->count >= 0) {
        err = seteuid(0) < 0 || setegid(0) < 0 || setgroups((size_t)aside->count, aside->groups) < 0
                  ? -errno
                  : 0;
    }
    aside->count = -1;
    return err;
}

static int step_aside(const char *target, const char *name, struct aside *aside)
{
    char folder[PATH_MAX];
    struct stat info;
    const char *slash = strrchr(target, '/');
    aside->count = -1;
    snprintf(folder, sizeof(folder), "%.*s", slash > target ? (int)(slash - target) : 1, target);
    if (geteuid() != 0 || strncmp(name, "state/", 6) != 0 || lstat(folder, &info) < 0 ||
        info.st_uid == 0) {
        return 0;
    }
    aside->count =
        getgroups((int)(sizeof(aside->groups) / sizeof(aside->groups[0])), aside->groups);
    if (aside->count < 0 || setgroups(1, &info.st_gid) < 0 || setegid(info.st_gid) < 0 ||
        seteuid(info.st_uid) < 0) {
        int err = -errno;
        aside->count = aside->count < 0 ? 0 : aside->count;
        (void)!step_back(aside);
        return err;
    }
    return 0;
}

/* Who owns a new file and may read it: as the one that was there, else as its folder. */
static void take_rights(const char *path, const char *target, const char *name)
{
    struct stat info;
    char folder[PATH_MAX];
    bool state = strncmp(name, "state/", 6) == 0;
    mode_t mode = backup_is_database(name) ? 0600 : state ? 0640 : 0644;
    const char *slash = strrchr(target, '/');
    snprintf(folder, sizeof(folder), "%.*s", slash > target ? (int)(slash - target) : 1,
             slash ? target : ".");
    if (lstat(target, &info) == 0 && S_ISREG(info.st_mode)) {
        mode = info.st_mode & 0777U;
    } else if (stat(folder, &info) < 0) {
        return;
    }
    if (geteuid() == 0) {
        (void)!lchown(path, info.st_uid, info.st_gid);
    }
    (void)!chmod(path, mode);
}

static int make_folder_of(const char *target)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(target, '/');
    if (!slash || slash == target) {
        return 0;
    }
    snprintf(folder, sizeof(folder), "%.*s", (int)(slash - target), target);
    return mkdir(folder, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int waiting_path(const char *target, char out[PATH_MAX])
{
    int len = snprintf(out, PATH_MAX, "%s%s", target, WAITING);
    return len >= 0 && len < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int write_waiting(const struct restore_set *set, const char *name)
{
    char from[PATH_MAX], target[PATH_MAX], waiting[PATH_MAX], *text = NULL;
    size_t len = 0;
    int err = restore_path(set->folder, name, from);
    err = err < 0 ? err : backup_path(set->to, name, target);
    err = err < 0 ? err : waiting_path(target, waiting);
    if (err < 0 || access(from, F_OK) < 0) {
        return err;
    }
    struct aside aside = {.count = -1};
    err = wholefile_read(from, BACKUP_TEXT_MAX, &text, &len);
    err = err < 0 ? err : make_folder_of(target);
    if (err == 0) {
        err = step_aside(target, name, &aside);
    }
    if (err < 0) {
        free(text);
        return err;
    }
    unlink(waiting);
    err = restore_put(waiting, text, len);
    if (err == 0) {
        take_rights(waiting, target, name);
    }
    free(text);
    int back = step_back(&aside);
    return err < 0 ? err : back;
}

/* What was written into its place, or what is in no backup out of it. */
static int settle(const struct restore_set *set, const char *name)
{
    char target[PATH_MAX], waiting[PATH_MAX];
    int err = backup_path(set->to, name, target);
    err = err < 0 ? err : waiting_path(target, waiting);
    if (err < 0) {
        return err;
    }
    struct aside aside = {.count = -1};
    err = step_aside(target, name, &aside);
    if (err < 0) {
        return err;
    }
    if (faccessat(AT_FDCWD, waiting, F_OK, AT_EACCESS) == 0) {
        err = rename(waiting, target) < 0 ? -errno : 0;
    } else {
        err = unlink(target) < 0 && errno != ENOENT ? -errno : 0;
    }
    int back = step_back(&aside);
    return err < 0 ? err : back;
}

static int write_database(const struct restore_set *set, const char *name, struct diag *diag)
{
    char from[PATH_MAX], target[PATH_MAX], *data = NULL;
    size_t len = 0;
    int err = restore_path(set->folder, name, from);
    err = err < 0 ? err : backup_path(set->to, name, target);
    if (err < 0 || access(from, F_OK) < 0) {
        return err;
    }
    struct stat info;
    struct aside aside = {.count = -1};
    bool is_new = lstat(target, &info) < 0;
    err = wholefile_read(from, BACKUP_OCTETS_MAX, &data, &len);
    if (err == 0 && !is_new && !S_ISREG(info.st_mode)) {
        err = diag_set(diag, -ELOOP, "%.3000s is no file of its own: take it away first", target);
    }
    if (err == 0) {
        err = step_aside(target, name, &aside);
    }
    if (err < 0) {
        free(data);
        return err;
    }
    mode_t before = umask(077);
    err = livedb_write(target, (const uint8_t *)data, len, diag);
    umask(before);
    free(data);
    if (err == 0 && is_new) {
        char nobody[PATH_MAX];
        snprintf(nobody, sizeof(nobody), "%.*s/.", (int)(strrchr(target, '/') - target), target);
        take_rights(target, nobody, name);
        (void)!chmod(target, 0600);
    }
    int back = step_back(&aside);
    return err < 0 ? err : back;
}

static void drop_waiting(const struct restore_set *set)
{
    char target[PATH_MAX], waiting[PATH_MAX];
    for (size_t i = 0; i < set->names->count; i++) {
        if (backup_path(set->to, set->names->items[i], target) == 0 &&
            waiting_path(target, waiting) == 0) {
            unlink(waiting);
        }
    }
}

static int say(struct diag *diag, int err, const char *name)
{
    return err < 0 && diag && !*diag->text ? diag_set(diag, err, "%s: %s", name, strerror(-err))
                                           : err;
}

int restore_install(const struct restore_set *set, struct diag *diag)
{
    int err = 0;
    const char *name = "";
    for (size_t i = 0; err == 0 && i < set->names->count; i++) {
        name = set->names->items[i];
        err = backup_is_database(name) ? 0 : write_waiting(set, name);
    }
    if (err < 0) {
        drop_waiting(set);
        return say(diag, err, name);
    }
    for (size_t i = 0; err == 0 && i < set->names->count; i++) {
        name = set->names->items[i];
        err = backup_is_database(name) ? write_database(set, name, diag) : settle(set, name);
    }
    return say(diag, err, name);
}
