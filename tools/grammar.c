// SPDX-License-Identifier: Apache-2.0
#include "tools/grammar.h"

#include <assert.h>
#include <string.h>

/* Where in a usage text we are. */
struct reading {
    struct grammar *grammar;
    const struct command_part *part; /* whose term it is; NULL: the command's arguments */
    char sub[GRAMMAR_TEXT_MAX];
    int depth, sub_depth; /* of brackets, and where sub was read */
    bool divided;         /* after | or , another sub may come */
};

bool grammar_one_of(const char *choice, const char *word)
{
    size_t len = strlen(word);
    while (*choice) {
        size_t part = strcspn(choice, "|");
        if (part == len && memcmp(choice, word, len) == 0) {
            return true;
        }
        choice += part + (choice[part] == '|');
    }
    return false;
}

bool grammar_fits(const struct grammar_word *word, const char *sub)
{
    return word->sub[0] == '\0' ? word->kind == TOKEN_OPTION || sub[0] == '\0'
                                : grammar_one_of(word->sub, sub);
}

static void copy(char out[GRAMMAR_TEXT_MAX], const struct command_token *token)
{
    assert(token->len < GRAMMAR_TEXT_MAX);
    snprintf(out, GRAMMAR_TEXT_MAX, "%.*s", (int)token->len, token->text);
}

static struct grammar_word *find(struct grammar *grammar, const struct grammar_word *like)
{
    for (size_t i = 0; i < grammar->count; i++) {
        struct grammar_word *word = &grammar->words[i];
        if (word->kind == like->kind && strcmp(word->sub, like->sub) == 0 &&
            strcmp(word->text, like->text) == 0) {
            return word;
        }
    }
    return NULL;
}

/* A word of that kind, sub and text, new or as it is there; help is that of the first word of a
 * term. */
static struct grammar_word *add(struct reading *reading, enum command_token_kind kind,
                                const struct command_token *token, bool explained)
{
    struct grammar *grammar = reading->grammar;
    struct grammar_word like = {.kind = kind};
    copy(like.text, token);
    snprintf(like.sub, sizeof(like.sub), "%s", reading->sub);
    struct grammar_word *word = find(grammar, &like);
    if (!word) {
        assert(grammar->count < GRAMMAR_WORDS_MAX);
        word = &grammar->words[grammar->count++];
        *word = like;
    }
    if (explained && reading->part && !word->help) {
        word->help = reading->part->text;
        word->help_len = reading->part->text_len;
    }
    return word;
}

/* "add|remove" is two words, behind each of which the rest may stand. */
static void take_sub(struct reading *reading, const struct command_token *token)
{
    char before[GRAMMAR_TEXT_MAX];
    if (reading->divided || reading->depth < reading->sub_depth) {
        reading->sub[0] = '\0';
    }
    for (size_t at = 0; at < token->len;) {
        struct command_token one = {TOKEN_WORD, token->text + at, 0};
        while (at + one.len < token->len && one.text[one.len] != '|') {
            one.len++;
        }
        add(reading, TOKEN_WORD, &one, true);
        at += one.len + 1;
    }
    memcpy(before, reading->sub, sizeof(before));
    int len = snprintf(reading->sub, sizeof(reading->sub), "%s%s%.*s", before, *before ? " " : "",
                       (int)token->len, token->text);
    assert(len < GRAMMAR_TEXT_MAX);
    (void)len;
    reading->sub_depth = reading->depth;
    reading->divided = false;
}

static void take_option(struct reading *reading, const struct command_token *token, const char **at,
                        const char *end)
{
    const char *behind = *at;
    struct command_token value = command_token_next(&behind, end);
    bool first = reading->part && token->text == reading->part->term;
    struct grammar_word *word = add(reading, TOKEN_OPTION, token, first);
    if (value.kind != TOKEN_PLACE && value.kind != TOKEN_WORD) {
        return;
    }
    *at = behind;
    if (!strchr(word->value, '|')) { /* a choice tells more than a name */
        copy(word->value, &value);
    }
}

static void take_sign(struct reading *reading, const struct command_token *token,
                      struct grammar_word *place)
{
    reading->depth += (token->kind == TOKEN_OPEN) - (token->kind == TOKEN_CLOSE);
    if (token->kind == TOKEN_CLOSE && reading->depth < reading->sub_depth) {
        reading->sub[0] = '\0'; /* what was in brackets is over */
    }
    reading->divided |= token->kind == TOKEN_BAR || token->kind == TOKEN_COMMA;
    if (token->kind == TOKEN_DOTS && place) {
        place->many = true;
    }
}

static void read_usage(struct reading *reading, const char *at, const char *end)
{
    struct grammar_word *place = NULL;
    struct command_token token;
    while ((token = command_token_next(&at, end)).kind != TOKEN_END) {
        if (token.kind == TOKEN_OPTION) {
            take_option(reading, &token, &at, end);
        } else if (token.kind == TOKEN_WORD) {
            take_sub(reading, &token);
        } else if (token.kind == TOKEN_PLACE) {
            place = add(reading, TOKEN_PLACE, &token, false);
        } else {
            take_sign(reading, &token, place);
        }
    }
}

void grammar_read(const struct command *command, struct grammar *ret_grammar)
{
    const char *at = command_body(command);
    const char *arguments = command->arguments;
    struct command_part part;
    struct reading reading = {.grammar = ret_grammar};
    memset(ret_grammar, 0, sizeof(*ret_grammar));
    read_usage(&reading, arguments, arguments + strlen(arguments));
    while (command_part_next(&at, &part)) {
        if (!part.term) {
            continue;
        }
        if (!part.inner) {
            reading.sub[0] = '\0';
        }
        reading.part = &part;
        reading.depth = reading.sub_depth = 0;
        reading.divided = false;
        read_usage(&reading, part.term, part.term + part.term_len);
    }
}
