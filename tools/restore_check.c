// SPDX-License-Identifier: Apache-2.0
#include "tools/restore_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wholefile.h"
#include "blocklists/archive.h"
#include "blocklists/bundle.h"
#include "blocklists/child.h"
#include "tools/livedb.h"
#include "tools/moving.h"
#include "tools/restore.h"

static int damaged(struct diag *diag, const char *what)
{
    return diag_set(diag, -EBADMSG, "the backup is damaged: %s", what);
}

static int check_member(const struct bundle *bundle, const cJSON *file, struct diag *diag)
{
    char checksum[ARCHIVE_CHECKSUM];
    const char *name = moving_text(file, "name");
    const cJSON *size = cJSON_GetObjectItemCaseSensitive(file, "size");
    if (!backup_is_name(name)) {
        return diag_set(diag, -EBADMSG, "the manifest names %.100s, which no backup holds", name);
    }
    const struct bundle_file *member = bundle_find(bundle, name);
    if (!member || !cJSON_IsNumber(size) || size->valuedouble != (double)member->len) {
        return diag_set(diag, -EBADMSG, "the backup is damaged: %.100s is %s", name,
                        member ? "not as long as it was" : "missing");
    }
    archive_checksum(member->data, member->len, checksum);
    if (strcmp(checksum, moving_text(file, "sha256")) != 0) {
        return diag_set(diag, -EBADMSG, "the backup is damaged: %.100s has another checksum", name);
    }
    return backup_is_database(name) ? livedb_check(member->data, member->len, diag) : 0;
}

static int check_manifest(const struct bundle *bundle, const cJSON *manifest, struct diag *diag)
{
    const cJSON *format = cJSON_GetObjectItemCaseSensitive(manifest, "greengate_backup");
    const cJSON *files = cJSON_GetObjectItemCaseSensitive(manifest, "files"), *file;
    if (!cJSON_IsNumber(format) || !cJSON_IsArray(files)) {
        return damaged(diag, "its manifest is none");
    }
    if (format->valuedouble > BACKUP_FORMAT) {
        return diag_set(diag, -ENOTSUP,
                        "the backup is of a newer format (%.0f, made by greengate %.40s); this "
                        "program reads up to %d: install that version first",
                        format->valuedouble, moving_text(manifest, "version"), BACKUP_FORMAT);
    }
    cJSON_ArrayForEach(file, files)
    {
        int err = check_member(bundle, file, diag);
        if (err < 0) {
            return err;
        }
    }
    if (bundle->count != (size_t)cJSON_GetArraySize(files) + 1) {
        return damaged(diag, "it holds files that its manifest does not name");
    }
    return bundle_find(bundle, BACKUP_CONFIG) ? 0 : damaged(diag, "there is no configuration");
}

static int lay_out(const struct bundle *bundle, const char *folder, struct diag *diag)
{
    char path[PATH_MAX];
    int err = 0;
    for (size_t i = 0; err == 0 && i < bundle->count; i++) {
        err = restore_path(folder, bundle->files[i].name, path);
        if (err == 0) {
            err = restore_put(path, bundle->files[i].data, bundle->files[i].len);
        }
    }
    return err < 0 ? diag_set(diag, err, "%s: %s", folder, strerror(-err)) : 0;
}

/* In the child. */
static int read_backup(void *arg, struct diag *diag)
{
    const struct restore_check *check = arg;
    const struct bundle_limits limits = {BACKUP_FILES_MAX + 1, BACKUP_OCTETS_MAX, NULL};
    struct bundle bundle = {0};
    int fd = open(check->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return diag_set(diag, -errno, "%s", strerror(errno));
    }
    int err = bundle_read(fd, &limits, &bundle, diag);
    const struct bundle_file *text = err == 0 ? bundle_find(&bundle, BACKUP_MANIFEST) : NULL;
    if (err == 0 && !text) {
        err = diag_set(diag, -EBADMSG, "it is an archive, but no backup of greengate");
    }
    if (err == 0 && text) {
        cJSON *manifest = cJSON_ParseWithLength((const char *)text->data, text->len);
        err = check_manifest(&bundle, manifest, diag);
        cJSON_Delete(manifest);
    }
    if (err == 0) {
        err = lay_out(&bundle, check->folder, diag);
    }
    bundle_clear(&bundle);
    close(fd);
    return err;
}

static int read_manifest(struct restore_check *check, cJSON **ret_manifest, struct diag *diag)
{
    char path[PATH_MAX], *text = NULL;
    size_t len;
    const cJSON *file;
    int err = restore_path(check->folder, BACKUP_MANIFEST, path);
    err = err < 0 ? err : wholefile_read(path, BACKUP_TEXT_MAX, &text, &len);
    cJSON *manifest = err == 0 ? cJSON_Parse(text) : NULL;
    free(text);
    if (!manifest) {
        return diag_set(diag, err < 0 ? err : -ENOMEM, "%s", strerror(err < 0 ? -err : ENOMEM));
    }
    cJSON_ArrayForEach(file, cJSON_GetObjectItemCaseSensitive(manifest, "files"))
    {
        backup_add(check->names, moving_text(file, "name"));
    }
    *ret_manifest = manifest;
    return 0;
}

int restore_check_file(struct restore_check *check, cJSON **ret_manifest, struct diag *diag)
{
    int err = child_run(read_backup, check, 0, diag);
    if (err == -ECHILD) {
        diag_set(diag, err, "reading it took too much memory or time");
    }
    if (err == 0) {
        err = read_manifest(check, ret_manifest, diag);
    }
    if (err < 0 && !*diag->text) {
        diag_set(diag, err, "%s", strerror(-err));
    }
    if (err < 0) {
        diag_at(diag, check->path, 0, 0);
    }
    return err;
}
