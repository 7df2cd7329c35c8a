// SPDX-License-Identifier: Apache-2.0
#include "tools/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/version.h"
#include "blocklists/archive.h"
#include "tools/cli.h"

struct making {
    struct cli *cli;
    const char *path;
    bool stats, force;
    struct backup_place place;
    struct backup_names names, absent;
    struct backup_data data[BACKUP_FILES_MAX]; /* as names.items */
    cJSON *manifest;
};

static int read_files(struct making *making, struct diag *diag)
{
    size_t octets = 0;
    int err = 0;
    for (size_t i = 0; err == 0 && i < making->names.count; i++) {
        err = backup_read(&making->place, making->names.items[i], &making->data[i], diag);
        octets += err == 0 ? making->data[i].len : 0;
        if (octets > BACKUP_OCTETS_MAX) {
            err = diag_set(diag, -EFBIG, "larger than the %d MiB that a backup may have",
                           BACKUP_OCTETS_MAX >> 20);
        }
    }
    if (err == 0) {
        diag_clear(diag);
    }
    return err;
}

static void write_manifest(struct making *making, int64_t now)
{
    cJSON *manifest = making->manifest = cJSON_CreateObject();
    char checksum[ARCHIVE_CHECKSUM];
    cJSON_AddNumberToObject(manifest, "greengate_backup", BACKUP_FORMAT);
    cJSON_AddStringToObject(manifest, "version", GREENGATE_VERSION);
    cJSON_AddNumberToObject(manifest, "made_at", (double)now);
    cJSON *files = cJSON_AddArrayToObject(manifest, "files");
    for (size_t i = 0; i < making->names.count; i++) {
        cJSON *file = cJSON_CreateObject();
        archive_checksum(making->data[i].octets, making->data[i].len, checksum);
        cJSON_AddStringToObject(file, "name", making->names.items[i]);
        cJSON_AddNumberToObject(file, "size", (double)making->data[i].len);
        cJSON_AddStringToObject(file, "sha256", checksum);
        cJSON_AddItemToArray(files, file);
    }
}

static int write_members(const struct making *making, struct archive *archive, int64_t now)
{
    char *text = cJSON_Print(making->manifest);
    int err = text ? 0 : -ENOMEM;
    if (err == 0) {
        err = archive_add(archive,
                          &(struct archive_file){BACKUP_MANIFEST, 0600, now, text, strlen(text)});
    }
    for (size_t i = 0; err == 0 && i < making->names.count; i++) {
        err = archive_add(archive,
                          &(struct archive_file){making->names.items[i], 0600, now,
                                                 making->data[i].octets, making->data[i].len});
    }
    free(text);
    return err < 0 ? err : archive_finish(archive);
}

static int write_file(const struct making *making, int fd, int64_t now)
{
    struct archive *archive = NULL;
    int err = archive_new(fd, &archive);
    if (err == 0) {
        err = write_members(making, archive, now);
    }
    archive_free(archive);
    return err == 0 && fsync(fd) < 0 ? -errno : err;
}

/* It holds accounts: nobody else may read it, not even while it is written. */
static int save(struct making *making)
{
    char temp[PATH_MAX];
    int64_t now = (int64_t)time(NULL);
    int len = snprintf(temp, sizeof(temp), "%s.new", making->path);
    if (len < 0 || (size_t)len >= sizeof(temp)) {
        return cli_fail(making->cli, CLI_FAILED, "the path is too long");
    }
    unlink(temp);
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return cli_fail(making->cli, CLI_FAILED, "%s: %s", temp, strerror(errno));
    }
    write_manifest(making, now);
    int err = write_file(making, fd, now);
    close(fd);
    if (err == 0 && rename(temp, making->path) < 0) {
        err = -errno;
    }
    if (err < 0) {
        unlink(temp);
        return cli_fail(making->cli, CLI_FAILED, "%s: %s", making->path, strerror(-err));
    }
    return CLI_DONE;
}

static int report_json(struct making *making, const struct stat *info)
{
    cJSON *json = making->manifest;
    making->manifest = NULL;
    cJSON_AddTrueToObject(json, "ok");
    cJSON_AddStringToObject(json, "file", making->path);
    cJSON_AddNumberToObject(json, "bytes", (double)info->st_size);
    cJSON *absent = cJSON_AddArrayToObject(json, "absent");
    for (size_t i = 0; i < making->absent.count; i++) {
        cJSON_AddItemToArray(absent, cJSON_CreateString(making->absent.items[i]));
    }
    return cli_print_json(making->cli, json);
}

static int report(struct making *making)
{
    struct cli *cli = making->cli;
    struct stat info = {0};
    const cJSON *file;
    (void)!stat(making->path, &info);
    if (cli->json) {
        return report_json(making, &info);
    }
    cJSON_ArrayForEach(file, cJSON_GetObjectItemCaseSensitive(making->manifest, "files"))
    {
        fprintf(cli->out, "  %-32s %8.0f octets\n", cli_text(file, "name"),
                cli_number(file, "size"));
    }
    for (size_t i = 0; i < making->absent.count; i++) {
        fprintf(cli->out, "  %-32s there is none\n", making->absent.items[i]);
    }
    fprintf(
        cli->out,
        "%s: %zu file%s, %lld octets, for you alone (mode 0600).\n"
        "Not in it: lists (`greengate update` fetches them), %skeys and certificates, the audit "
        "log.\n",
        making->path, making->names.count, cli_plural(making->names.count), (long long)info.st_size,
        making->stats ? "" : "statistics (--stats), ");
    return CLI_DONE;
}

static int run(struct making *making)
{
    struct diag diag = {0};
    if (!making->force && access(making->path, F_OK) == 0) {
        return cli_fail(making->cli, CLI_FAILED, "%s is there already: --force writes over it",
                        making->path);
    }
    int err = backup_list(&making->place, making->stats, &making->names, &diag);
    backup_list_absent(&making->names, making->stats, &making->absent);
    err = err < 0 ? err : read_files(making, &diag);
    int code = err < 0 ? cli_fail_diag(making->cli, CLI_FAILED, &diag) : save(making);
    return code == CLI_DONE ? report(making) : code;
}

int cmd_backup(struct cli *cli, int argc, char **argv)
{
    struct making *making = calloc(1, sizeof(*making));
    struct config *config = NULL;
    struct diag diag = {0};
    if (!making) {
        return cli_fail(cli, CLI_FAILED, "no memory");
    }
    const struct cli_option options[] = {
        {"--stats", &making->stats, NULL}, {"--force", &making->force, NULL}, {NULL, NULL, NULL}};
    int count = cli_options(cli, argc, argv, options);
    int code = count < 0    ? CLI_USAGE
               : count != 1 ? cli_usage(cli, "backup", "a file is needed")
                            : CLI_DONE;
    if (code == CLI_DONE && config_load(cli->config_path, &config, &diag) < 0) {
        code = cli_fail_diag(cli, CLI_BAD_CONFIG, &diag);
    }
    if (code == CLI_DONE) {
        making->cli = cli;
        making->path = argv[1];
        making->place = (struct backup_place){cli->config_path, config->server.state_dir};
        code = run(making);
    }
    for (size_t i = 0; i < BACKUP_FILES_MAX; i++) {
        free(making->data[i].octets);
    }
    cJSON_Delete(making->manifest);
    free(making);
    config_free(config);
    return code;
}
