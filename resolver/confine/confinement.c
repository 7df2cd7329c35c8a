// SPDX-License-Identifier: Apache-2.0
#include "confine/confinement.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/setting.h"
#include "confine/folders.h"
#include "confine/landlock.h"
#include "confine/privileges.h"
#include "confine/syscalls.h"

/* The libraries, the time zone, the certificates, the kernel's own figures, users. All may be
 * read by everybody, or the modes of the files say by whom. */
static const char *const always[] = {
    "/usr",
    "/lib",
    "/lib64",
    "/etc",
    "/proc/self",
    "/proc/sys",
    "/proc/net",
    "/proc/stat",
    "/proc/meminfo",
    "/dev/urandom",
    "/sys/devices/system/cpu",
    "/run/systemd/userdb",
    "/var/lib/sss",
};
/* Where programs put the resolv.conf that the one in /etc is a link to. */
static const char *const resolv_conf[] = {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf",
                                          "/run/resolvconf/resolv.conf",
                                          "/run/NetworkManager/resolv.conf"};
/* By which the environment says where certificates lie. */
static const char *const variables[] = {"SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF", "TZDIR"};

/* Whose settings name files that a program reads. */
static const char *const daemon_sections[] = {"server", "dns", "geo", NULL};
static const char *const web_sections[] = {"server", "web", NULL};

static struct landlock *in_force;

/* Visits each path of the settings that name files or folders to be read, until
 * `visit` says other than 0. */
struct visit {
    const char *const *sections; /* of the program, NULL at the end */
    int (*act)(void *context, const struct setting *row, const char *path);
    void *context;
};

static bool is_of(const struct visit *visit, const struct setting *row)
{
    bool names_files = strcmp(row->shape, "file") == 0 || strcmp(row->shape, "path") == 0 ||
                       strcmp(row->shape, "folder") == 0 || strcmp(row->shape, "path_list") == 0;
    for (size_t i = 0; names_files && visit->sections[i]; i++) {
        if (strcmp(row->section, visit->sections[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Folders that a colon divides. */
static int visit_parts(const struct visit *visit, const struct setting *row, const char *paths)
{
    char path[PATH_MAX];
    int result = 0;
    while (result == 0 && *paths) {
        size_t len = strcspn(paths, ":");
        snprintf(path, sizeof(path), "%.*s", (int)len, paths);
        result = visit->act(visit->context, row, path);
        paths += len + (paths[len] == ':');
    }
    return result;
}

static int visit_row(const struct visit *visit, const struct setting *row,
                     const struct config *config)
{
    if (row->kind == SETTING_TEXT) {
        const char *path = *setting_text(row, config);
        if (strcmp(row->shape, "path_list") == 0) {
            return visit_parts(visit, row, path);
        }
        return path[0] ? visit->act(visit->context, row, path) : 0;
    }
    const struct text_list *list = setting_list(row, config);
    int result = 0;
    for (size_t i = 0; result == 0 && i < list->count; i++) {
        result = visit->act(visit->context, row, list->items[i]);
    }
    return result;
}

static int visit_paths(const struct visit *visit, const struct config *config)
{
    int result = 0;
    for (size_t i = 0; result == 0 && i < setting_config.count; i++) {
        const struct setting *row = &setting_config.rows[i];
        if ((row->kind == SETTING_TEXT || row->kind == SETTING_LIST) && is_of(visit, row)) {
            result = visit_row(visit, row, config);
        }
    }
    return result;
}

/* state_dir is both programs' setting and the daemon's folder. */
static bool is_state(const struct setting *row)
{
    return strcmp(row->key, "state_dir") == 0;
}

static int add_path(void *context, const struct setting *row, const char *path)
{
    struct landlock *landlock = context;
    return is_state(row)                       ? 0
           : strcmp(row->key, "data_dir") == 0 ? landlock_add(landlock, path, LANDLOCK_READ)
                                               : landlock_add_file(landlock, path);
}

/* The file, conf.d beside it, and where links among them lead. */
static int add_config_files(struct landlock *landlock, const char *config_path)
{
    char pattern[PATH_MAX];
    glob_t found;
    const char *slash = strrchr(config_path, '/');
    int len = slash ? (int)(slash - config_path) + 1 : 0;
    int err = landlock_add_file(landlock, config_path);
    if (err < 0 ||
        snprintf(pattern, sizeof(pattern), "%.*sconf.d/*.yaml", len, config_path) >= PATH_MAX ||
        glob(pattern, 0, NULL, &found) != 0) {
        return err;
    }
    for (size_t i = 0; err == 0 && i < found.gl_pathc; i++) {
        err = landlock_add_file(landlock, found.gl_pathv[i]);
    }
    globfree(&found);
    return err;
}

static int add_system(struct landlock *landlock)
{
    int err = 0;
    for (size_t i = 0; err == 0 && i < sizeof(always) / sizeof(always[0]); i++) {
        err = landlock_add(landlock, always[i], LANDLOCK_READ);
    }
    for (size_t i = 0; err == 0 && i < sizeof(resolv_conf) / sizeof(resolv_conf[0]); i++) {
        err = landlock_add_file(landlock, resolv_conf[i]);
    }
    for (size_t i = 0; err == 0 && i < sizeof(variables) / sizeof(variables[0]); i++) {
        const char *path = getenv(variables[i]);
        err = path && path[0] ? landlock_add_file(landlock, path) : 0;
    }
    return err < 0 ? err : landlock_add(landlock, "/dev/null", LANDLOCK_WRITE);
}

static int add_all(struct landlock *landlock, const struct confinement *to,
                   const char *const *sections)
{
    const struct visit visit = {sections, add_path, landlock};
    int err = add_system(landlock);
    if (err == 0) {
        err = add_config_files(landlock, to->config_path);
    }
    return err < 0 ? err : visit_paths(&visit, to->config);
}

/* What the daemon writes. */
static int add_own(struct landlock *landlock, const struct config *config)
{
    char folder[PATH_MAX];
    const char *socket = config->server.control_socket;
    const char *slash = strrchr(socket, '/');
    int len = slash && slash != socket ? (int)(slash - socket) : 1;
    snprintf(folder, sizeof(folder), "%.*s", len, socket);
    int err = landlock_add(landlock, config->server.state_dir, LANDLOCK_WRITE);
    return err < 0 ? err : landlock_add(landlock, folder, LANDLOCK_SOCKET);
}

static void enter(struct landlock *landlock, void (*say)(const char *text))
{
    char text[128];
    int version = landlock_enter(landlock);
    if (version == -EOPNOTSUPP) {
        say("no Landlock here (it comes with Linux 5.13; some containers forbid it): files are "
            "shut by their modes alone");
    } else if (version < 0) {
        snprintf(text, sizeof(text), "Landlock cannot be used: %s", strerror(-version));
        say(text);
    }
    landlock_free(in_force);
    in_force = landlock;
}

/* `program` is one of the lists of sections above. */
static int confine_files(const struct confinement *to, const char *const *program,
                         struct diag *diag)
{
    struct landlock *landlock = NULL;
    int err = landlock_new(&landlock);
    if (err == 0) {
        err = add_all(landlock, to, program);
    }
    if (err == 0 && program == daemon_sections) {
        err = add_own(landlock, to->config);
    }
    if (err < 0) {
        landlock_free(landlock);
        return diag_set(diag, err, "no memory to confine the program");
    }
    enter(landlock, to->say);
    return 0;
}

int confinement_of_daemon(const struct confinement *to, struct diag *diag)
{
    const char *user = to->config->server.user;
    const char *socket = to->config->server.control_socket;
    int err = folder_prepare(to->config->server.state_dir, user, diag);
    if (err == 0) {
        err = folder_prepare_socket(socket, user, diag);
    }
    if (err == 0) {
        err = privileges_drop(user, diag);
    }
    return err < 0 ? err : confine_files(to, daemon_sections, diag);
}

int confinement_share_socket(const struct config *config, const char *path, struct diag *diag)
{
    const char *user = config->server.web_user;
    const struct passwd *entry = user[0] ? getpwnam(user) : NULL;
    if (!user[0]) {
        return 0;
    }
    if (!entry) {
        return diag_set(diag, -ENOENT, "server.web_user: there is no user '%s'", user);
    }
    if (lchown(path, (uid_t)-1, entry->pw_gid) == 0) {
        return 0;
    }
    int err = -errno;
    return err == -EPERM
               ? diag_set(diag, err,
                          "server.web_user: greengated's own user must be in the group of '%s', so "
                          "that it can let it in on %s: usermod -aG GROUP USER",
                          user, path)
               : diag_set(diag, err, "%s: %s", path, strerror(-err));
}

void confinement_of_calls(void (*say)(const char *text))
{
    char text[128];
    int err = syscalls_confine();
    if (err == -EOPNOTSUPP) {
        say("no seccomp filters here: system calls are not confined");
    } else if (err == -ENOSYS) {
        say("built without libseccomp: system calls are not confined");
    } else if (err < 0) {
        snprintf(text, sizeof(text), "system calls are not confined: %s", strerror(-err));
        say(text);
    }
}

const char *confinement_web_user(const struct config *config)
{
    return config->server.web_user[0] ? config->server.web_user : config->server.user;
}

int confinement_of_web(const struct confinement *to, struct diag *diag)
{
    int err = confine_files(to, web_sections, diag);
    if (err == 0) {
        confinement_of_calls(to->say);
    }
    return err;
}

static int find_outside(void *context, const struct setting *row, const char *path)
{
    char *out = context;
    if (is_state(row) || landlock_covers(in_force, path)) {
        return 0;
    }
    snprintf(out, 64, "%s.%s", row->section, row->key);
    return 1;
}

const char *confinement_outside(const struct config *config)
{
    static char key[64]; /* used by the main thread alone */
    const struct visit visit = {daemon_sections, find_outside, key};
    return visit_paths(&visit, config) ? key : NULL;
}

void confinement_explain(struct diag *diag)
{
    char text[DIAG_TEXT_MAX];
    if (diag && diag->file[0] && !landlock_covers(in_force, diag->file)) {
        memcpy(text, diag->text, sizeof(text));
        diag_set(diag, 0,
                 "%.200s; it is out of the folders that the program confined itself to when it "
                 "started: restart it",
                 text);
    }
}
