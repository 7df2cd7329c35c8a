// SPDX-License-Identifier: Apache-2.0
#include "config/config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/loader.h"
#include "config/managed.h"
#include "config/origins.h"
#include "config/setting.h"
#include "config/yaml.h"

enum { FILES_MAX = 256 };

/* The file, those of conf.d, and managed.yaml. */
struct file_set {
    char *names[FILES_MAX + 2];
    struct yaml_node *documents[FILES_MAX + 2];
    size_t count;
    bool managed; /* the last one is managed.yaml */
    bool hidden;  /* it may not be read */
};

static void clear_files(struct file_set *files)
{
    for (size_t i = 0; i < files->count; i++) {
        yaml_free(files->documents[i]);
        free(files->names[i]);
    }
    files->count = 0;
}

/* Takes the name over. */
static int read_file(struct file_set *files, char *name, struct diag *diag)
{
    if (!name) {
        return -ENOMEM;
    }
    struct yaml_node *document = NULL;
    int err = yaml_read(name, &document, diag);
    if (err < 0) {
        free(name);
        return err;
    }
    files->names[files->count] = name;
    files->documents[files->count++] = document;
    return 0;
}

static int is_yaml(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".yaml") == 0;
}

static int by_octets(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static char *join(const char *folder, const char *name)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

static int read_folder(struct file_set *files, const char *folder, struct diag *diag)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_yaml, by_octets);
    if (count < 0) {
        int failure = -errno;
        if (failure == -ENOENT) {
            return 0;
        }
        diag_at(diag, folder, 0, 0);
        return diag_set(diag, failure, "cannot read: %s", strerror(-failure));
    }
    int err = 0;
    if (count > FILES_MAX) {
        diag_at(diag, folder, 0, 0);
        err = diag_set(diag, -EINVAL, "more than %d files", FILES_MAX);
    }
    for (int i = 0; i < count; i++) {
        if (err == 0) {
            err = read_file(files, join(folder, entries[i]->d_name), diag);
        }
        free(entries[i]);
    }
    free(entries);
    /* -ENOENT means the main file; here a link leads nowhere. */
    return err == -ENOENT ? -EINVAL : err;
}

static int read_beside(struct file_set *files, const char *path, struct diag *diag)
{
    const char *slash = strrchr(path, '/');
    char *folder = NULL;
    int len = slash ? (int)(slash - path) + 1 : 0;
    if (asprintf(&folder, "%.*sconf.d", len, path) < 0) {
        return -ENOMEM;
    }
    int err = read_folder(files, folder, diag);
    free(folder);
    return err;
}

/* server.state_dir as the documents say; what is wrong with it is said later. */
static const char *state_dir_of(const struct file_set *files)
{
    const char *found = NULL;
    for (size_t i = 0; i < files->count; i++) {
        const struct yaml_node *server = yaml_get(files->documents[i], "server");
        const char *text = yaml_get_text(server, "state_dir");
        found = text ? text : found;
    }
    return found ? found : origins_row_of("server", "state_dir")->text; /* the default */
}

static int add_managed(struct file_set *files, const struct yaml_text *text, struct diag *diag)
{
    int err = text ? yaml_parse(text, &files->documents[files->count], diag) : 0;
    files->names[files->count] = text && err == 0 ? strdup(text->file) : NULL;
    if (text && err == 0) {
        files->managed = true;
        err = files->names[files->count++] ? 0 : -ENOMEM;
    }
    return err;
}

/* Most have none. Who may not look into state_dir, as the web process, goes without. */
static int read_managed(struct file_set *files, struct diag *diag)
{
    struct diag aside = {0};
    int err = read_file(files, join(state_dir_of(files), MANAGED_NAME), &aside);
    files->managed = err == 0;
    files->hidden = err == -EACCES;
    if (err == -ENOENT || err == -ENOTDIR || err == -EACCES) {
        return 0;
    }
    if (err < 0 && diag) {
        *diag = aside;
    }
    return err;
}

struct managed_choice {
    bool from_disk;
    const struct yaml_text *text; /* else this; NULL: none */
};

static int load(const char *path, const struct managed_choice *choice, struct config **ret_config,
                struct diag *diag)
{
    struct file_set *files = calloc(1, sizeof(*files));
    if (!files) {
        return -ENOMEM;
    }
    int err = read_file(files, strdup(path), diag);
    if (err == 0) {
        err = read_beside(files, path, diag);
    }
    if (err == 0) {
        err =
            choice->from_disk ? read_managed(files, diag) : add_managed(files, choice->text, diag);
    }
    if (err == 0) {
        struct loader_input input = {files->documents, files->names, files->count, files->managed};
        err = loader_merge(&input, ret_config, diag);
    }
    if (err == 0) {
        (*ret_config)->managed_hidden = files->hidden;
    }
    clear_files(files);
    free(files);
    return err;
}

int config_load(const char *path, struct config **ret_config, struct diag *diag)
{
    return load(path, &(struct managed_choice){.from_disk = true}, ret_config, diag);
}

int config_load_with(const char *path, const struct yaml_text *managed, struct config **ret_config,
                     struct diag *diag)
{
    return load(path, &(struct managed_choice){.text = managed}, ret_config, diag);
}

int config_parse(const struct yaml_text *text, struct config **ret_config, struct diag *diag)
{
    struct yaml_node *document = NULL;
    int err = yaml_parse(text, &document, diag);
    if (err < 0) {
        return err;
    }
    char *file = strdup(text->file);
    struct loader_input input = {&document, &file, 1};
    err = file ? loader_merge(&input, ret_config, diag) : -ENOMEM;
    free(file);
    yaml_free(document);
    return err;
}

struct config *config_new(void)
{
    struct config *config = NULL;
    struct loader_input nothing = {0};
    return loader_merge(&nothing, &config, NULL) == 0 ? config : NULL;
}

void config_free(struct config *config)
{
    if (!config) {
        return;
    }
    for (size_t i = 0; i < config->source_count; i++) {
        setting_clear(&setting_source, &config->sources[i]);
    }
    for (size_t i = 0; i < config->group_count; i++) {
        setting_clear(&setting_group, &config->groups[i]);
    }
    free(config->sources);
    free(config->groups);
    origins_free(config->origins);
    setting_clear(&setting_config, config);
    free(config);
}

const char *config_word(const char *set, int value)
{
    const char *const *words = setting_words(set);
    for (int i = 0; words && words[i]; i++) {
        if (i == value) {
            return words[i];
        }
    }
    return "";
}
