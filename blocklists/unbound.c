// SPDX-License-Identifier: Apache-2.0
/* unbound: local zones of the types that refuse; each name and all below.
 *
 * Keywords end with a colon and several may stand in one line. local-data says what
 * a name is, so it is a mapping; any other keyword is a directive. */
#include "blocklists/format.h"

#include <string.h>

#include "blocklists/blockdb.h"

/* Cut the next value off the front, without its quotes; len 0 at the end or at a
 * comment. */
static struct span cut_value(struct span *rest)
{
    *rest = span_trim(rest);
    if (rest->len && (rest->text[0] == '"' || rest->text[0] == '\'')) {
        struct span inner = {rest->text + 1, rest->len - 1};
        struct span value = span_until(&inner, rest->text[0]);
        size_t used = value.len < inner.len ? value.len + 2 : value.len + 1;
        rest->text += used;
        rest->len -= used;
        return value;
    }
    struct span plain = span_until(rest, '#');
    struct span value = span_token(&plain);
    rest->len -= (size_t)(value.text + value.len - rest->text);
    rest->text = value.text + value.len;
    return value;
}

/* "word:"; len 0 when there is none. */
static struct span cut_keyword(struct span *rest)
{
    struct span word = {rest->text, 0};
    while (word.len < rest->len && rest->text[word.len] != ':') {
        char c = rest->text[word.len++];
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-') {
            return (struct span){word.text, 0};
        }
    }
    if (word.len == rest->len) {
        return (struct span){word.text, 0};
    }
    rest->text += word.len + 1;
    rest->len -= word.len + 1;
    return word;
}

static bool is_refusal(const struct span *type)
{
    static const char *const types[] = {"static",        "deny",           "refuse",
                                        "redirect",      "always_null",    "always_refuse",
                                        "always_nodata", "always_deny",    "always_nxdomain",
                                        "inform_deny",   "inform_redirect"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (span_is(type, types[i])) {
            return true;
        }
    }
    return false;
}

static void take_keyword(const struct span *keyword, struct span *rest, struct line_sink *sink)
{
    struct span value = cut_value(rest);
    if (span_is(keyword, "local-zone")) {
        struct span type = cut_value(rest);
        if (value.len == 0 || type.len == 0) {
            sink_skip(sink, SKIP_NAME);
        } else if (is_refusal(&type)) {
            sink_name(sink, &value, BLOCKDB_SELF | BLOCKDB_BELOW);
        } else {
            sink_skip(sink, SKIP_DIRECTIVE);
        }
    } else if (span_is(keyword, "local-data") || span_is(keyword, "local-data-ptr")) {
        sink_skip(sink, SKIP_MAPPING);
    } else {
        sink_skip(sink, SKIP_DIRECTIVE);
    }
}

void unbound_parse_line(const struct span *line, struct line_sink *sink)
{
    if (line->text[0] == '#' || line->text[0] == ';' || line->text[0] == '!') {
        sink_comment(sink, line);
        return;
    }
    struct span rest = *line;
    while (rest.len && rest.text[0] != '#') {
        struct span word = cut_keyword(&rest);
        if (word.len == 0) {
            sink_skip(sink, SKIP_NAME);
            return;
        }
        if (!span_is(&word, "server")) {
            take_keyword(&word, &rest, sink);
        }
        rest = span_trim(&rest);
    }
}
