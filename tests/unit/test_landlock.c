// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine/landlock.h"

static char base[64];

static const char *at(const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, PATH_MAX, "%s/%s", base, name);
    return path;
}

static void put_file(const char *name)
{
    int fd = open(at(name), O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
}

/*  in/file           is named
 *  live/link         is named, and leads to archive/file-1; archive/file-2 comes later
 *  later/on/file     is named, and not there yet
 *  out/file          nobody names; out/link leads to in/file, in/trap to out/file
 *  state             is written to */
static int set_up(void **state)
{
    (void)state;
    static const char *const folders[] = {"in", "live", "archive", "later", "out", "state"};
    snprintf(base, sizeof(base), "/tmp/gg-landlock-XXXXXX");
    assert_non_null(mkdtemp(base));
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        assert_int_equal(mkdir(at(folders[i]), 0755), 0);
    }
    put_file("in/file");
    put_file("archive/file-1");
    put_file("out/file");
    assert_int_equal(symlink("../archive/file-1", at("live/link")), 0);
    assert_int_equal(symlink("../in/file", at("out/link")), 0);
    assert_int_equal(symlink("../out/file", at("in/trap")), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", base);
    return system(command);
}

static struct landlock *named(void)
{
    struct landlock *landlock;
    assert_int_equal(landlock_new(&landlock), 0);
    assert_int_equal(landlock_add_file(landlock, at("in/file")), 0);
    assert_int_equal(landlock_add_file(landlock, at("live/link")), 0);
    assert_int_equal(landlock_add_file(landlock, at("later/on/file")), 0);
    assert_int_equal(landlock_add_file(landlock, "/no-such-file"), 0);
    assert_int_equal(landlock_add(landlock, at("no-such-folder"), LANDLOCK_WRITE), 0);
    assert_int_equal(landlock_add(landlock, at("state"), LANDLOCK_WRITE), 0);
    return landlock;
}

static int try_open(const char *name, int flags)
{
    int fd = open(at(name), flags | O_CLOEXEC, 0600);
    if (fd < 0) {
        return errno;
    }
    close(fd);
    return 0;
}

/* In a child, since there is no way back; the row that is wrong, or 0. */
static int check_inside(void)
{
    struct landlock *landlock = named();
    bool open_before = landlock_covers(landlock, at("out/file"));
    int version = landlock_enter(landlock);
    if (version == -EOPNOTSUPP) {
        return 77;
    }
    const struct {
        const char *name;
        int flags, expected;
    } rows[] = {
        {"in/file", O_RDONLY, 0},
        {"in/file", O_WRONLY, EACCES},
        {"in/new", O_WRONLY | O_CREAT, EACCES},
        {"in/trap", O_RDONLY, EACCES},
        {"out/file", O_RDONLY, EACCES},
        {"out/link", O_RDONLY, 0}, /* what it leads to is named */
        {"live/link", O_RDONLY, 0},
        {"archive/file-2", O_RDONLY, ENOENT}, /* not there, but not shut */
        {"later/on/file", O_RDONLY, ENOENT},
        {"state/new", O_WRONLY | O_CREAT | O_TRUNC, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool covered = landlock_covers(landlock, at(rows[i].name));
        bool shut = rows[i].expected == EACCES && !(rows[i].flags & O_WRONLY);
        if (try_open(rows[i].name, rows[i].flags) != rows[i].expected || covered == shut) {
            fprintf(stderr, "%s: %s, %s\n", rows[i].name, strerror(errno),
                    covered ? "covered" : "not covered");
            return (int)i + 1;
        }
    }
    bool removed = unlink(at("state/new")) == 0 && unlink(at("in/file")) < 0;
    landlock_free(landlock);
    return !open_before ? 50 : version < 1 ? 51 : !removed ? 52 : 0;
}

static void what_is_named_stays_open_and_the_rest_is_shut(void **state)
{
    int status;
    (void)state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        _exit(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? 99 : check_inside());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void everything_is_covered_before(void **state)
{
    struct landlock *landlock = named();
    (void)state;
    assert_true(landlock_covers(landlock, at("out/file")));
    assert_true(landlock_covers(NULL, at("out/file")));
    landlock_free(landlock);
    landlock_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_named_stays_open_and_the_rest_is_shut, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(everything_is_covered_before, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
