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

#include "config/referral.h"
#include "config/yaml.h"

/* Unit tests run in the root of the tree. */
static const char shipped[] = "blocklists/catalog";

static struct catalog *load_shipped(void)
{
    struct catalog *catalog = NULL;
    struct diag diag = {0};
    if (catalog_load(shipped, &catalog, &diag) < 0) {
        fail_msg("%s:%u:%u: %s", diag.file, diag.line, diag.column, diag.text);
    }
    return catalog;
}

static const struct {
    const char *id;
    int mode;
    const char *help[6]; /* in this order */
} promised[] = {
    {"adult", MODE_UNSET, {"1366", "1377", "112", "d4u", "1388"}},
    {"deepfake", MODE_UNSET, {"1366", "1377", "112", "d4u", "1388"}},
    {"violence", MODE_UNSET, {"112", "117", "1388"}},
    {"self-harm", MODE_UNSET, {"109", "1388"}},
    {"drugs", MODE_UNSET, {"1342", "1388"}},
    {"weapons", MODE_UNSET, {"112", "1388"}},
    {"gambling", MODE_UNSET, {"1336", "1388"}},
    {"hate", MODE_UNSET, {"117", "1388"}},
    {"malware", MODE_UNSET, {NULL}},
    {"phishing", MODE_UNSET, {"112"}},
    {"scam", MODE_UNSET, {"112"}},
    {"bypass", MODE_NXDOMAIN, {NULL}},
    {"piracy", MODE_UNSET, {NULL}},
    {"games", MODE_UNSET, {"1388"}},
    {"social", MODE_UNSET, {"1388"}},
    {"video", MODE_UNSET, {NULL}},
    {"chat", MODE_UNSET, {"1388"}},
    {"dating", MODE_UNSET, {"1388", "1366"}},
    {"shopping", MODE_UNSET, {NULL}},
    {"ads", MODE_ZERO, {NULL}},
    {"tracking", MODE_ZERO, {NULL}},
    {"education", MODE_UNSET, {NULL}},
    {"unrated", MODE_UNSET, {NULL}},
};

static void shipped_categories_are_those_promised(void **state)
{
    (void)state;
    struct catalog *catalog = load_shipped();
    assert_int_equal(catalog->category_count, sizeof(promised) / sizeof(promised[0]));
    for (size_t i = 0; i < catalog->category_count; i++) {
        const struct catalog_category *category = catalog_find(catalog, promised[i].id);
        assert_non_null(category);
        assert_int_equal(category->mode, promised[i].mode);
        size_t count = 0;
        while (count < 6 && promised[i].help[count]) {
            assert_true(count < category->help.count);
            assert_string_equal(category->help.items[count], promised[i].help[count]);
            count++;
        }
        assert_int_equal(category->help.count, count);
    }
    catalog_free(catalog);
}

/* In Korean and in English, and not the one in place of the other. */
static void has_both(const struct catalog_text *texts, size_t count)
{
    const char *korean = catalog_text_in(texts, count, "ko");
    const char *english = catalog_text_in(texts, count, "en");
    assert_true(strlen(korean) >= 3 && (unsigned char)korean[0] >= 0xea);
    assert_true(strlen(english) >= 3 && (unsigned char)english[0] < 0x80);
}

static void shipped_texts_are_in_both_languages(void **state)
{
    (void)state;
    struct catalog *catalog = load_shipped();
    for (size_t i = 0; i < catalog->category_count; i++) {
        has_both(catalog->categories[i].names, catalog->categories[i].name_count);
        has_both(catalog->categories[i].whys, catalog->categories[i].why_count);
    }
    assert_int_equal(catalog->line_count, 9);
    for (size_t i = 0; i < catalog->line_count; i++) {
        const struct catalog_line *line = &catalog->lines[i];
        has_both(line->labels, line->label_count);
        assert_true(strncmp(line->source, "http", 4) == 0);
        assert_string_equal(line->date, "2026-11");
        bool open = strcmp(line->id, "109") == 0 || strcmp(line->id, "1336") == 0 ||
                    strcmp(line->id, "1342") == 0;
        assert_int_equal(line->verified, !open);
    }
    assert_string_equal(catalog_find_line(catalog, "d4u")->number, "02-735-8994");
    assert_null(catalog_find_line(catalog, "999"));
    assert_null(catalog_find(catalog, "nonsense"));
    catalog_free(catalog);
}

/* Each group of an empty file blocks what the catalogue has. */
static void default_group_blocks_known_categories(void **state)
{
    (void)state;
    struct catalog *catalog = load_shipped();
    struct config *config = config_new();
    assert_non_null(config);
    for (size_t i = 0; i < config->groups[0].block.count; i++) {
        assert_non_null(catalog_find(catalog, config->groups[0].block.items[i]));
    }
    config_free(config);
    catalog_free(catalog);
}

static void texts_fall_back(void **state)
{
    (void)state;
    struct catalog_text texts[] = {{"ko", "하나"}, {"en", "one"}, {"fr", "un"}};
    assert_string_equal(catalog_text_in(texts, 3, "fr"), "un");
    assert_string_equal(catalog_text_in(texts, 3, "ko"), "하나");
    assert_string_equal(catalog_text_in(texts, 3, "de"), "one");
    assert_string_equal(catalog_text_in(texts, 1, "de"), "하나");
    assert_string_equal(catalog_text_in(texts, 0, "de"), "");
    assert_string_equal(catalog_text_in(NULL, 0, "de"), "");
}

#define LINE_WITHOUT_ID                                                                            \
    "number: '1', url: '', labels: {en: x}, source: s, date: d, verified: true}\n"
#define LINE  "lines:\n  - {id: a, " LINE_WITHOUT_ID
#define NAMES "names: {en: x}"

static const struct {
    const char *behaviour, *lines, *categories;
    const char *file;
    unsigned line;
    const char *text;
} rows[] = {
    {"unknown help line", LINE, "categories:\n  - {id: x, " NAMES ", help: [b]}\n",
     "categories.yaml", 2, "there is no help line 'b'"},
    {"two categories of one id", LINE,
     "categories:\n  - {id: x, " NAMES "}\n  - {id: x, " NAMES "}\n", "categories.yaml", 3,
     "category 'x' stands there twice"},
    {"two lines of one id", LINE "  - {id: a, " LINE_WITHOUT_ID, "", "helplines.yaml", 3,
     "help line 'a' stands there twice"},
    {"category without names", LINE, "categories:\n  - {id: x}\n", "categories.yaml", 2,
     "'names' is missing"},
    {"category without id", LINE, "categories:\n  - {" NAMES "}\n", "categories.yaml", 2,
     "'id' is missing"},
    {"names without language", LINE, "categories:\n  - {id: x, names: x}\n", "categories.yaml", 2,
     "expected texts by language"},
    {"no name at all", LINE, "categories:\n  - {id: x, names: {}}\n", "categories.yaml", 2,
     "expected texts by language"},
    {"language that is none", LINE, "categories:\n  - {id: x, names: {EN: x}}\n", "categories.yaml",
     2, "'EN' is not a language tag"},
    {"list as a name", LINE, "categories:\n  - {id: x, names: {en: [x]}}\n", "categories.yaml", 2,
     "expected text"},
    {"unknown mode", LINE, "categories:\n  - {id: x, " NAMES ", mode: wall}\n", "categories.yaml",
     2, "expected a block mode"},
    {"unknown key", LINE, "categories:\n  - {id: x, " NAMES ", color: red}\n", "categories.yaml", 2,
     "unknown key 'color'"},
    {"help that is no list", LINE, "categories:\n  - {id: x, " NAMES ", help: a}\n",
     "categories.yaml", 2, "help: expected a list"},
    {"category called all", LINE, "categories:\n  - {id: all, " NAMES "}\n", "categories.yaml", 2,
     "not the name of a category"},
    {"another key at the top", LINE, "categories: []\nmore: []\n", "categories.yaml", 1,
     "expected one key 'categories'"},
    {"empty file", LINE, "", "categories.yaml", 1, "expected one key 'categories'"},
    {"list at the top", "- a\n", "", "helplines.yaml", 1, "expected one key 'lines'"},
    {"line with neither number nor url",
     "lines:\n  - {id: a, number: '', url: '', labels: {en: x}, source: s, date: d, verified: true}\n",
     "", "helplines.yaml", 2, "neither number nor url"},
    {"number with letters",
     "lines:\n  - {id: a, number: 'call', url: '', labels: {en: x}, source: s, date: d, verified: "
     "true}\n",
     "", "helplines.yaml", 2, "not a telephone number"},
    {"url of another kind",
     "lines:\n  - {id: a, number: '1', url: 'javascript:x', labels: {en: x}, source: s, date: d, "
     "verified: true}\n",
     "", "helplines.yaml", 2, "not an https:// URL"},
    {"line without source",
     "lines:\n  - {id: a, number: '1', url: '', labels: {en: x}, date: d, verified: true}\n", "",
     "helplines.yaml", 2, "'source' is missing"},
    {"verified that is no flag",
     "lines:\n  - {id: a, number: '1', url: '', labels: {en: x}, source: s, date: d, verified: "
     "maybe}\n",
     "", "helplines.yaml", 2, "expected true or false"},
    {"text as an item", "lines:\n  - a\n", "", "helplines.yaml", 2, "expected a map"},
};

static void write_file(const char *folder, const char *name, const char *data)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(data, out);
    assert_int_equal(fclose(out), 0);
}

static void wrong_data_is_named_with_its_place(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_catalog.XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct catalog *catalog = (struct catalog *)0x1;
    struct diag diag = {0};
    assert_int_equal(catalog_load(folder, &catalog, &diag), -ENOENT);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        write_file(folder, "helplines.yaml", rows[i].lines);
        write_file(folder, "categories.yaml", rows[i].categories);
        char file[128];
        snprintf(file, sizeof(file), "%s/%s", folder, rows[i].file);
        int err = catalog_load(folder, &catalog, &diag);
        if (err != -EINVAL || strcmp(diag.file, file) != 0 || diag.line != rows[i].line ||
            diag.column == 0 || !strstr(diag.text, rows[i].text)) {
            fail_msg("%s: %d %s:%u:%u: %s", rows[i].behaviour, err, diag.file, diag.line,
                     diag.column, diag.text);
        }
        assert_ptr_equal(catalog, (struct catalog *)0x1);
    }
    char path[128];
    snprintf(path, sizeof(path), "%s/helplines.yaml", folder);
    unlink(path);
    snprintf(path, sizeof(path), "%s/categories.yaml", folder);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

#define KIDS  "groups:\n  - name: kids\n    clients: [10.0.0.1]\n    block: "
#define REST  "\n  - name: rest\n    block: []\n"
#define LISTS "lists:\n  sources:\n    - id: a\n      url: https://a.example/\n      category: "

static void what_a_configuration_names_must_exist(void **state)
{
    (void)state;
    static const struct {
        const char *behaviour, *yaml;
        unsigned line, column; /* 0: nothing is wrong */
        const char *text;
    } wrong[] = {
        {"known categories", KIDS "[adult, scam]" REST LISTS "malware\n", 0, 0, ""},
        {"nothing at all", "", 0, 0, ""},
        {"a group's category", KIDS "[adult, maleware]" REST, 4, 20, "did you mean 'malware'?"},
        {"one on a line of its own", KIDS "\n    - adult\n    - games1" REST, 6, 7,
         "group 'kids' blocks 'games1', which is no category; did you mean 'games'?"},
        {"one that is near to none", KIDS "[qqqqqqqqqqqq]" REST, 4, 13, "known: adult, deepfake, "},
        {"a source's category", LISTS "phising\n", 5, 17, "did you mean 'phishing'?"},
        {"a user that does not exist", "server:\n  user: no-such-user-1\n", 2, 9,
         "there is no user 'no-such-user-1'"},
        {"a user that does", "server:\n  user: root\n", 0, 0, ""},
    };
    const struct known none = {.missing = {true, true, true}};
    struct catalog *catalog = load_shipped();
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct diag diag = {0};
        struct config *config = NULL;
        const struct yaml_text text = {wrong[i].yaml, strlen(wrong[i].yaml), "gg.yaml"};
        int err = config_parse(&text, &config, &diag);
        assert_int_equal(err, 0);
        err = referral_check(config, &(struct referral){catalog, &none}, &diag);
        if (err != (wrong[i].line ? -EINVAL : 0) || diag.line != wrong[i].line ||
            diag.column != wrong[i].column || !strstr(diag.text, wrong[i].text) ||
            strcmp(diag.file, err < 0 ? "gg.yaml" : "") != 0) {
            fail_msg("%s: %d %s:%u:%u: %s", wrong[i].behaviour, err, diag.file, diag.line,
                     diag.column, diag.text);
        }
        config_free(config);
    }
    catalog_free(catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_categories_are_those_promised),
        cmocka_unit_test(shipped_texts_are_in_both_languages),
        cmocka_unit_test(default_group_blocks_known_categories),
        cmocka_unit_test(texts_fall_back),
        cmocka_unit_test(what_a_configuration_names_must_exist),
        cmocka_unit_test(wrong_data_is_named_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
