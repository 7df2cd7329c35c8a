// SPDX-License-Identifier: Apache-2.0
/* bind: zone statements of named.conf that this server would answer by itself; each
 * zone and all below. A zone of another type, and any other statement, is a directive. */
#include "blocklists/bind.h"

#include <string.h>

#include "blocklists/scan.h"

struct lexer {
    struct span rest;
    bool quoted; /* the last token was a string */
};

static void advance(struct span *span, size_t len)
{
    span->text += len;
    span->len -= len;
}

/* Skip blanks and comments; false at the end of the line. */
static bool skip_space(struct lexer *lexer, struct bind_state *state)
{
    for (;;) {
        struct span *rest = &lexer->rest;
        if (state->in_comment) {
            const char *end = memmem(rest->text, rest->len, "*/", 2);
            if (!end) {
                return false;
            }
            advance(rest, (size_t)(end - rest->text) + 2);
            state->in_comment = false;
        }
        *rest = span_trim(rest);
        if (rest->len == 0 || rest->text[0] == '#' || span_starts(rest, "//")) {
            return false;
        }
        if (!span_starts(rest, "/*")) {
            return true;
        }
        advance(rest, 2);
        state->in_comment = true;
    }
}

/* A string, a word, or one of "{};". */
static struct span next_token(struct lexer *lexer)
{
    struct span token = lexer->rest;
    lexer->quoted = token.text[0] == '"';
    if (lexer->quoted) {
        advance(&lexer->rest, 1);
        token = span_until(&lexer->rest, '"');
        advance(&lexer->rest, token.len + (token.len < lexer->rest.len));
        return token;
    }
    size_t len = memchr("{};", token.text[0], 3) ? 1 : 0;
    bool mark = len == 1;
    while (!mark && len < token.len && !span_is_blank(token.text[len]) &&
           !memchr("{};\"", token.text[len], 4)) {
        len++;
    }
    token.len = len;
    advance(&lexer->rest, len);
    return token;
}

/* Also in the middle of a zone: one that is left open must not swallow the others. */
static void begin_zone(struct line_sink *sink)
{
    if (sink->bind.in_zone) {
        sink_skip(sink, SKIP_NAME);
    }
    sink->bind = (struct bind_state){.in_zone = true, .begun = true, .want = BIND_ZONE_NAME};
}

static void end_zone(struct line_sink *sink)
{
    struct bind_state *state = &sink->bind;
    struct span name = {state->name, state->name_len};
    if (!state->has_body || name.len == 0) {
        sink_skip(sink, SKIP_NAME);
    } else if (state->is_remote) {
        sink_skip(sink, SKIP_DIRECTIVE);
    } else {
        sink_name(sink, &name, BLOCKDB_SELF | BLOCKDB_BELOW);
    }
    state->in_zone = false;
    state->begun = false;
}

static void take_word(struct line_sink *sink, const struct span *word, bool quoted)
{
    struct bind_state *state = &sink->bind;
    bool first = !state->begun && !quoted;
    state->begun = true;
    if (first && span_is(word, "zone")) {
        begin_zone(sink);
    } else if (state->want == BIND_ZONE_NAME) {
        state->want = BIND_NOTHING;
        state->name_len = word->len <= BIND_NAME_MAX ? word->len : 0;
        memcpy(state->name, word->text, state->name_len);
    } else if (state->want == BIND_ZONE_TYPE) {
        state->want = BIND_NOTHING;
        state->is_remote = !span_is(word, "master") && !span_is(word, "primary");
    } else if (first && state->in_zone && span_is(word, "type")) {
        state->want = BIND_ZONE_TYPE;
    }
}

static void take_mark(struct line_sink *sink, char mark)
{
    struct bind_state *state = &sink->bind;
    bool was_begun = state->begun;
    state->begun = false;
    state->want = BIND_NOTHING;
    if (!state->in_zone) {
        if (was_begun) {
            sink_skip(sink, SKIP_DIRECTIVE);
        }
    } else if (mark == '{') {
        state->depth++;
        state->has_body = true;
    } else if (mark == '}' && state->depth > 0) {
        state->depth--;
    }
    if (state->in_zone && state->depth == 0 && mark != '{') {
        end_zone(sink);
    }
}

void bind_parse_line(const struct span *line, struct line_sink *sink)
{
    struct bind_state *state = &sink->bind;
    struct lexer lexer = {.rest = *line};
    bool at_start = true;
    if (!state->in_comment && (line->text[0] == '#' || span_starts(line, "//"))) {
        sink_comment(sink, line);
        return;
    }
    for (; skip_space(&lexer, state); at_start = false) {
        struct span token = next_token(&lexer);
        if (!lexer.quoted && token.len == 1 && memchr("{};", token.text[0], 3)) {
            take_mark(sink, token.text[0]);
            continue;
        }
        if (at_start && !lexer.quoted && span_is(&token, "zone")) {
            state->begun = false;
        }
        take_word(sink, &token, lexer.quoted);
    }
    if (!state->in_zone && state->begun) { /* a statement of no kind that BIND has */
        state->begun = false;
        sink_skip(sink, SKIP_NAME);
    }
}
