// SPDX-License-Identifier: Apache-2.0
#include "blocklists/textstore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/datafile.h"
#include "blocklists/folders.h"
#include "blocklists/input.h"
#include "blocklists/meta.h"

static const char starter_prefix[] = "starter-";

static void folder_of(const struct textstore *store, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/generations/%06u.lists", store->state_dir, store->generation);
}

static int text_path(const struct textstore *store, const char *id, char out[PATH_MAX])
{
    int len = snprintf(out, PATH_MAX, "%s/generations/%06u.lists/%s.zst", store->state_dir,
                       store->generation, id);
    return len < 0 || len >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* The copy in sources/ when it is the one that was compiled. */
static int source_path(const struct textstore *store, const struct blockdb_source *source,
                       char out[PATH_MAX])
{
    struct source_meta *meta = malloc(sizeof(*meta));
    int len = snprintf(out, PATH_MAX, "%s/sources/%s.json", store->state_dir, source->id);
    int err = meta && len > 0 && len < PATH_MAX ? meta_load(out, meta) : -ENOENT;
    if (err == 0 &&
        (meta->fetched_at != source->fetched_at || strcmp(meta->url, source->url) != 0)) {
        err = -ENOENT;
    }
    free(meta);
    snprintf(out, PATH_MAX, "%s/sources/%s.zst", store->state_dir, source->id);
    return err;
}

static int copy_file(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    int err = in < 0 || out < 0 ? -errno : 0;
    ssize_t sent = 1;
    while (err == 0 && sent > 0) {
        sent = sendfile(out, in, NULL, 1 << 20);
        err = sent < 0 ? -errno : 0;
    }
    if (out >= 0) {
        err = close(out) < 0 && err == 0 ? -errno : err;
    }
    if (in >= 0) {
        close(in);
    }
    if (err < 0 && out >= 0) {
        unlink(to);
    }
    return err;
}

static int keep_one(const struct textstore *store, const struct blockdb_source *source)
{
    char from[PATH_MAX];
    char to[PATH_MAX];
    int err = text_path(store, source->id, to);
    if (err < 0 || access(to, F_OK) == 0 || source_path(store, source, from) < 0) {
        return err;
    }
    if (link(from, to) == 0 || errno == EEXIST) {
        return 0;
    }
    return copy_file(from, to); /* a file system without links */
}

int textstore_keep(const struct textstore *store)
{
    char path[PATH_MAX];
    struct blockdb *db = NULL;
    snprintf(path, sizeof(path), "%s/generations/%06u.ggdb", store->state_dir, store->generation);
    int err = blockdb_open(path, &db, NULL);
    folder_of(store, path);
    if (err == 0 && mkdir(path, 0755) < 0 && errno != EEXIST) {
        err = -errno;
    }
    for (unsigned i = 0; err == 0 && i < blockdb_info(db)->sources; i++) {
        err = keep_one(store, blockdb_source(db, i));
    }
    blockdb_close(db);
    return err;
}

static void remove_folder(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        if (entry->d_name[0] != '.') {
            unlinkat(dirfd(dir), entry->d_name, 0);
        }
    }
    if (dir) {
        closedir(dir);
    }
    rmdir(path);
}

void textstore_prune(const char *state_dir)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/generations", state_dir);
    DIR *dir = opendir(path);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        char own[32];
        bool ours = strlen(entry->d_name) == 12 && strspn(entry->d_name, "0123456789") == 6 &&
                    strcmp(entry->d_name + 6, ".lists") == 0;
        snprintf(own, sizeof(own), "%.6s.ggdb", entry->d_name);
        if (ours && faccessat(dirfd(dir), own, F_OK, 0) < 0) {
            snprintf(path, sizeof(path), "%s/generations/%.12s", state_dir, entry->d_name);
            remove_folder(path);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

/* A starter list is a plain file of the program's data. */
static void starter_path(const struct textstore *store, const char *id, char out[PATH_MAX])
{
    char name[256];
    snprintf(name, sizeof(name), "starter/%s.txt", id + sizeof(starter_prefix) - 1);
    datafile_path(store->data_dir, name, out, PATH_MAX);
}

/* As it was compiled: the database says most, the configuration which folders. */
static struct build_source described(struct textstore *store, const struct blockdb_source *source)
{
    struct build_source made = {.fd = -1};
    folders_clear(&store->folders);
    for (size_t i = 0; store->config && i < store->config->source_count; i++) {
        const struct config_source *own = &store->config->sources[i];
        if (strcmp(own->id, source->id) == 0 &&
            input_folders(store->data_dir, own, &store->folders, NULL) == 0) {
            made = input_make(own, &store->folders, -1);
        }
    }
    made.id = source->id;
    made.category = source->category;
    made.url = source->url;
    made.format = source->format;
    made.match = source->match;
    made.fetched_at = source->fetched_at;
    return made;
}

void textstore_clear(struct textstore *store)
{
    folders_clear(&store->folders);
}

int textstore_open(struct textstore *store, const struct blockdb_source *source,
                   struct build_source *ret_source)
{
    char path[PATH_MAX];
    bool starter = store->generation == 0 &&
                   strncmp(source->id, starter_prefix, sizeof(starter_prefix) - 1) == 0;
    if (starter) {
        starter_path(store, source->id, path);
    } else if (text_path(store, source->id, path) < 0) {
        return -ENOENT;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int err = fd < 0 ? -errno : 0;
    if (err == -ENOENT && !starter && source_path(store, source, path) == 0) {
        fd = open(path, O_RDONLY | O_CLOEXEC);
        err = fd < 0 ? -errno : 0;
    }
    if (err < 0) {
        return err;
    }
    *ret_source = described(store, source);
    ret_source->fd = fd;
    return 0;
}
