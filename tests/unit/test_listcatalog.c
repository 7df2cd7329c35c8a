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
#include <unistd.h>

#include "config/listcatalog.h"
#include "config/setting.h"

/* Unit tests run in the root of the tree. */
static const char shipped[] = "blocklists/catalog";

/* Octets of an entry in the file that the daemon maps, docs/blockdb.md. */
enum { OCTETS = 9 };

/* What a catalogue may name beside the words of settings.def. */
static const char *const later_formats[] = {"rpz", "ut1", "addresses", "regex"};

static struct listcatalog *load_shipped(void)
{
    struct diag diag = {0};
    struct listcatalog *catalog = NULL;
    if (listcatalog_load(shipped, &catalog, &diag) < 0) {
        fail_msg("%s:%u:%u: %s", diag.file, diag.line, diag.column, diag.text);
    }
    return catalog;
}

static bool is_format(const char *word)
{
    bool found = setting_find_word("list_format", word) >= 0;
    for (size_t i = 0; i < sizeof(later_formats) / sizeof(later_formats[0]); i++) {
        found |= strcmp(later_formats[i], word) == 0;
    }
    return found;
}

static void shipped_lists_are_whole(void **state)
{
    (void)state;
    struct catalog *categories = NULL;
    struct listcatalog *catalog = load_shipped();
    assert_int_equal(catalog_load(shipped, &categories, NULL), 0);
    assert_true(catalog->list_count > 50);
    for (size_t i = 0; i < catalog->list_count; i++) {
        const struct listcatalog_list *list = &catalog->lists[i];
        if (!catalog_find(categories, list->category)) {
            fail_msg("%s: there is no category %s", list->id, list->category);
        }
        if (!is_format(list->format)) {
            fail_msg("%s: there is no format %s", list->id, list->format);
        }
        /* A whole site of these must not be open by its m. or cdn. */
        bool whole = strcmp(list->category, "adult") == 0;
        if (whole && strcmp(list->match, "subtree") != 0) {
            fail_msg("%s: its sites are meant with all below", list->id);
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(catalog->lists[k].url, list->url) == 0) {
                fail_msg("%s and %s are the same list", catalog->lists[k].id, list->id);
            }
        }
        /* The publisher's rules that a timer can keep are kept by it. */
        if (strncmp(list->id, "ut1-", 4) == 0) {
            assert_string_equal(list->window, "19:00-08:00 UTC");
            assert_non_null(strstr(list->rules, "08:00 to 19:00 GMT"));
            assert_int_equal(list->every_h, 24);
        }
    }
    catalog_free(categories);
    listcatalog_free(catalog);
}

static size_t lists_of(const struct listcatalog *catalog, const char *category)
{
    size_t count = 0;
    for (size_t i = 0; i < catalog->list_count; i++) {
        count += strcmp(catalog->lists[i].category, category) == 0;
    }
    return count;
}

static void every_category_has_lists_or_says_why_not(void **state)
{
    (void)state;
    struct catalog *categories = NULL;
    struct listcatalog *catalog = load_shipped();
    assert_int_equal(catalog_load(shipped, &categories, NULL), 0);
    for (size_t i = 0; i < categories->category_count; i++) {
        const char *id = categories->categories[i].id;
        size_t gaps = 0;
        for (size_t k = 0; k < catalog->gap_count; k++) {
            gaps += strcmp(catalog->gaps[k].category, id) == 0;
        }
        if (gaps + (lists_of(catalog, id) > 0) != 1) {
            fail_msg("%s: %zu lists, and %zu times none", id, lists_of(catalog, id), gaps);
        }
    }
    assert_true(catalog->gap_count < categories->category_count);
    catalog_free(categories);
    listcatalog_free(catalog);
}

static bool holds(const struct text_list *list, const char *text)
{
    bool found = false;
    for (size_t i = 0; i < list->count; i++) {
        found |= strcmp(list->items[i], text) == 0;
    }
    return found;
}

static void check_preset(const struct listcatalog *catalog, const struct catalog *categories,
                         const struct listcatalog_preset *preset)
{
    int64_t octets = 0;
    for (size_t i = 0; i < preset->block.count; i++) {
        assert_non_null(catalog_find(categories, preset->block.items[i]));
    }
    for (size_t i = 0; i < preset->lists.count; i++) {
        const struct listcatalog_list *list = listcatalog_find(catalog, preset->lists.items[i]);
        assert_non_null(list);
        /* A list whose category it does not block is fetched for nothing. */
        if (!holds(&preset->block, list->category)) {
            fail_msg("%s does not block %s of %s", preset->id, list->category, list->id);
        }
        octets += list->names * OCTETS;
    }
    if (preset->memory_mb * 1000000 < octets || preset->memory_mb > octets / 500000 + 5) {
        fail_msg("%s: %lld MB for %lld octets", preset->id, (long long)preset->memory_mb,
                 (long long)octets);
    }
    const char *ko = catalog_text_in(preset->texts, preset->text_count, "ko");
    const char *en = catalog_text_in(preset->texts, preset->text_count, "en");
    assert_true(strlen(ko) > 20 && strlen(en) > 20 && (unsigned char)ko[0] >= 0x80);
}

static void presets_are_those_promised(void **state)
{
    static const char *const promised[] = {"home-young", "home-teen", "school-kr", "school",
                                           "security-only"};
    (void)state;
    struct catalog *categories = NULL;
    struct listcatalog *catalog = load_shipped();
    assert_int_equal(catalog_load(shipped, &categories, NULL), 0);
    assert_int_equal(catalog->preset_count, sizeof(promised) / sizeof(promised[0]));
    for (size_t i = 0; i < catalog->preset_count; i++) {
        assert_string_equal(catalog->presets[i].id, promised[i]);
        check_preset(catalog, categories, &catalog->presets[i]);
    }
    catalog_free(categories);
    listcatalog_free(catalog);
}

#define FIRST                                                                                      \
    "id: a, title: t, format: hosts, match: auto, category: ads, publisher: p, licence: l, "       \
    "homepage: \"https://h.example/\", names: 1, kilobytes: 1, date: \"2026-11\""
#define URL   ", url: \"https://l.example/a\""
#define LISTS "lists:\n  - {" FIRST URL "}\n"

static const struct {
    const char *name, *lists, *presets, *file, *words;
    unsigned line;
} wrong[] = {
    {"no address", "lists:\n  - {" FIRST "}\n", "", "lists.yaml", "'url' is missing", 2},
    {"a plain address", "lists:\n  - {" FIRST ", url: \"http://l.example/a\"}\n", "", "lists.yaml",
     "not an https:// URL", 2},
    {"twice the same id", LISTS "  - {" FIRST ", url: \"https://l.example/b\"}\n", "", "lists.yaml",
     "stands there twice", 3},
    {"a window of 25 hours", "lists:\n  - {" FIRST URL ", window: \"20:00-25:00 UTC\"}\n", "",
     "lists.yaml", "not a window", 2},
    {"a window of local time", "lists:\n  - {" FIRST URL ", window: \"20:00-07:00\"}\n", "",
     "lists.yaml", "not a window", 2},
    {"a number of words", "lists:\n  - {" FIRST URL ", every_h: many}\n", "", "lists.yaml",
     "a whole number", 2},
    {"an unknown key", "lists:\n  - {" FIRST URL ", colour: red}\n", "", "lists.yaml",
     "unknown key 'colour'", 2},
    {"an unknown section", "list: []\n", "", "lists.yaml", "unknown key 'list'", 1},
    {"an empty file", "", "", "lists.yaml", "expected the key 'lists'", 1},
    {"no list", "lists: a\n", "", "lists.yaml", "expected a list", 1},
    {"a category without a why", LISTS "without:\n  - {category: hate}\n", "", "lists.yaml",
     "'why' is missing", 4},
    {"a preset of an unknown list", LISTS,
     "presets:\n  - {id: p, text: {en: x}, lists: [b], block: [], memory_mb: 1}\n", "presets.yaml",
     "there is no list 'b'", 2},
    {"twice the same preset", LISTS,
     "presets:\n  - {id: p, text: {en: x}, lists: [a], block: [], memory_mb: 1}\n"
     "  - {id: p, text: {en: x}, lists: [a], block: [], memory_mb: 1}\n",
     "presets.yaml", "stands there twice", 3},
};

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

static void wrong_data_is_named_with_its_place(void **state)
{
    char folder[] = "/tmp/test_listcatalog.XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct diag diag = {0};
        struct listcatalog *catalog = NULL;
        write_file(folder, "lists.yaml", wrong[i].lists);
        write_file(folder, "presets.yaml", wrong[i].presets);
        int err = listcatalog_load(folder, &catalog, &diag);
        if (err != -EINVAL || !strstr(diag.file, wrong[i].file) || diag.line != wrong[i].line ||
            !strstr(diag.text, wrong[i].words)) {
            fail_msg("%s: %d %s:%u: %s", wrong[i].name, err, diag.file, diag.line, diag.text);
        }
        assert_null(catalog);
    }
    char command[64];
    snprintf(command, sizeof(command), "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    struct listcatalog *catalog = NULL;
    assert_int_equal(listcatalog_load(folder, &catalog, NULL), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_lists_are_whole),
        cmocka_unit_test(every_category_has_lists_or_says_why_not),
        cmocka_unit_test(presets_are_those_promised),
        cmocka_unit_test(wrong_data_is_named_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
