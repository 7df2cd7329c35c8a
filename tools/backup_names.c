// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wholefile.h"
#include "tools/backup.h"
#include "tools/livedb.h"

static const char *const fixed[] = {BACKUP_CONFIG, BACKUP_MANAGED, BACKUP_RULES, BACKUP_ACCOUNTS,
                                    BACKUP_STATS};

/* A file of conf.d: "10-school.yaml". */
static bool is_beside(const char *base)
{
    size_t len = strlen(base);
    for (const char *c = base; *c; c++) {
        if ((unsigned char)*c < 0x21 || *c == 0x7f || *c == '/' || *c == '\\') {
            return false;
        }
    }
    return len > 5 && base[0] != '.' && strcmp(base + len - 5, ".yaml") == 0;
}

bool backup_is_name(const char *name)
{
    size_t folder = strlen(BACKUP_FOLDER);
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        if (strcmp(fixed[i], name) == 0) {
            return true;
        }
    }
    return strncmp(name, BACKUP_FOLDER, folder) == 0 && strlen(name) < BACKUP_NAME_MAX &&
           is_beside(name + folder);
}

bool backup_is_database(const char *name)
{
    return strcmp(name, BACKUP_ACCOUNTS) == 0 || strcmp(name, BACKUP_STATS) == 0;
}

int backup_path(const struct backup_place *place, const char *name, char out[PATH_MAX])
{
    const char *base = strchr(name, '/') + 1;
    const char *slash = strrchr(place->config_path, '/');
    int len;
    if (strcmp(name, BACKUP_CONFIG) == 0) {
        len = snprintf(out, PATH_MAX, "%s", place->config_path);
    } else if (strncmp(name, "state/", 6) == 0) {
        len = snprintf(out, PATH_MAX, "%s/%s", place->state_dir, base);
    } else {
        int folder = slash ? (int)(slash - place->config_path) + 1 : 0;
        len = snprintf(out, PATH_MAX, "%.*s%s", folder, place->config_path, base);
    }
    return len >= 0 && len < PATH_MAX ? 0 : -ENAMETOOLONG;
}

bool backup_has(const struct backup_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i], name) == 0) {
            return true;
        }
    }
    return false;
}

void backup_add(struct backup_names *names, const char *name)
{
    if (names->count < BACKUP_FILES_MAX && !backup_has(names, name)) {
        snprintf(names->items[names->count++], BACKUP_NAME_MAX, "%s", name);
    }
}

/* What cannot be seen may be there: a backup without it would take it away when restored. */
static int fail_hidden(const char *path, int failure, struct diag *diag)
{
    diag_at(diag, path, 0, 0);
    return diag_set(diag, -failure, "%s", strerror(failure));
}

/* Those that config_load() reads: *.yaml of conf.d. */
static int list_beside(const struct backup_place *place, struct backup_names *names,
                       struct diag *diag)
{
    char path[PATH_MAX], name[sizeof(BACKUP_FOLDER) + NAME_MAX];
    if (backup_path(place, "config/conf.d", path) < 0) {
        return diag_set(diag, -EINVAL, "the path of the configuration is too long");
    }
    DIR *folder = opendir(path);
    int err = folder || errno == ENOENT ? 0 : fail_hidden(path, errno, diag);
    for (struct dirent *entry; folder && err == 0 && (entry = readdir(folder)) != NULL;) {
        size_t len = strlen(entry->d_name);
        if (entry->d_name[0] == '.' || len < 6 || strcmp(entry->d_name + len - 5, ".yaml") != 0) {
            continue;
        }
        snprintf(name, sizeof(name), "%s%s", BACKUP_FOLDER, entry->d_name);
        if (!backup_is_name(name) || names->count == BACKUP_FILES_MAX) {
            diag_at(diag, path, 0, 0);
            err = diag_set(diag, -EINVAL,
                           "%.100s: a backup cannot hold a file of this name; rename it",
                           entry->d_name);
        } else {
            backup_add(names, name);
        }
    }
    if (folder) {
        closedir(folder);
    }
    return err;
}

int backup_list(const struct backup_place *place, bool stats, struct backup_names *ret_names,
                struct diag *diag)
{
    char path[PATH_MAX];
    ret_names->count = 0;
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        bool wanted = stats || strcmp(fixed[i], BACKUP_STATS) != 0;
        if (!wanted || backup_path(place, fixed[i], path) < 0) {
            continue;
        }
        if (access(path, F_OK) == 0) {
            backup_add(ret_names, fixed[i]);
        } else if (errno != ENOENT) {
            return fail_hidden(path, errno, diag);
        }
    }
    return list_beside(place, ret_names, diag);
}

void backup_list_absent(const struct backup_names *names, bool stats,
                        struct backup_names *ret_absent)
{
    ret_absent->count = 0;
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        bool wanted = stats || strcmp(fixed[i], BACKUP_STATS) != 0;
        if (wanted && !backup_has(names, fixed[i])) {
            backup_add(ret_absent, fixed[i]);
        }
    }
}

static int read_database(const char *path, struct backup_data *ret_data, struct diag *diag)
{
    uint8_t *data = NULL;
    size_t len = 0;
    int err = livedb_read(path, &data, &len, diag);
    if (err < 0) {
        return err;
    }
    char *copy = malloc(len + 1);
    if (copy) {
        memcpy(copy, data, len);
        *ret_data = (struct backup_data){copy, len};
    }
    livedb_free(data);
    return copy ? 0 : diag_set(diag, -ENOMEM, "no memory");
}

int backup_read(const struct backup_place *place, const char *name, struct backup_data *ret_data,
                struct diag *diag)
{
    char path[PATH_MAX];
    if (backup_path(place, name, path) < 0) {
        return diag_set(diag, -ENAMETOOLONG, "%s: the path is too long", name);
    }
    diag_at(diag, path, 0, 0);
    if (backup_is_database(name)) {
        return read_database(path, ret_data, diag);
    }
    int err = wholefile_read(path, BACKUP_TEXT_MAX, &ret_data->octets, &ret_data->len);
    return err < 0 ? diag_set(diag, err, "%s", strerror(-err)) : 0;
}
