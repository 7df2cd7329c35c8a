// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mdoc.h"
#include "tools/grammar.h"

/* cmd_ functions of commands.def that are not called here. */
#define COMMAND(name, function, arguments, help)                                                   \
    int function(struct cli *cli, int argc, char **argv)                                           \
    {                                                                                              \
        (void)cli, (void)argc, (void)argv;                                                         \
        return 0;                                                                                  \
    }
#include "tools/commands.def"
#undef COMMAND

static void assert_text(const char *text, const char *expected)
{
    char *made = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&made, &len);
    assert_non_null(out);
    mdoc_text(text, strlen(text), out);
    fclose(out);
    assert_string_equal(made, expected);
    free(made);
}

static void text_is_filled_anew(void **state)
{
    (void)state;
    assert_text("", "");
    assert_text("one\n", "one\n");
    assert_text("  one\n      two", "one\ntwo\n");
    assert_text("\n\none", "one\n");
    assert_text("It ends. Another begins? Yes.", "It ends.\nAnother begins?\nYes.\n");
    assert_text("not here: e.g. this, 1. that", "not here: e.g. this, 1. that\n");
}

static void text_cannot_become_a_macro_or_an_escape(void **state)
{
    (void)state;
    assert_text(".Sh X", "\\&.Sh X\n");
    assert_text("'quoted'", "\\&'quoted'\n");
    assert_text("one\n.two", "one\n\\&.two\n");
    assert_text("a\\.b^c~", "a\\e.b\\(hac\\(ti\n");
}

static void quotes_and_options_can_be_read(void **state)
{
    (void)state;
    assert_text("`a b`, `c`", "\\(oqa b\\(cq, \\(oqc\\(cq\n");
    assert_text("until --force, -1 and well-known", "until \\-\\-force, \\-1 and well-known\n");
}

static const struct grammar_word *find(const struct grammar *grammar, const char *sub,
                                       const char *text)
{
    for (size_t i = 0; i < grammar->count; i++) {
        const struct grammar_word *word = &grammar->words[i];
        if (strcmp(word->sub, sub) == 0 && strcmp(word->text, text) == 0) {
            return word;
        }
    }
    fail_msg("no %s behind '%s'", text, sub);
    return NULL;
}

static void read_one(const char *arguments, const char *help, struct grammar *ret_grammar)
{
    const struct command command = {"x", NULL, arguments, help};
    grammar_read(&command, ret_grammar);
}

static void options_have_values_and_places(void **state)
{
    (void)state;
    struct grammar grammar;
    read_one("NAME [--exact] [--for 2h] | --ref CODE [--place home|school]",
             "summary\n"
             "--exact     the name alone\n"
             "prose, --never an option\n"
             "--late\n"
             "--for T    until then\n"
             "           and no longer\n",
             &grammar);
    assert_int_equal(grammar.count, 6);
    assert_int_equal(find(&grammar, "", "NAME")->kind, TOKEN_PLACE);
    assert_string_equal(find(&grammar, "", "--exact")->value, "");
    assert_string_equal(find(&grammar, "", "--ref")->value, "CODE");
    assert_string_equal(find(&grammar, "", "--place")->value, "home|school");
    const struct grammar_word *word = find(&grammar, "", "--for");
    assert_string_equal(word->value, "T");
    assert_int_equal(
        strncmp(word->help, "    until then\n           and no longer\n", word->help_len), 0);
    assert_true(grammar_fits(word, "") && grammar_fits(word, "anything"));
    assert_false(grammar_fits(find(&grammar, "", "NAME"), "anything"));
}

static void words_have_options_of_their_own(void **state)
{
    (void)state;
    struct grammar grammar;
    read_one("[--all] | approve CODE [--for T] | deny CODE | [a|b ...] [--last]",
             "summary\n"
             "add ID, drop ID...\n"
             "            what they do\n"
             "  --inner   of drop alone\n"
             "catalog [--category C], catalog show ID\n"
             "            more\n",
             &grammar);
    find(&grammar, "", "--all");
    find(&grammar, "approve", "CODE");
    find(&grammar, "approve", "--for");
    find(&grammar, "deny", "CODE");
    find(&grammar, "", "a");
    find(&grammar, "", "b");
    find(&grammar, "", "--last");
    assert_false(find(&grammar, "add", "ID")->many);
    assert_true(find(&grammar, "drop", "ID")->many);
    find(&grammar, "drop", "--inner");
    find(&grammar, "catalog", "--category");
    find(&grammar, "catalog", "show");
    find(&grammar, "catalog show", "ID");
    assert_true(grammar_one_of("add|drop", "add") && grammar_one_of("add|drop", "drop"));
    assert_false(grammar_one_of("add|drop", "ad") || grammar_one_of("add|drop", "") ||
                 grammar_one_of("", "add"));
}

static void every_command_can_be_read(void **state)
{
    (void)state;
    struct grammar grammar;
    for (size_t i = 0; i < command_count; i++) {
        grammar_read(&commands[i], &grammar);
        assert_ptr_equal(command_find(commands[i].name), &commands[i]);
        for (size_t k = 0; k < grammar.count; k++) {
            const char *text = grammar.words[k].text;
            if (strpbrk(text, "`.,;()")) {
                fail_msg("%s: '%s' is prose", commands[i].name, text);
            }
        }
    }
    assert_null(command_find("nonsense"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_filled_anew),
        cmocka_unit_test(text_cannot_become_a_macro_or_an_escape),
        cmocka_unit_test(quotes_and_options_can_be_read),
        cmocka_unit_test(options_have_values_and_places),
        cmocka_unit_test(words_have_options_of_their_own),
        cmocka_unit_test(every_command_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
