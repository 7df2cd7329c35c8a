// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/datafile.h"

static char folder[] = "/tmp/greengate-datafile-XXXXXX";

static void make(const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fclose(out);
}

static void the_first_folder_that_has_it(void **state)
{
    static const struct {
        const char *name, *file, *from;
    } rows[] = {
        {"only in ours", "a.yaml", "ours"},
        {"in both: the nearer one", "b.yaml", "own"},
        {"in none: where it should be", "c.yaml", "ours"},
    };
    char folders[128], path[256], expected[256];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/own", folder);
    assert_int_equal(mkdir(path, 0755), 0);
    snprintf(path, sizeof(path), "%s/ours", folder);
    assert_int_equal(mkdir(path, 0755), 0);
    make("ours/a.yaml");
    make("ours/b.yaml");
    make("own/b.yaml");
    snprintf(folders, sizeof(folders), "%s/own:%s/none:%s/ours", folder, folder, folder);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(expected, sizeof(expected), "%s/%s/%s", folder, rows[i].from, rows[i].file);
        if (strcmp(datafile_path(folders, rows[i].file, path, sizeof(path)), expected) != 0) {
            fail_msg("%s: %s", rows[i].name, path);
        }
    }
    assert_string_equal(datafile_path("/one", "x/y.txt", path, sizeof(path)), "/one/x/y.txt");
    snprintf(path, sizeof(path), "rm -rf %s", folder);
    assert_int_equal(system(path), 0);
}

static void a_shortage_says_nothing_of_the_file(void **state)
{
    (void)state;
    assert_true(datafile_is_shortage(-EMFILE) && datafile_is_shortage(-ENOMEM));
    assert_true(datafile_is_shortage(-ENFILE) && datafile_is_shortage(-EIO));
    assert_false(datafile_is_shortage(-ENOENT) || datafile_is_shortage(-EINVAL));
    assert_false(datafile_is_shortage(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shortage_says_nothing_of_the_file),
        cmocka_unit_test(the_first_folder_that_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
