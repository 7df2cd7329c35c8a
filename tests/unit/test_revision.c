// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "web/revision.h"

static char folder[64], path[128];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/greengate-revision.XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/greengate.yaml", folder);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

static void put(const char *name, const char *text)
{
    char file_path[192];
    snprintf(file_path, sizeof(file_path), "%s/%s", folder, name);
    FILE *file = fopen(file_path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void replace(const char *name, const char *text)
{
    char from[192], to[192];
    snprintf(from, sizeof(from), "%s/new", folder);
    snprintf(to, sizeof(to), "%s/%s", folder, name);
    put("new", text);
    assert_int_equal(rename(from, to), 0);
}

static void every_change_is_seen(void **state)
{
    (void)state;
    char extra[128];
    uint64_t seen[8];
    snprintf(extra, sizeof(extra), "%s/conf.d", folder);
    seen[0] = revision_of(path); /* no file yet */
    put("greengate.yaml", "a: 1\n");
    seen[1] = revision_of(path);
    put("greengate.yaml", "a: 12\n");
    seen[2] = revision_of(path);
    replace("greengate.yaml", "a: 13\n"); /* as editors save */
    seen[3] = revision_of(path);
    assert_int_equal(mkdir(extra, 0755), 0);
    put("conf.d/one.yaml", "b: 1\n");
    seen[4] = revision_of(path);
    put("conf.d/one.yaml", "b: 12\n");
    seen[5] = revision_of(path);
    put("conf.d/two.yaml", "");
    seen[6] = revision_of(path);
    replace("conf.d/two.yaml", "c: 1\n");
    seen[7] = revision_of(path);
    for (size_t i = 0; i < 8; i++) {
        for (size_t k = 0; k < i; k++) {
            assert_true(seen[i] != seen[k]);
        }
    }
}

static void what_is_not_read_changes_nothing(void **state)
{
    (void)state;
    put("greengate.yaml", "a: 1\n");
    uint64_t before = revision_of(path);
    assert_true(before == revision_of(path));
    put("greengate.yaml.bak", "a: 2\n");
    assert_true(before == revision_of(path));
}

static void a_path_without_a_folder_is_beside_us(void **state)
{
    (void)state;
    put("greengate.yaml", "a: 1\n");
    assert_int_equal(chdir(folder), 0);
    uint64_t before = revision_of("greengate.yaml");
    assert_int_equal(mkdir("conf.d", 0755), 0);
    put("conf.d/one.yaml", "");
    assert_true(before != revision_of("greengate.yaml"));
    assert_int_equal(chdir("/"), 0);
}

#define row(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        row(every_change_is_seen),
        row(what_is_not_read_changes_nothing),
        row(a_path_without_a_folder_is_beside_us),
    };
    return cmocka_run_group_tests_name("revision", tests, NULL, NULL);
}
