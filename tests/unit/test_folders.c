// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine/folders.h"

static const char user[] = "nobody";
static char base[64];
static uid_t user_uid;

/* Static buffers in turn, so that two paths can be used at once. */
static const char *at(const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, PATH_MAX, "%s/%s", base, name);
    return path;
}

static struct stat look(const char *name)
{
    struct stat state;
    if (lstat(at(name), &state) < 0) {
        fail_msg("%s: %s", name, strerror(errno));
    }
    return state;
}

static void put_folder(const char *name)
{
    assert_int_equal(mkdir(at(name), 0755), 0);
}

static void put_file(const char *name)
{
    int fd = open(at(name), O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static int set_up(void **state)
{
    (void)state;
    const struct passwd *entry = getpwnam(user);
    assert_non_null(entry);
    user_uid = entry->pw_uid;
    snprintf(base, sizeof(base), "/tmp/greengate-folders.XXXXXX");
    assert_non_null(mkdtemp(base));
    return chmod(base, 0755);
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", base);
    return system(command);
}

static void need_root(void)
{
    if (geteuid() != 0) {
        skip();
    }
}

static int prepare(const char *name)
{
    struct diag diag = {0};
    int err = folder_prepare(at(name), user, &diag);
    assert_int_equal(err < 0, diag.text[0] != '\0'); /* a failure is explained */
    return err;
}

static void missing_folders_are_made_whatever_the_umask(void **state)
{
    struct diag diag = {0};
    (void)state;
    mode_t before = umask(077);
    assert_int_equal(folder_prepare(at("var/lib/gg/"), "", &diag), 0);
    umask(before);
    assert_int_equal(look("var").st_mode & 07777, 0755);
    assert_int_equal(look("var/lib").st_mode & 07777, 0755);
    assert_int_equal(look("var/lib/gg").st_mode & 07777, 0750);
    assert_int_equal(look("var/lib/gg").st_uid, geteuid());
    assert_int_equal(folder_prepare(at("var/lib/gg"), "", &diag), 0);
}

static void new_folder_is_the_users_and_those_above_are_not(void **state)
{
    (void)state;
    need_root();
    assert_int_equal(prepare("lib/gg"), 0);
    assert_int_equal(look("lib").st_uid, 0);
    assert_int_equal(look("lib/gg").st_uid, user_uid);
    assert_int_equal(look("lib/gg").st_mode & 07777, 0750);
}

static const char *const old_state[] = {
    "gg/stats.db",    "gg/stats.db-wal",       "gg/rules.yaml",
    "gg/update.lock", "gg/generations/1.ggdb", "gg/sources/adult.json",
    "gg/requests.db", "gg/accounts.db",        "gg/update.request",
};

static void put_state(void)
{
    put_folder("gg");
    put_folder("gg/generations");
    put_folder("gg/sources");
    for (size_t i = 0; i < sizeof(old_state) / sizeof(old_state[0]); i++) {
        put_file(old_state[i]);
    }
    assert_int_equal(symlink("generations/1.ggdb", at("gg/blocklist.ggdb")), 0);
}

static void state_of_an_earlier_run_as_root_is_given(void **state)
{
    (void)state;
    need_root();
    put_state();
    assert_int_equal(prepare("gg"), 0);
    assert_int_equal(look("gg").st_uid, user_uid);
    assert_int_equal(look("gg/generations").st_uid, user_uid);
    assert_int_equal(look("gg/sources").st_uid, user_uid);
    assert_int_equal(look("gg/blocklist.ggdb").st_uid, user_uid);
    for (size_t i = 0; i < sizeof(old_state) / sizeof(old_state[0]); i++) {
        assert_int_equal(look(old_state[i]).st_uid, user_uid);
    }
    put_file("gg/rules.yaml.new"); /* later, as root again, in the user's folder */
    assert_int_equal(prepare("gg"), 0);
    assert_int_equal(look("gg/rules.yaml.new").st_uid, user_uid);
}

static void files_of_others_in_it_stay(void **state)
{
    (void)state;
    need_root();
    put_state();
    put_file("secret");
    assert_int_equal(unlink(at("gg/rules.yaml")), 0);
    assert_int_equal(link(at("secret"), at("gg/rules.yaml")), 0);
    assert_int_equal(unlink(at("gg/update.lock")), 0);
    assert_int_equal(symlink(at("secret"), at("gg/update.lock")), 0);
    assert_int_equal(chown(at("gg/stats.db"), 1, 1), 0);
    assert_int_equal(prepare("gg"), 0);
    assert_int_equal(look("secret").st_uid, 0);
    assert_int_equal(look("gg/stats.db").st_uid, 1);
}

static void folder_with_foreign_files_is_refused(void **state)
{
    struct diag diag = {0};
    (void)state;
    need_root();
    put_state();
    put_file("gg/dpkg-status");
    assert_int_equal(folder_prepare(at("gg"), user, &diag), -EPERM);
    assert_non_null(strstr(diag.text, "/gg is root's"));
    assert_int_equal(look("gg").st_uid, 0);
    assert_int_equal(look("gg/stats.db").st_uid, 0);
}

static void folder_of_somebody_else_stays(void **state)
{
    (void)state;
    need_root();
    put_state();
    assert_int_equal(chown(at("gg"), 1, 1), 0);
    assert_int_equal(prepare("gg"), 0);
    assert_int_equal(look("gg").st_uid, 1);
    assert_int_equal(look("gg/stats.db").st_uid, 0);
}

static void link_is_not_followed(void **state)
{
    (void)state;
    need_root();
    put_folder("etc");
    assert_int_equal(symlink(at("etc"), at("gg")), 0);
    assert_int_equal(prepare("gg"), -ELOOP);
    assert_int_equal(look("etc").st_uid, 0);
    assert_int_equal(chown(at("etc"), user_uid, 0), 0); /* the user's own may be linked */
    assert_int_equal(prepare("gg"), 0);
}

static void file_in_its_place_is_an_error(void **state)
{
    struct diag diag = {0};
    (void)state;
    put_file("gg");
    assert_int_equal(folder_prepare(at("gg"), "", &diag), -ENOTDIR);
    assert_non_null(strstr(diag.text, "no folder"));
    assert_int_equal(folder_prepare(at("gg/below"), "", &diag), -ENOTDIR);
    if (geteuid() == 0) {
        assert_int_equal(prepare("gg"), -ENOTDIR);
        assert_int_equal(look("gg").st_uid, 0);
    }
}

static void unknown_user_is_said_and_nothing_is_made(void **state)
{
    struct diag diag = {0};
    (void)state;
    need_root();
    assert_int_equal(folder_prepare(at("gg"), "no-such-user", &diag), -ENOENT);
    assert_non_null(strstr(diag.text, "no-such-user"));
    assert_int_equal(access(at("gg"), F_OK), -1);
}

static void socket_folder_is_open_to_look_into(void **state)
{
    struct diag diag = {0};
    (void)state;
    need_root();
    assert_int_equal(folder_prepare_socket(at("run/gg/control.sock"), user, &diag), 0);
    assert_int_equal(look("run").st_uid, 0);
    assert_int_equal(look("run/gg").st_uid, user_uid);
    assert_int_equal(look("run/gg").st_mode & 07777, 0755);
}

static void socket_in_a_folder_of_the_system_does_not_take_it(void **state)
{
    struct diag diag = {0};
    (void)state;
    need_root();
    put_folder("run");
    put_file("run/sshd.pid");
    assert_int_equal(folder_prepare_socket(at("run/control.sock"), user, &diag), -EPERM);
    assert_int_equal(look("run").st_uid, 0);
    assert_int_equal(chmod(at("run"), 01777), 0); /* as /tmp */
    assert_int_equal(folder_prepare_socket(at("run/control.sock"), user, &diag), 0);
    assert_int_equal(look("run").st_uid, 0);
}

/* 0 when the folder could be made by somebody who is not root. */
static int prepare_as_user(const char *name)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct diag diag = {0};
        int err = geteuid() != 0 || setuid(user_uid) == 0 ? folder_prepare(at(name), "root", &diag)
                                                          : -EIO;
        _exit(err == 0 ? 0 : diag.text[0] ? -err : 255);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void without_root_folders_are_made_and_nothing_is_given(void **state)
{
    (void)state;
    put_folder("open");
    put_folder("closed");
    assert_int_equal(chmod(at("open"), 0777), 0);
    assert_int_equal(chmod(at("closed"), 0555), 0);
    assert_int_equal(prepare_as_user("open/gg"), 0);
    assert_int_equal(prepare_as_user("open/gg"), 0);
    assert_int_equal(look("open/gg").st_mode & 07777, 0750);
    assert_int_not_equal(look("open/gg").st_uid, 0);
    assert_int_equal(prepare_as_user("closed/gg"), EACCES);
}

#define row(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        row(missing_folders_are_made_whatever_the_umask),
        row(new_folder_is_the_users_and_those_above_are_not),
        row(state_of_an_earlier_run_as_root_is_given),
        row(files_of_others_in_it_stay),
        row(folder_with_foreign_files_is_refused),
        row(folder_of_somebody_else_stays),
        row(link_is_not_followed),
        row(file_in_its_place_is_an_error),
        row(unknown_user_is_said_and_nothing_is_made),
        row(socket_folder_is_open_to_look_into),
        row(socket_in_a_folder_of_the_system_does_not_take_it),
        row(without_root_folders_are_made_and_nothing_is_given),
    };
    return cmocka_run_group_tests_name("folders", tests, NULL, NULL);
}
