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

#include "config/texts.h"

#define PAGE_TEXT(id, where) #id,
static const char *const ids[] = {
#include "config/texts.def"
};
#undef PAGE_TEXT

static char folder[64], path[96];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/greengate-texts.XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/texts.yaml", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

/* All texts but `without`, each as `value`, then `more`. */
static void write_file(const char *without, const char *value, const char *more)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        if (strcmp(ids[i], without) != 0) {
            fprintf(file, "%s: %s\n", ids[i], value);
        }
    }
    fputs(more, file);
    fclose(file);
}

static void shipped_texts_speak_their_languages(void **state)
{
    (void)state;
    struct texts *texts = NULL;
    struct diag diag = {0};
    if (texts_load("blocklists/catalog", &texts, &diag) < 0) {
        fail_msg("%s:%u: %s", diag.file, diag.line, diag.text);
    }
    assert_true(texts_speak(texts, "ko"));
    assert_true(texts_speak(texts, "en"));
    assert_true(texts_speak(texts, "zh"));
    assert_true(texts_speak(texts, "vi"));
    assert_true(texts_speak(texts, "ja"));
    assert_false(texts_speak(texts, "fr"));
    assert_string_equal(texts_get(texts, TEXT_open_again, "en"), "Try again");
    assert_string_not_equal(texts_get(texts, TEXT_open_again, "ko"), "Try again");
    assert_string_equal(texts_get(texts, TEXT_open_again, "fr"), "Try again");
    texts_free(texts);
}

static void whole_file_loads(void **state)
{
    (void)state;
    struct texts *texts = NULL;
    struct diag diag = {0};
    write_file("", "{en: a, fr: b}", "");
    assert_int_equal(texts_load(folder, &texts, &diag), 0);
    assert_string_equal(texts_get(texts, TEXT_help_text, "fr"), "b");
    texts_free(texts);
}

static const struct row {
    const char *behaviour, *without, *value, *more, *says;
} rows[] = {
    {"missing text", "help_text", "{en: a}", "", "'help_text' is missing"},
    {"half translated", "help_text", "{en: a, ko: b}", "help_text: {en: a}\n",
     "'help_text' has no 'ko'"},
    {"unknown text", "", "{en: a}", "helo_text: {en: a}\n", "unknown text 'helo_text'"},
    {"text without language", "help_text", "{en: a}", "help_text: a\n", "expected texts"},
    {"no language at all", "help_text", "{en: a}", "help_text: {}\n", "expected texts"},
    {"bad language", "help_text", "{en: a}", "help_text: {e n: a}\n", "'e n'"},
    {"empty text", "help_text", "{en: a}", "help_text: {en: \"\"}\n", "expected a text"},
    {"nested text", "help_text", "{en: a}", "help_text: {en: [a]}\n", "expected a text"},
};

static void mistakes_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct texts *texts = NULL;
        struct diag diag = {0};
        write_file(rows[i].without, rows[i].value, rows[i].more);
        int err = texts_load(folder, &texts, &diag);
        if (err != -EINVAL || texts || !strstr(diag.text, rows[i].says)) {
            fail_msg("%s: %d, %s", rows[i].behaviour, err, diag.text);
        }
        assert_string_equal(diag.file, path);
    }
}

static void missing_file_is_told(void **state)
{
    (void)state;
    struct texts *texts = NULL;
    struct diag diag = {0};
    assert_int_equal(texts_load("/nowhere", &texts, &diag), -ENOENT);
    assert_null(texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_texts_speak_their_languages),
        cmocka_unit_test_setup_teardown(whole_file_loads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mistakes_are_told, set_up, tear_down),
        cmocka_unit_test(missing_file_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
