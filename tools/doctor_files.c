// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/doctor.h"
#include "tools/offline.h"

/* What nobody else may read; the others may be read, but not written, by anybody. */
static const struct {
    const char *name;
    bool secret;
} state_files[] = {
    {"rules.yaml", false}, {"managed.yaml", false}, {"audit.log", false},
    {"stats.db", false},   {"requests.db", false},  {"accounts.db", true},
};

static void see_written_by_others(struct doctor *doctor, const char *path, const struct stat *info)
{
    char remedy[PATH_MAX + 32];
    if (info->st_mode & S_IWOTH) {
        snprintf(remedy, sizeof(remedy), "chmod o-w %.3000s", path);
        doctor_find(doctor, &(struct finding){FINDING_FAULT, "permissions", remedy},
                    "%s can be written by everybody (mode %03o)", path, info->st_mode & 0777U);
    }
}

static void see_secret(struct doctor *doctor, const char *path, const struct stat *info)
{
    char remedy[PATH_MAX + 32];
    if (info->st_mode & (S_IRWXG | S_IRWXO)) {
        snprintf(remedy, sizeof(remedy), "chmod 600 %.3000s", path);
        doctor_find(doctor, &(struct finding){FINDING_FAULT, "permissions", remedy},
                    "%s is a secret, and others can read it (mode %03o)", path,
                    info->st_mode & 0777U);
    }
}

/* The daemon runs as somebody, and must be able to replace what it keeps. */
static void see_owner(struct doctor *doctor, const char *path, const struct stat *info, uid_t owner)
{
    char remedy[PATH_MAX + 64];
    if (info->st_uid != owner && info->st_uid != 0) {
        snprintf(remedy, sizeof(remedy), "chown --reference=%.1000s %.1000s",
                 doctor->config->server.state_dir, path);
    } else if (info->st_uid != owner) {
        snprintf(remedy, sizeof(remedy),
                 "chown --reference=%.1000s %.1000s; a command that ran as root left it",
                 doctor->config->server.state_dir, path);
    } else {
        return;
    }
    doctor_find(doctor, &(struct finding){FINDING_FAULT, "permissions", remedy},
                "%s does not belong to whom the state folder belongs to: the daemon cannot use it",
                path);
}

static void see_state(struct doctor *doctor)
{
    char path[PATH_MAX];
    struct stat folder, info;
    const char *state = doctor->config->server.state_dir;
    if (stat(state, &folder) < 0) {
        return; /* said where the disk is looked at */
    }
    see_written_by_others(doctor, state, &folder);
    const char *user = doctor->config->server.user;
    const struct passwd *entry = *user ? getpwnam(user) : NULL;
    if (entry && entry->pw_uid != folder.st_uid) {
        snprintf(path, sizeof(path), "chown -R %.60s %.3000s", user, state);
        doctor_find(doctor, &(struct finding){FINDING_FAULT, "permissions", path},
                    "%s does not belong to server.user %s", state, user);
    }
    for (size_t i = 0; i < sizeof(state_files) / sizeof(state_files[0]); i++) {
        int len = snprintf(path, sizeof(path), "%s/%s", state, state_files[i].name);
        if (len < 0 || (size_t)len >= sizeof(path) || lstat(path, &info) < 0) {
            continue;
        }
        see_written_by_others(doctor, path, &info);
        see_owner(doctor, path, &info, folder.st_uid);
        if (state_files[i].secret) {
            see_secret(doctor, path, &info);
        }
    }
}

static void see_key(struct doctor *doctor)
{
    struct stat info;
    const char *key = doctor->config->dns.tls_key, *cert = doctor->config->dns.tls_cert;
    if (*cert && stat(cert, &info) < 0) {
        doctor_find(doctor, &(struct finding){FINDING_FAULT, "permissions", "see dns.tls_cert"},
                    "%s: %s", cert, strerror(errno));
    }
    if (*key && stat(key, &info) < 0) {
        doctor_find(doctor, &(struct finding){FINDING_FAULT, "permissions", "see dns.tls_key"},
                    "%s: %s", key, strerror(errno));
    } else if (*key && (info.st_mode & S_IRWXO)) {
        char remedy[PATH_MAX + 32];
        snprintf(remedy, sizeof(remedy), "chmod o= %.3000s", key);
        doctor_find(doctor, &(struct finding){FINDING_FAULT, "permissions", remedy},
                    "%s is the key of DNS over TLS, and everybody can read it", key);
    }
}

/* Without a daemon nobody else says so. */
static void see_rules(struct doctor *doctor)
{
    char text[DIAG_FILE_MAX + DIAG_TEXT_MAX + 32];
    struct diag diag = {0};
    if (offline_check_rules(doctor->config, &diag) < 0) {
        diag_print(&diag, text, sizeof(text));
        doctor_find(doctor,
                    &(struct finding){FINDING_FAULT, "local rules",
                                      "mend the file or move it away, then greengate reload"},
                    "no rule or pause is in force: %s", text);
    }
}

void doctor_see_files(struct doctor *doctor)
{
    struct stat info;
    unsigned before = doctor->faults + doctor->warnings;
    if (stat(doctor->cli->config_path, &info) == 0) {
        see_written_by_others(doctor, doctor->cli->config_path, &info);
    }
    see_state(doctor);
    see_key(doctor);
    see_rules(doctor);
    if (access(doctor->config->server.state_dir, X_OK) < 0 && errno == EACCES) {
        doctor_find(doctor,
                    &(struct finding){FINDING_WARNING, "permissions", "sudo greengate doctor"},
                    "%s may not be looked into", doctor->config->server.state_dir);
    } else if (doctor->faults + doctor->warnings == before) {
        doctor_find(doctor, &(struct finding){FINDING_OK, "permissions", ""},
                    "files belong to whom they should");
    }
}
