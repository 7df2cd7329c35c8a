// SPDX-License-Identifier: Apache-2.0
/* What files alone can tell: a rollback's pin, room for the next update, a socket that was
 * deleted. */
#include "daemon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "control/client.h"

/* What an update writes beside the database, and what statistics and changes take. */
enum { ROOM_LEAST = 1 << 20, LINK_MAX_OCTETS = 255 };

/* blocklist.ggdb is a link to generations/NNNNNN.ggdb; 0 when it is not. */
static unsigned long in_force(const char *state_dir)
{
    char path[DAEMON_PATH_MAX], target[LINK_MAX_OCTETS + 1];
    snprintf(path, sizeof(path), "%s/blocklist.ggdb", state_dir);
    ssize_t len = readlink(path, target, LINK_MAX_OCTETS);
    if (len <= 0) {
        return 0;
    }
    target[len] = '\0';
    const char *slash = strrchr(target, '/');
    return strtoul(slash ? slash + 1 : target, NULL, 10);
}

bool daemon_is_pinned(const struct daemon *daemon, char *out, size_t cap)
{
    char path[DAEMON_PATH_MAX], text[16] = "", day[32] = "";
    const char *state_dir = policy_config_get(daemon->config)->server.state_dir;
    struct stat info;
    struct tm tm;
    snprintf(path, sizeof(path), "%s/pinned", state_dir);
    FILE *file = fopen(path, "re");
    if (!file) {
        return false;
    }
    unsigned long number = fgets(text, sizeof(text), file) ? strtoul(text, NULL, 10) : 0;
    if (fstat(fileno(file), &info) == 0 && gmtime_r(&info.st_mtime, &tm)) {
        strftime(day, sizeof(day), " since %Y-%m-%d", &tm);
    }
    fclose(file);
    snprintf(out, cap,
             "generation %lu is pinned by rollback%s; `greengate update --force` ends that", number,
             day);
    return number > 0 && number == in_force(state_dir);
}

bool daemon_lacks_room(const struct daemon *daemon, char *out, size_t cap)
{
    const char *state_dir = policy_config_get(daemon->config)->server.state_dir;
    struct statvfs disk;
    struct stat lists;
    uint64_t needed = ROOM_LEAST;
    if (daemon->lists_compiled && stat(daemon->lists_path, &lists) == 0) {
        needed += (uint64_t)lists.st_size;
    }
    if (statvfs(state_dir, &disk) < 0) {
        return false;
    }
    uint64_t room = (uint64_t)disk.f_bavail * disk.f_frsize;
    snprintf(out, cap,
             "the disk of %.80s is full: %llu MiB are left, and another database takes %llu",
             state_dir, (unsigned long long)(room >> 20), (unsigned long long)(needed >> 20));
    return room < needed;
}

/* It cannot be bound again: a program that confined itself listens nowhere anew. */
bool daemon_lost_socket(const struct daemon *daemon, char *out, size_t cap)
{
    char web[DAEMON_PATH_MAX];
    struct stat info;
    const char *own = policy_config_get(daemon->started_with)->server.control_socket;
    const char *paths[] = {own, client_web_socket(own, web, sizeof(web)) == 0 ? web : own};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (lstat(paths[i], &info) < 0 && errno == ENOENT) {
            snprintf(out, cap, "the control socket %.110s was deleted: restart greengated",
                     paths[i]);
            return true;
        }
    }
    return false;
}
