// SPDX-License-Identifier: Apache-2.0
/* What a source of the configuration is for the compiler. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blocklists/input.h"
#include "config/yaml.h"

static struct config *config;

/* The first source of a configuration with these keys. */
static struct sync_source source_with(const char *keys)
{
    char text[512];
    struct diag diag = {0};
    config_free(config);
    config = NULL;
    snprintf(text, sizeof(text),
             "lists:\n  sources:\n    - {id: x, url: \"https://x.example/\", %s}\n", keys);
    const struct yaml_text yaml = {text, strlen(text), "test"};
    assert_int_equal(config_parse(&yaml, &config, &diag), 0);
    free(config->server.data_dir);
    config->server.data_dir = strdup("blocklists/catalog");
    return (struct sync_source){.config = &config->sources[0]};
}

static struct build_source input_with(const char *keys, size_t *ret_folders)
{
    struct diag diag = {0};
    struct sync_source source = source_with(keys);
    assert_int_equal(input_prepare(config, &source, &diag), 0);
    struct build_source input = input_of(&source, -1);
    *ret_folders = input.folders->count;
    input_clear(&source);
    return input;
}

static void keys_reach_the_compiler(void **state)
{
    (void)state;
    size_t folders;
    struct build_source input = input_with("category: ads", &folders);
    assert_false(input.scope_all || input.local_data || input.folders_named || input.folders_white);
    input = input_with("category: ads, scope: own, local_data: false, format: rpz", &folders);
    assert_false(input.scope_all || input.local_data);
    assert_int_equal(input.format, FORMAT_RPZ);
    assert_int_equal(folders, 0);
    input = input_with("category: ads, scope: all, local_data: true, match: subtree", &folders);
    assert_true(input.scope_all && input.local_data);
    assert_int_equal(input.match, MATCH_SUBTREE);
}

static void folders_come_from_the_category_or_by_name(void **state)
{
    (void)state;
    size_t folders;
    struct build_source input = input_with("category: adult, format: ut1", &folders);
    assert_int_equal(folders, 2);
    assert_false(input.folders_named || input.folders_white);
    input = input_with("category: adult", &folders);
    assert_int_equal(folders, 2);
    input = input_with("category: adult, format: hosts", &folders);
    assert_int_equal(folders, 0);
    input = input_with("category: education, format: ut1", &folders);
    assert_int_equal(folders, 5);
    assert_true(input.folders_white && !input.folders_named);
    input = input_with("category: adult, folders: [porn, lingerie, bank]", &folders);
    assert_int_equal(folders, 3);
    assert_true(input.folders_white && input.folders_named);
}

static void a_table_that_is_not_there_or_damaged(void **state)
{
    (void)state;
    char folder[] = "/tmp/greengate-test-input-XXXXXX";
    char path[64];
    struct diag diag = {0};
    struct sync_source source = source_with("category: adult, format: ut1");
    assert_non_null(mkdtemp(folder));
    free(config->server.data_dir);
    config->server.data_dir = strdup(folder);
    assert_int_equal(input_prepare(config, &source, &diag), 0);
    assert_int_equal(source.folders.count, 0);
    snprintf(path, sizeof(path), "%s/ut1.yaml", folder);
    FILE *file = fopen(path, "w");
    fputs("folders: [{category: adult}]\n", file);
    fclose(file);
    assert_int_equal(input_prepare(config, &source, &diag), -EINVAL);
    assert_non_null(strstr(diag.text, "needs 'id'"));
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_reach_the_compiler),
        cmocka_unit_test(folders_come_from_the_category_or_by_name),
        cmocka_unit_test(a_table_that_is_not_there_or_damaged),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    config_free(config);
    return failed;
}
