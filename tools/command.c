// SPDX-License-Identifier: Apache-2.0
#include "tools/command.h"

#include <ctype.h>
#include <string.h>

const struct command commands[] = {
#define COMMAND(name, function, arguments, help) {name, function, arguments, help},
#include "tools/commands.def"
#undef COMMAND
};

const size_t command_count = sizeof(commands) / sizeof(commands[0]);

/* Columns that further lines of a term stand to its right. */
enum { DEEPER = 4 };

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < command_count; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

static enum command_token_kind kind_of_sign(char c)
{
    switch (c) {
    case '[': return TOKEN_OPEN;
    case ']': return TOKEN_CLOSE;
    case '|': return TOKEN_BAR;
    case ',': return TOKEN_COMMA;
    default: return TOKEN_END;
    }
}

static struct command_token read_word(const char *text, const char *end)
{
    struct command_token token = {TOKEN_WORD, text, 0};
    while (text + token.len < end && !strchr(" []", text[token.len])) {
        token.len++;
    }
    while (token.len > 1 && strchr(",.", text[token.len - 1])) {
        token.len--;
    }
    if (text[0] == '-') {
        token.kind = TOKEN_OPTION;
    } else if (!islower((unsigned char)text[0])) {
        token.kind = TOKEN_PLACE;
    }
    return token;
}

struct command_token command_token_next(const char **at, const char *end)
{
    const char *text = *at;
    while (text < end && *text == ' ') {
        text++;
    }
    struct command_token token = {TOKEN_END, text, 0};
    if (text < end) {
        token.kind = kind_of_sign(*text);
        token.len = 1;
        if (end - text >= 3 && memcmp(text, "...", 3) == 0) {
            token = (struct command_token){TOKEN_DOTS, text, 3};
        } else if (token.kind == TOKEN_END) {
            token = read_word(text, end);
        }
    }
    *at = text + token.len;
    return token;
}

static size_t indent_of(const char *line)
{
    return strspn(line, " ");
}

static const char *next_line(const char *line)
{
    line += strcspn(line, "\n");
    return *line ? line + 1 : line;
}

/* Where the term of a line ends: before two blanks, else with the line. */
static const char *term_end(const char *line)
{
    const char *end = line + strcspn(line, "\n");
    const char *at = line + indent_of(line);
    while (at < end && !(at[0] == ' ' && at[1] == ' ')) {
        at++;
    }
    return at;
}

static bool is_term(const char *line)
{
    const char *next = next_line(line);
    return strncmp(line + indent_of(line), "--", 2) == 0 || *term_end(line) == ' ' ||
           (*next && indent_of(next) >= indent_of(line) + DEEPER);
}

bool command_part_next(const char **at, struct command_part *ret_part)
{
    const char *line = *at;
    if (!*line) {
        return false;
    }
    size_t indent = indent_of(line);
    bool term = is_term(line);
    const char *text = term ? term_end(line) : line;
    const char *end = next_line(line);
    while (*end && (term ? indent_of(end) >= indent + DEEPER : !is_term(end))) {
        end = next_line(end);
    }
    *ret_part = (struct command_part){
        .term = term ? line + indent : NULL,
        .term_len = term ? (size_t)(text - line) - indent : 0,
        .text = text,
        .text_len = (size_t)(end - text),
        .inner = indent > 0,
    };
    *at = end;
    return true;
}

const char *command_body(const struct command *command)
{
    return next_line(command->help);
}
