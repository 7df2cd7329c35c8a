// SPDX-License-Identifier: Apache-2.0
/* dnsmasq: address=, server= and local= that lead nowhere; each name and all below.
 *
 * What sends a name to a real address or server is a mapping, any other option a
 * directive: counted, and no block. */
#include "blocklists/format.h"

#include <string.h>

#include "blocklists/blockdb.h"

/* A '#' at the front or behind a blank; the one of address=/x/# is none. */
static struct span cut_comment(const struct span *line)
{
    struct span out = *line;
    for (size_t i = 0; i < line->len; i++) {
        if (line->text[i] == '#' && (i == 0 || span_is_blank(line->text[i - 1]))) {
            out.len = i;
            break;
        }
    }
    return span_trim(&out);
}

/* "log-queries", or the part of an option before '='. */
static bool is_option(const struct span *word)
{
    for (size_t i = 0; i < word->len; i++) {
        char c = word->text[i];
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-') {
            return false;
        }
    }
    return word->len && word->text[0] >= 'a' && word->text[0] <= 'z';
}

/* "/x/y/": each name; an empty one stands for names without a dot. */
static void take_names(struct span names, struct line_sink *sink)
{
    while (names.len) {
        struct span name = span_until(&names, '/');
        size_t used = name.len < names.len ? name.len + 1 : name.len;
        unsigned flags = BLOCKDB_SELF | BLOCKDB_BELOW;
        names.text += used;
        names.len -= used;
        size_t marks = span_starts(&name, "*.") ? 2 : name.len > 1 && name.text[0] == '.' ? 1 : 0;
        if (marks == 2) {
            flags = BLOCKDB_BELOW;
        }
        name.text += marks;
        name.len -= marks;
        if (name.len == 0) {
            sink_skip(sink, SKIP_DIRECTIVE);
        } else if (span_is(&name, "#")) {
            sink_skip(sink, SKIP_WIDE);
        } else {
            sink_name(sink, &name, flags);
        }
    }
}

/* value: "/x/y/TARGET" */
static void take_value(const struct span *value, bool is_address, struct line_sink *sink)
{
    const char *end = memrchr(value->text, '/', value->len);
    if (!end || end == value->text || value->text[0] != '/') {
        sink_skip(sink, SKIP_DIRECTIVE);
        return;
    }
    struct span names = {value->text + 1, (size_t)(end - value->text) - 1};
    struct span target = {end + 1, value->len - (size_t)(end - value->text) - 1};
    bool nowhere = is_address && (span_is(&target, "#") || hosts_is_sink(&target));
    if (target.len && !nowhere) {
        sink_skip(sink, SKIP_MAPPING);
    } else if (names.len == 0) {
        sink_skip(sink, SKIP_DIRECTIVE);
    } else {
        take_names(names, sink);
    }
}

void dnsmasq_parse_line(const struct span *line, struct line_sink *sink)
{
    struct span statement = cut_comment(line);
    if (statement.len == 0 || statement.text[0] == ';' || statement.text[0] == '!') {
        sink_comment(sink, line);
        return;
    }
    struct span key = span_until(&statement, '=');
    struct span value = {statement.text + key.len, statement.len - key.len};
    if (value.len) {
        value.text++;
        value.len--;
    }
    key = span_trim(&key);
    value = span_trim(&value);
    if (!is_option(&key)) {
        sink_skip(sink, SKIP_NAME);
    } else if (span_is(&key, "address")) {
        take_value(&value, true, sink);
    } else if (span_is(&key, "server") || span_is(&key, "local")) {
        take_value(&value, false, sink);
    } else {
        sink_skip(sink, SKIP_DIRECTIVE);
    }
}
