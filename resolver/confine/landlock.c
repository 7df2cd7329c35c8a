// SPDX-License-Identifier: Apache-2.0
#include "confine/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What headers of Linux 5.13 do not have yet. */
#define FS_REFER     (1ULL << 13) /* version 2 */
#define FS_TRUNCATE  (1ULL << 14) /* 3 */
#define FS_IOCTL_DEV (1ULL << 15) /* 5 */
#define NET_BIND_TCP (1ULL << 0)  /* 4 */

#ifndef SYS_landlock_create_ruleset /* the same numbers everywhere */
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

/* struct landlock_ruleset_attr as of version 4; older kernels take it while what they
 * do not know is 0. */
struct ruleset {
    uint64_t fs, net;
};

#define RIGHTS_FILE (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)
#define RIGHTS_1    ((1ULL << 13) - 1)

static const uint64_t rights[] = {
    [LANDLOCK_READ] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    [LANDLOCK_WRITE] = LANDLOCK_ACCESS_FS_READ_DIR | RIGHTS_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
                       LANDLOCK_ACCESS_FS_REMOVE_FILE,
    [LANDLOCK_SOCKET] = LANDLOCK_ACCESS_FS_READ_DIR | RIGHTS_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
                        LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_SOCK,
};

struct place {
    char *path; /* owned; without links */
    enum landlock_right right;
};

struct landlock {
    struct place *places;
    size_t count;
    bool entered;
};

int landlock_new(struct landlock **ret_landlock)
{
    *ret_landlock = calloc(1, sizeof(**ret_landlock));
    return *ret_landlock ? 0 : -ENOMEM;
}

void landlock_free(struct landlock *landlock)
{
    for (size_t i = 0; landlock && i < landlock->count; i++) {
        free(landlock->places[i].path);
    }
    if (landlock) {
        free(landlock->places);
        free(landlock);
    }
}

int landlock_add(struct landlock *landlock, const char *path, enum landlock_right right)
{
    char *real = realpath(path, NULL);
    if (!real) {
        return errno == ENOMEM ? -ENOMEM : 0;
    }
    struct place *places =
        realloc(landlock->places, (landlock->count + 1) * sizeof(*landlock->places));
    if (!places) {
        free(real);
        return -ENOMEM;
    }
    landlock->places = places;
    places[landlock->count++] = (struct place){real, right};
    return 0;
}

/* The folder that a path lies in, or the nearest one above that is there; the path
 * itself where that is the root folder, which is never opened as a whole. */
static void find_folder(const char *path, char folder[PATH_MAX])
{
    struct stat state;
    size_t len = strlen(path);
    if (len >= PATH_MAX) {
        len = 0;
    }
    memcpy(folder, path, len);
    folder[len] = '\0';
    do {
        char *slash = strrchr(folder, '/');
        if (!slash) {
            memcpy(folder, ".", 2);
            return;
        }
        if (slash == folder) {
            memcpy(folder, path, len + 1);
            return;
        }
        *slash = '\0';
    } while (stat(folder, &state) < 0 || !S_ISDIR(state.st_mode));
}

int landlock_add_file(struct landlock *landlock, const char *path)
{
    char folder[PATH_MAX];
    find_folder(path, folder);
    int err = landlock_add(landlock, folder, LANDLOCK_READ);
    char *real = err == 0 ? realpath(path, NULL) : NULL;
    if (real) {
        find_folder(real, folder);
        err = landlock_add(landlock, folder, LANDLOCK_READ);
        free(real);
    }
    return err;
}

static int allow(int ruleset, const struct place *place, uint64_t handled)
{
    struct stat state;
    struct landlock_path_beneath_attr rule = {.allowed_access = rights[place->right] & handled};
    rule.parent_fd = open(place->path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0) {
        return errno == ENOMEM || errno == EMFILE || errno == ENFILE ? -errno : 0;
    }
    if (fstat(rule.parent_fd, &state) == 0 && !S_ISDIR(state.st_mode)) {
        rule.allowed_access &= RIGHTS_FILE;
    }
    int err = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0
                  ? -errno
                  : 0;
    close(rule.parent_fd);
    return err;
}

int landlock_enter(struct landlock *landlock)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) {
        return -EOPNOTSUPP;
    }
    const struct ruleset handled = {
        .fs = RIGHTS_1 | (version >= 2 ? FS_REFER : 0) | (version >= 3 ? FS_TRUNCATE : 0) |
              (version >= 5 ? FS_IOCTL_DEV : 0),
        .net = version >= 4 ? NET_BIND_TCP : 0,
    };
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
    int err = ruleset < 0 ? -errno : 0;
    for (size_t i = 0; err == 0 && i < landlock->count; i++) {
        err = allow(ruleset, &landlock->places[i], handled.fs);
    }
    if (err == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0) {
        err = -errno;
    }
    if (ruleset >= 0) {
        close(ruleset);
    }
    landlock->entered = err == 0;
    return err < 0 ? err : (int)version;
}

static bool lies_in(const char *path, const char *folder)
{
    size_t len = strlen(folder);
    return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

bool landlock_covers(const struct landlock *landlock, const char *path)
{
    char folder[PATH_MAX];
    bool covered = !landlock || !landlock->entered;
    char *real = covered ? NULL : realpath(path, NULL);
    if (!covered && !real) { /* it comes later: is its folder covered? */
        find_folder(path, folder);
        real = realpath(folder, NULL);
    }
    for (size_t i = 0; real && !covered && i < landlock->count; i++) {
        covered = lies_in(real, landlock->places[i].path);
    }
    free(real);
    return covered;
}
