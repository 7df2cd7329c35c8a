// SPDX-License-Identifier: Apache-2.0
/* command: the rows of commands.def, and how their usage and help texts read.
 *
 * A usage text is made of words: NAME and 2h stand for something, --group is an option, remove is
 * meant literally, a|b is one of them; [ ] | , and ... are as everywhere. After its summary a help
 * text has lines of prose, and terms: the term, two blanks or a line's end, and what it is; further
 * lines of that stand at least four columns to the right of the term. */
#pragma once
#include "tools/cli.h"

struct command {
    const char *name;
    int (*function)(struct cli *cli, int argc, char **argv);
    const char *arguments, *help;
};

extern const struct command commands[];
extern const size_t command_count;

/* NULL when unknown. */
const struct command *command_find(const char *name);

enum command_token_kind {
    TOKEN_END,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_BAR,
    TOKEN_COMMA,
    TOKEN_DOTS,
    TOKEN_OPTION, /* with its dashes */
    TOKEN_WORD,   /* literally this, or one of a|b */
    TOKEN_PLACE,  /* stands for something */
};

struct command_token {
    enum command_token_kind kind;
    const char *text;
    size_t len;
};

/* The next word of a usage text or term that ends at `end`; *at goes behind it. */
struct command_token command_token_next(const char **at, const char *end);

struct command_part {
    const char *term, *text; /* term NULL: prose */
    size_t term_len, text_len;
    bool inner; /* the term is indented: it belongs to the one before */
};

/* The next part of a help text; false at its end. Begin behind the summary's line. */
bool command_part_next(const char **at, struct command_part *ret_part);
const char *command_body(const struct command *command);
