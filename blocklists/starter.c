// SPDX-License-Identifier: Apache-2.0
/* starter: the small list that ships with the program, for the time before the first
 * download. */
#include "blocklists/compile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/datafile.h"

enum { FILES_MAX = 64, ID_MAX = 80 };

struct starter {
    struct build_source sources[FILES_MAX];
    struct source_report reports[FILES_MAX];
    char ids[FILES_MAX][ID_MAX];
    char categories[FILES_MAX][ID_MAX];
    size_t count;
};

/* "adult.txt" is the category adult, as source starter-adult. */
static int add_file(struct starter *starter, const char *folder, const char *file)
{
    char path[PATH_MAX + NAME_MAX + 2];
    size_t len = strlen(file);
    if (len <= 4 || len > 64 || strcmp(file + len - 4, ".txt") != 0 || file[0] == '.') {
        return 0;
    }
    if (starter->count == FILES_MAX) {
        return -E2BIG;
    }
    size_t i = starter->count++;
    snprintf(starter->categories[i], ID_MAX, "%.*s", (int)(len - 4), file);
    snprintf(starter->ids[i], ID_MAX, "starter-%.*s", (int)(len - 4), file);
    snprintf(path, sizeof(path), "%s/%s", folder, file);
    starter->sources[i] = (struct build_source){
        .id = starter->ids[i],
        .category = starter->categories[i],
        .url = "",
        .format = FORMAT_DOMAINS,
        .match = MATCH_SUBTREE,
        .fd = open(path, O_RDONLY | O_CLOEXEC),
    };
    return starter->sources[i].fd < 0 ? -errno : 0;
}

static int read_folder(struct starter *starter, const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir) {
        return -errno;
    }
    int err = 0;
    const struct dirent *entry;
    while (err == 0 && (entry = readdir(dir))) {
        err = add_file(starter, folder, entry->d_name);
    }
    closedir(dir);
    return err == 0 && starter->count == 0 ? -ENOENT : err;
}

int compile_starter(const char *data_dir, const char *out_path, struct diag *diag)
{
    char folder[PATH_MAX];
    struct starter *starter = calloc(1, sizeof(*starter));
    if (!starter) {
        return -ENOMEM;
    }
    datafile_path(data_dir, "starter", folder, sizeof(folder));
    int err = read_folder(starter, folder);
    if (err < 0) {
        diag_at(diag, folder, 0, 0);
        diag_set(diag, err, "%s", strerror(-err));
        goto out;
    }
    struct build_job job = {.sources = starter->sources, .source_count = starter->count};
    err = compile_file(&job, out_path, starter->reports, diag);
    for (size_t i = 0; i < starter->count && err == 0; i++) {
        if (starter->reports[i].error < 0) {
            err = diag_set(diag, starter->reports[i].error, "%s: %s", starter->ids[i],
                           starter->reports[i].error_text);
        }
    }
out:
    for (size_t i = 0; i < starter->count; i++) {
        if (starter->sources[i].fd >= 0) {
            close(starter->sources[i].fd);
        }
    }
    free(starter);
    return err;
}
