// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/rulefile.h"

struct bench {
    char folder[64];
    char path[128];
};

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    strcpy(bench->folder, "/tmp/gg-rules-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    snprintf(bench->path, sizeof(bench->path), "%s/rules.yaml", bench->folder);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", bench->folder);
    assert_int_equal(system(command), 0);
    free(bench);
    return 0;
}

static struct rule make(const char *name, bool allow, const char *group)
{
    struct rule rule = {.allow = allow, .made_at = 1790000000};
    assert_int_equal(dname_parse(name, &rule.name), 0);
    snprintf(rule.group, sizeof(rule.group), "%s", group);
    return rule;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void what_is_saved_is_loaded(void **state)
{
    struct bench *bench = *state;
    struct rule_list rules = {0}, back = {0};
    struct diag diag = {0};
    struct rule rule = make("school.example", true, "");
    assert_int_equal(rule_list_put(&rules, &rule), 0);
    rule = make("games.school.example", false, "pupils");
    rule.exact = true;
    rule.expires_at = 1790007200;
    strcpy(rule.note, "asked by \"Kim\"\n: # until \\ Friday \xed\x95\x9c");
    assert_int_equal(rule_list_put(&rules, &rule), 0);
    assert_int_equal(rulefile_save(bench->path, &rules, &diag), 0);
    assert_int_equal(rulefile_load(bench->path, &back, &diag), 0);
    assert_int_equal(back.count, 2);
    assert_true(back.items[0].allow);
    assert_true(dname_equal(&back.items[0].name, &rules.items[0].name));
    assert_false(back.items[1].allow);
    assert_true(back.items[1].exact);
    assert_string_equal(back.items[1].group, "pupils");
    assert_string_equal(back.items[1].note, rule.note);
    assert_int_equal(back.items[1].made_at, 1790000000);
    assert_int_equal(back.items[1].expires_at, 1790007200);
    struct stat info;
    assert_int_equal(stat(bench->path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    rule_list_clear(&rules);
    rule_list_clear(&back);
}

static void an_absent_file_and_an_empty_list_are_the_same(void **state)
{
    struct bench *bench = *state;
    struct rule_list rules = {0};
    struct diag diag = {0};
    assert_int_equal(rulefile_load(bench->path, &rules, &diag), 0);
    assert_int_equal(rules.count, 0);
    assert_string_equal(diag.file, ""); /* a later mistake is not this file's */
    assert_string_equal(diag.text, "");
    assert_int_equal(rulefile_save(bench->path, &rules, &diag), 0);
    assert_int_equal(rulefile_load(bench->path, &rules, &diag), 0);
    assert_int_equal(rules.count, 0);
    assert_null(rules.items); /* nothing to hold, nothing to free */
    assert_string_equal(diag.file, "");
}

static void mistakes_are_named_and_change_nothing(void **state)
{
    static const struct {
        const char *name, *text;
        unsigned line;
    } rows[] = {
        {"unknown key", "rules:\n  - name: a.example\n    action: allow\n    colour: red\n", 4},
        {"unknown action", "rules:\n  - name: a.example\n    action: pause\n", 3},
        {"no name", "rules:\n  - action: allow\n", 2},
        {"not a name", "rules:\n  - name: a..example\n    action: allow\n", 2},
        {"not a flag", "rules:\n  - name: a.example\n    action: allow\n    exact: maybe\n", 4},
        {"negative time", "rules:\n  - name: a.example\n    action: allow\n    expires_at: -1\n",
         4},
        {"rules are no list", "rules: 7\n", 1},
        {"another document", "lists: []\n", 1},
        {"no map at all", "root:x:0:0:root:/root:/bin/bash\nbin:x:2:2::/bin:/bin/sh\n", 1},
        {"a list alone", "- a.example\n", 1},
        {"a rule is no map", "rules:\n  - a.example\n", 2},
    };
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rule_list rules = {.items = NULL, .count = 77};
        struct diag diag = {0};
        write_file(bench->path, rows[i].text);
        int err = rulefile_load(bench->path, &rules, &diag);
        if (err != -EINVAL || rules.count != 77 || diag.line != rows[i].line || !diag.text[0]) {
            fail_msg("%s: %d, line %u, %s", rows[i].name, err, diag.line, diag.text);
        }
    }
}

static void the_same_name_group_and_exactness_is_replaced(void **state)
{
    (void)state;
    struct rule_list rules = {0};
    struct rule rule = make("a.example", true, "");
    assert_int_equal(rule_list_put(&rules, &rule), 0);
    rule.allow = false;
    assert_int_equal(rule_list_put(&rules, &rule), 0);
    assert_int_equal(rules.count, 1);
    assert_false(rules.items[0].allow);
    rule.exact = true;
    assert_int_equal(rule_list_put(&rules, &rule), 0);
    strcpy(rule.group, "staff");
    assert_int_equal(rule_list_put(&rules, &rule), 0);
    assert_int_equal(rules.count, 3);
    assert_int_equal(rule_list_remove(&rules, &rule), 0);
    assert_int_equal(rule_list_remove(&rules, &rule), -ENOENT);
    assert_int_equal(rules.count, 2);
    rule_list_clear(&rules);
}

static void expired_rules_vanish(void **state)
{
    (void)state;
    struct rule_list rules = {0};
    const int64_t ends[] = {0, 100, 101, 99};
    for (size_t i = 0; i < 4; i++) {
        char name[32];
        snprintf(name, sizeof(name), "n%zu.example", i);
        struct rule rule = make(name, true, "");
        rule.expires_at = ends[i];
        assert_int_equal(rule_list_put(&rules, &rule), 0);
    }
    assert_int_equal(rule_list_expire(&rules, 100), 2);
    assert_int_equal(rules.count, 2);
    assert_int_equal(rules.items[0].expires_at, 0);
    assert_int_equal(rules.items[1].expires_at, 101);
    rule_list_clear(&rules);
}

static void the_list_is_bounded(void **state)
{
    (void)state;
    struct rule_list rules = {0};
    rules.items = calloc(RULE_LIST_MAX, sizeof(*rules.items));
    rules.count = RULE_LIST_MAX;
    struct rule rule = make("one.more.example", true, "");
    assert_int_equal(rule_list_put(&rules, &rule), -E2BIG);
    assert_int_equal(rules.count, RULE_LIST_MAX);
    rule_list_clear(&rules);
}

static void a_failed_save_leaves_the_old_file(void **state)
{
    struct bench *bench = *state;
    struct rule_list rules = {0}, back = {0};
    struct diag diag = {0};
    char temp[160];
    struct rule rule = make("a.example", true, "");
    assert_int_equal(rule_list_put(&rules, &rule), 0);
    assert_int_equal(rulefile_save(bench->path, &rules, &diag), 0);
    /* A folder stands where the temporary file should be. */
    snprintf(temp, sizeof(temp), "%s.new", bench->path);
    assert_int_equal(mkdir(temp, 0700), 0);
    rules.items[0].allow = false;
    assert_true(rulefile_save(bench->path, &rules, &diag) < 0);
    assert_non_null(strstr(diag.text, "cannot write the rules"));
    assert_string_equal(diag.file, bench->path);
    assert_int_equal(rulefile_load(bench->path, &back, &diag), 0);
    assert_true(back.items[0].allow);
    rule_list_clear(&rules);
    rule_list_clear(&back);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(what_is_saved_is_loaded),
        ROW(an_absent_file_and_an_empty_list_are_the_same),
        ROW(mistakes_are_named_and_change_nothing),
        ROW(the_same_name_group_and_exactness_is_replaced),
        ROW(expired_rules_vanish),
        ROW(the_list_is_bounded),
        ROW(a_failed_save_leaves_the_old_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
