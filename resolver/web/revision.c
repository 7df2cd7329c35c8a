// SPDX-License-Identifier: Apache-2.0
#include "web/revision.h"

#include <dirent.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"

uint64_t revision_of_file(const char *path)
{
    struct stat state;
    uint64_t parts[5] = {0}; /* a file that is missing has a state too */
    if (stat(path, &state) == 0) {
        parts[0] = state.st_dev;
        parts[1] = state.st_ino;
        parts[2] = (uint64_t)state.st_size;
        parts[3] = (uint64_t)state.st_mtim.tv_sec;
        parts[4] = (uint64_t)state.st_mtim.tv_nsec;
    }
    return hash_seeded(hash_seeded(0, path, strlen(path)), parts, sizeof(parts));
}

/* A sum, since a folder is read in no order. */
uint64_t revision_of(const char *config_path)
{
    char path[PATH_MAX];
    const char *slash = strrchr(config_path, '/');
    int len = slash ? (int)(slash - config_path) + 1 : 0;
    uint64_t revision = revision_of_file(config_path);
    snprintf(path, sizeof(path), "%.*sconf.d", len, config_path);
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (fnmatch("*.yaml", entry->d_name, FNM_PERIOD) == 0 &&
            snprintf(path, sizeof(path), "%.*sconf.d/%s", len, config_path, entry->d_name) > 0) {
            revision += revision_of_file(path);
        }
    }
    if (folder) {
        closedir(folder);
    }
    return revision;
}
