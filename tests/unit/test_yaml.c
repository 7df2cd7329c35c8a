// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/yaml.h"

static int parse(const char *data, struct yaml_node **ret_root, struct diag *diag)
{
    return yaml_parse(&(struct yaml_text){data, strlen(data), "t.yaml"}, ret_root, diag);
}

#define DEEP16 "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"

static const struct bad_row {
    const char *behaviour, *data;
    unsigned line, column;
    const char *text; /* a part of it */
} bad_rows[] = {
    {"anchor on a scalar", "a: 1\nb: &x 2\n", 2, 4, "anchors"},
    {"anchor on a list", "a: &x [1]\n", 1, 4, "anchors"},
    {"anchor on a map", "a: &x {b: 1}\n", 1, 4, "anchors"},
    {"anchor on a key", "&x a: 1\n", 1, 1, "anchors"},
    {"alias", "a: *x\n", 1, 4, "aliases"},
    {"merge key is an alias", "a: 1\n<<: *x\n", 2, 5, "aliases"},
    {"tag on a scalar", "a: !!int 1\n", 1, 4, "tags"},
    {"own tag", "a: !x 1\n", 1, 4, "tags"},
    {"bare tag", "a: ! 1\n", 1, 4, "tags"},
    {"tag on a list", "a: !x [1]\n", 1, 4, "tags"},
    {"tag on a map", "a: !x {b: 1}\n", 1, 4, "tags"},
    {"tag directive", "%TAG ! tag:example.org,2026:\n---\na: 1\n", 1, 1, "tags"},
    {"duplicate key", "a: 1\nb: 2\na: 3\n", 3, 1, "duplicate key 'a', first in line 1"},
    {"duplicate key in a flow map", "x: {a: 1, a: 2}\n", 1, 11, "duplicate key 'a'"},
    {"second document", "a: 1\n---\nb: 2\n", 2, 1, "several documents"},
    {"17 levels", "[" DEEP16 "]", 1, 17, "16 levels"},
    {"list as a key", "? [a]\n: 1\n", 1, 3, "a key must be"},
    {"map as a key", "? {a: 1}\n: 1\n", 1, 3, "a key must be"},
    {"empty key", "\"\": 1\n", 1, 1, "empty key"},
    {"nothing as a key", ": 1\n", 1, 1, "not valid YAML"},
    {"zero octet in a value", "a: \"x\\0y\"\n", 1, 4, "zero octet"},
    {"zero octet in a key", "\"x\\0y\": 1\n", 1, 1, "zero octet"},
    {"tab as indentation", "a:\n\tb: 1\n", 2, 1, "not valid YAML: a tab stands here"},
    {"tab behind blanks", "a:\n  b: 1\n  \tc: 1\n", 3, 3, "a tab stands here"},
    {"open bracket", "a: [1, 2\n", 2, 1, "not valid YAML"},
    {"value without a blank", "a: 1\nb\n", 3, 1, "not valid YAML"},
    {"control character", "a: 1\nb: x\x01y\n", 2, 5, "not UTF-8"},
    {"octets that are not UTF-8", "a: \xff\xfe\n", 1, 4, "not UTF-8"},
};

static void says_what_is_wrong_and_where(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad_rows) / sizeof(bad_rows[0]); i++) {
        const struct bad_row *row = &bad_rows[i];
        struct yaml_node *root = (struct yaml_node *)0x1;
        struct diag diag = {0};
        int err = parse(row->data, &root, &diag);
        if (err != -EINVAL || diag.line != row->line || diag.column != row->column ||
            !strstr(diag.text, row->text) || strcmp(diag.file, "t.yaml") != 0) {
            fail_msg("%s: %d %s:%u:%u: %s", row->behaviour, err, diag.file, diag.line, diag.column,
                     diag.text);
        }
        assert_ptr_equal(root, (struct yaml_node *)0x1);
    }
}

static void empty_is_a_map(void **state)
{
    (void)state;
    static const char *const texts[] = {"",  "\n\n", "# nothing\n", "---\n", "---\n# x\n...\n",
                                        "{}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct yaml_node *root = NULL;
        assert_int_equal(parse(texts[i], &root, NULL), 0);
        assert_int_equal(root->kind, YAML_MAP);
        assert_int_equal(root->count, 0);
        assert_null(yaml_get(root, "a"));
        yaml_free(root);
    }
}

static void remembers_places_and_kinds(void **state)
{
    (void)state;
    struct yaml_node *root = NULL;
    struct diag diag = {0};
    assert_int_equal(
        parse("a: x\nb:\n  - 'y'\n  - {c: \"z\"}\n  - |\n    w\n각: 1\n", &root, &diag), 0);
    assert_int_equal(root->count, 3);
    assert_string_equal(yaml_get_text(root, "a"), "x");
    assert_false(yaml_get(root, "a")->quoted);
    assert_int_equal(yaml_get(root, "a")->column, 4);
    const struct yaml_node *list = yaml_get(root, "b");
    assert_int_equal(list->kind, YAML_LIST);
    assert_int_equal(list->count, 3);
    assert_null(yaml_get_text(root, "b"));
    assert_true(list->first->quoted);
    assert_null(list->first->key);
    assert_int_equal(list->first->line, 3);
    assert_int_equal(list->first->column, 5);
    assert_string_equal(yaml_get_text(list->first->next, "c"), "z");
    assert_string_equal(list->first->next->next->text, "w\n");
    assert_true(list->first->next->next->quoted);
    assert_int_equal(yaml_get(root, "각")->column, 4);
    assert_null(yaml_get(list, "c"));
    yaml_free(root);
}

static void sixteen_levels_are_allowed(void **state)
{
    (void)state;
    struct yaml_node *root = NULL;
    assert_int_equal(parse(DEEP16, &root, NULL), 0);
    yaml_free(root);
}

/* `count` repetitions of a text. */
static char *repeat(const char *text, size_t count)
{
    size_t len = strlen(text);
    char *data = malloc(len * count + 1);
    assert_non_null(data);
    for (size_t i = 0; i < count; i++) {
        memcpy(data + i * len, text, len);
    }
    data[len * count] = '\0';
    return data;
}

static void bounds_size(void **state)
{
    (void)state;
    struct yaml_node *root = NULL;
    struct diag diag = {0};
    char *data = repeat("#23456789012345\n", (4 << 20) / 16);
    assert_int_equal(yaml_parse(&(struct yaml_text){data, 4 << 20, "big"}, &root, &diag), 0);
    yaml_free(root);
    free(data);
    data = repeat("#23456789012345\n", (4 << 20) / 16 + 1);
    assert_int_equal(parse(data, &root, &diag), -EINVAL);
    assert_string_equal(diag.text, "larger than 4 MiB");
    free(data);
}

static void bounds_the_number_of_values(void **state)
{
    (void)state;
    struct yaml_node *root = NULL;
    struct diag diag = {0};
    char *data = repeat("- x\n", 199999);
    assert_int_equal(parse(data, &root, &diag), 0);
    assert_int_equal(root->count, 199999);
    yaml_free(root);
    free(data);
    data = repeat("- x\n", 200000);
    assert_int_equal(parse(data, &root, &diag), -EINVAL);
    assert_string_equal(diag.text, "more than 200000 values");
    assert_int_equal(diag.line, 200000);
    free(data);
}

static void bounds_the_keys_of_a_map(void **state)
{
    (void)state;
    char data[8192] = "";
    size_t len = 0;
    for (unsigned i = 0; i < 513; i++) {
        len += (size_t)snprintf(data + len, sizeof(data) - len, "k%u: 1\n", i);
    }
    struct yaml_node *root = NULL;
    struct diag diag = {0};
    assert_int_equal(parse(data, &root, &diag), -EINVAL);
    assert_int_equal(diag.line, 513);
    assert_non_null(strstr(diag.text, "512 keys"));
}

static void reads_files(void **state)
{
    (void)state;
    struct yaml_node *root = NULL;
    struct diag diag = {0};
    assert_int_equal(yaml_read("/nonexistent/x.yaml", &root, &diag), -ENOENT);
    assert_string_equal(diag.file, "/nonexistent/x.yaml");
    assert_non_null(strstr(diag.text, "cannot open"));
    assert_int_equal(yaml_read("/", &root, &diag), -EISDIR);
    assert_string_equal(diag.file, "/");
    assert_non_null(strstr(diag.text, "cannot read"));
    diag = (struct diag){0};
    char path[] = "/tmp/test_yaml.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "a: b\n", 5), 5);
    close(fd);
    assert_int_equal(yaml_read(path, &root, &diag), 0);
    assert_string_equal(yaml_get_text(root, "a"), "b");
    assert_string_equal(diag.file, ""); /* a later mistake is not this file's */
    yaml_free(root);
    unlink(path);
}

static void quoted_text_reads_back(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "plain",
        "two words",
        "\"quotes\" and \\backslashes\\",
        "line\nbreak\r\n\ttab",
        "\x01\x1f\x7f",
        "한국어 텍스트",
        "next\xc2\x85line, separators \xe2\x80\xa8 \xe2\x80\xa9, mark \xef\xbb\xbf, \xef\xbf\xbf",
        "emoji \xf0\x9f\x99\x82",
        " blanks around ",
        "# no comment",
        "key: value",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char *quoted = yaml_quote(texts[i]);
        assert_non_null(quoted);
        char *data = NULL;
        assert_true(asprintf(&data, "a: [%s]\nb: %s\n", quoted, quoted) > 0);
        struct yaml_node *root = NULL;
        struct diag diag = {0};
        if (parse(data, &root, &diag) < 0) {
            fail_msg("%s: %s", data, diag.text);
        }
        assert_string_equal(yaml_get_text(root, "b"), texts[i]);
        assert_string_equal(yaml_get(root, "a")->first->text, texts[i]);
        yaml_free(root);
        free(data);
        free(quoted);
    }
}

static void octets_beyond_utf8_are_quoted_readably(void **state)
{
    (void)state;
    static const struct {
        const char *text, *quoted;
    } rows[] = {
        {"a\xff", "\"a\\xff\""},
        {"\xc0\xaf", "\"\\xc0\\xaf\""},
        {"\xed\xa0\x80", "\"\\xed\\xa0\\x80\""},
        {"\xe2\x82", "\"\\xe2\\x82\""},
        {"\xf8\x88\x80\x80\x80", "\"\\xf8\\x88\\x80\\x80\\x80\""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *quoted = yaml_quote(rows[i].text);
        assert_string_equal(quoted, rows[i].quoted);
        free(quoted);
    }
}

static void comments_hold_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *plain;
    } rows[] = {
        {"list \xea\xb0\x80 # x", "list \xea\xb0\x80 # x"},
        {"a\nweb:\r\tb", "a?web:??b"},
        {"a\xc2\x85"
         "b\xe2\x80\xa8"
         "c\xe2\x80\xa9"
         "d",
         "a??b???c???d"},
        {"cut \xea\xb0", "cut ??"},
        {"\xff\xed\xa0\x80\x7f", "?????"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[40], *data = NULL;
        struct yaml_node *root = NULL;
        struct diag diag = {0};
        snprintf(text, sizeof(text), "%s", rows[i].text);
        yaml_make_comment(text);
        assert_string_equal(text, rows[i].plain);
        assert_true(asprintf(&data, "# %s\na: b\n", text) > 0);
        assert_int_equal(parse(data, &root, &diag), 0);
        assert_string_equal(yaml_get_text(root, "a"), "b");
        assert_null(root->first->next);
        yaml_free(root);
        free(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_is_wrong_and_where),
        cmocka_unit_test(empty_is_a_map),
        cmocka_unit_test(remembers_places_and_kinds),
        cmocka_unit_test(sixteen_levels_are_allowed),
        cmocka_unit_test(bounds_size),
        cmocka_unit_test(bounds_the_number_of_values),
        cmocka_unit_test(bounds_the_keys_of_a_map),
        cmocka_unit_test(reads_files),
        cmocka_unit_test(quoted_text_reads_back),
        cmocka_unit_test(octets_beyond_utf8_are_quoted_readably),
        cmocka_unit_test(comments_hold_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
