// SPDX-License-Identifier: Apache-2.0
/* grammar: what may stand behind a command, read from its usage and its help. */
#pragma once
#include "tools/command.h"

enum { GRAMMAR_WORDS_MAX = 96, GRAMMAR_TEXT_MAX = 96 };

struct grammar_word {
    enum command_token_kind kind; /* TOKEN_OPTION, TOKEN_WORD or TOKEN_PLACE */
    bool many;                    /* a place: for as many words as one likes */
    char sub[GRAMMAR_TEXT_MAX]; /* behind which words it stands: "", "add|remove", "catalog show" */
    char text[GRAMMAR_TEXT_MAX];
    char value[GRAMMAR_TEXT_MAX]; /* of an option: "", "G", "ko|en" */
    const char *help;             /* NULL: none */
    size_t help_len;
};

struct grammar {
    struct grammar_word words[GRAMMAR_WORDS_MAX];
    size_t count;
};

void grammar_read(const struct command *command, struct grammar *ret_grammar);

/* Whether `word` is one of the words of "a|b|c". */
bool grammar_one_of(const char *choice, const char *word);

/* Whether a word of the grammar may stand behind the words `sub`. */
bool grammar_fits(const struct grammar_word *word, const char *sub);
