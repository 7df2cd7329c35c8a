// SPDX-License-Identifier: Apache-2.0
#include "blocklists/generation.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blocklists/blockdb.h"

enum { NUMBER_MAX = 999999 };

/* "000012.ggdb" -> 12, else 0. */
static unsigned number_of(const char *file)
{
    bool fits =
        strlen(file) == 11 && strspn(file, "0123456789") == 6 && strcmp(file + 6, ".ggdb") == 0;
    return fits ? (unsigned)strtoul(file, NULL, 10) : 0;
}

static void path_of(const char *state_dir, unsigned number, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/generations/%06u.ggdb", state_dir, number);
}

int generation_in_force(const char *state_dir)
{
    char link[PATH_MAX];
    char target[PATH_MAX];
    snprintf(link, sizeof(link), "%s/blocklist.ggdb", state_dir);
    ssize_t len = readlink(link, target, sizeof(target) - 1);
    if (len < 0) {
        return -ENOENT;
    }
    target[len] = '\0';
    const char *slash = strrchr(target, '/');
    unsigned number = number_of(slash ? slash + 1 : target);
    return number ? (int)number : -ENOENT;
}

static int by_number(const void *a, const void *b)
{
    unsigned x = ((const struct generation *)a)->number;
    unsigned y = ((const struct generation *)b)->number;
    return (x > y) - (x < y);
}

static void describe(const char *state_dir, struct generation *generation)
{
    char path[PATH_MAX];
    struct stat st;
    struct blockdb *db = NULL;
    path_of(state_dir, generation->number, path);
    if (stat(path, &st) == 0) {
        generation->installed_at = st.st_mtime;
    }
    if (blockdb_open(path, &db, NULL) < 0) {
        generation->damaged = true;
        return;
    }
    const struct blockdb_info *info = blockdb_info(db);
    generation->built_at = info->built_at;
    generation->names = info->names;
    generation->bytes = info->bytes;
    generation->content = info->generation;
    generation->sources = info->sources;
    blockdb_close(db);
}

static size_t list_numbers(const char *state_dir, struct generation out[GENERATIONS_MAX])
{
    char folder[PATH_MAX];
    size_t count = 0;
    int in_force = generation_in_force(state_dir);
    snprintf(folder, sizeof(folder), "%s/generations", state_dir);
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    while (dir && count < GENERATIONS_MAX && (entry = readdir(dir))) {
        unsigned number = number_of(entry->d_name);
        if (number) {
            out[count++] =
                (struct generation){.number = number, .in_force = (int)number == in_force};
        }
    }
    if (dir) {
        closedir(dir);
    }
    if (count) {
        qsort(out, count, sizeof(*out), by_number);
    }
    return count;
}

size_t generation_list(const char *state_dir, struct generation out[GENERATIONS_MAX])
{
    size_t count = list_numbers(state_dir, out);
    for (size_t i = 0; i < count; i++) {
        describe(state_dir, &out[i]);
    }
    return count;
}

int generation_previous(const char *state_dir)
{
    struct generation all[GENERATIONS_MAX];
    size_t count = list_numbers(state_dir, all);
    int in_force = generation_in_force(state_dir);
    int found = -ENOENT;
    for (size_t i = 0; i < count; i++) {
        if (in_force > 0 && (int)all[i].number < in_force) {
            found = (int)all[i].number;
        }
    }
    return found;
}

static void sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)!fsync(fd);
        close(fd);
    }
}

static int swap_link(const char *state_dir, unsigned number, struct diag *diag)
{
    char link[PATH_MAX];
    char temp[PATH_MAX];
    char target[64];
    snprintf(link, sizeof(link), "%s/blocklist.ggdb", state_dir);
    snprintf(temp, sizeof(temp), "%s/blocklist.ggdb.tmp", state_dir);
    snprintf(target, sizeof(target), "generations/%06u.ggdb", number);
    unlink(temp);
    if (symlink(target, temp) < 0 || rename(temp, link) < 0) {
        int err = -errno;
        unlink(temp);
        diag_at(diag, link, 0, 0);
        return diag_set(diag, err, "%s", strerror(-err));
    }
    sync_folder(state_dir);
    return 0;
}

/* Daemons map it: who cuts it short in place would end them by a signal. Replacing it by
 * a rename is harmless. */
static void make_final(const char *path)
{
    struct stat info;
    if (stat(path, &info) == 0) {
        (void)chmod(path, info.st_mode & 0444);
    }
}

int generation_install(const char *state_dir, const char *temp_path, unsigned *ret_number,
                       struct diag *diag)
{
    char path[PATH_MAX];
    char folder[PATH_MAX];
    struct generation all[GENERATIONS_MAX];
    size_t count = list_numbers(state_dir, all);
    unsigned number = count ? all[count - 1].number + 1 : 1;
    if (number > NUMBER_MAX) {
        return diag_set(diag, -ERANGE, "no generation number is left: remove old generations");
    }
    path_of(state_dir, number, path);
    make_final(temp_path);
    if (rename(temp_path, path) < 0) {
        diag_at(diag, path, 0, 0);
        return diag_set(diag, -errno, "%s", strerror(errno));
    }
    snprintf(folder, sizeof(folder), "%s/generations", state_dir);
    sync_folder(folder);
    *ret_number = number;
    return swap_link(state_dir, number, diag);
}

int generation_use(const char *state_dir, unsigned number, struct diag *diag)
{
    char path[PATH_MAX];
    struct blockdb *db = NULL;
    path_of(state_dir, number, path);
    int err = blockdb_open(path, &db, diag);
    if (err < 0) {
        return err;
    }
    blockdb_close(db);
    diag_at(diag, "", 0, 0);
    return swap_link(state_dir, number, diag);
}

static int write_pin(const char *path, int number)
{
    char temp[PATH_MAX + 8];
    snprintf(temp, sizeof(temp), "%s.tmp", path);
    FILE *file = fopen(temp, "we");
    if (!file) {
        return -errno;
    }
    bool ok = fprintf(file, "%d\n", number) > 0 && fflush(file) == 0 && fsync(fileno(file)) == 0;
    int err = ok ? 0 : -errno;
    err = fclose(file) == 0 ? err : -errno;
    if (err == 0 && rename(temp, path) < 0) {
        err = -errno;
    }
    if (err < 0) {
        unlink(temp);
    }
    return err;
}

int generation_pin(const char *state_dir, struct diag *diag)
{
    char path[PATH_MAX];
    struct generation all[GENERATIONS_MAX];
    size_t count = list_numbers(state_dir, all);
    int in_force = generation_in_force(state_dir);
    if (count == 0 || in_force < 0 || (int)all[count - 1].number == in_force) {
        generation_unpin(state_dir);
        return 0;
    }
    snprintf(path, sizeof(path), "%s/pinned", state_dir);
    int err = write_pin(path, in_force);
    if (err < 0) {
        diag_at(diag, path, 0, 0);
        return diag_set(diag, err, "%s", strerror(-err));
    }
    sync_folder(state_dir);
    return 1;
}

void generation_unpin(const char *state_dir)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/pinned", state_dir);
    unlink(path);
}

int generation_pinned(const char *state_dir)
{
    char path[PATH_MAX];
    int number = 0;
    snprintf(path, sizeof(path), "%s/pinned", state_dir);
    FILE *file = fopen(path, "re");
    if (!file) {
        return -ENOENT;
    }
    bool read = fscanf(file, "%6d", &number) == 1;
    fclose(file);
    return read && number > 0 && number == generation_in_force(state_dir) ? number : -ENOENT;
}

void generation_prune(const char *state_dir, size_t keep)
{
    char path[PATH_MAX];
    struct generation all[GENERATIONS_MAX];
    size_t count = list_numbers(state_dir, all);
    size_t left = count;
    for (size_t i = 0; i < count && left > keep; i++) {
        if (!all[i].in_force) {
            path_of(state_dir, all[i].number, path);
            left -= unlink(path) == 0;
        }
    }
}

void generation_clean(const char *state_dir)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof(folder), "%s/generations", state_dir);
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        if (strstr(entry->d_name, ".tmp")) {
            unlinkat(dirfd(dir), entry->d_name, 0);
        }
    }
    if (dir) {
        closedir(dir);
    }
}
