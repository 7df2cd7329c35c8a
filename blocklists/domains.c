// SPDX-License-Identifier: Apache-2.0
/* domains: one name in a line, that host alone; "*.x" and ".x" are x and all below. */
#include "blocklists/format.h"

#include <string.h>

#include "blocklists/blockdb.h"

/* "=====", "-----" and the like. */
static bool is_ruler(const struct span *line)
{
    for (size_t i = 0; i < line->len; i++) {
        if (!strchr("=-_~*+ \t", line->text[i]) || line->text[i] == '\0') {
            return false;
        }
    }
    return true;
}

static bool is_comment(const struct span *line)
{
    char first = line->text[0];
    if ((first >= 'a' && first <= 'z') || (first >= '0' && first <= '9')) {
        return false;
    }
    return (first && strchr("#!;[", first)) || span_starts(line, "// ") || is_ruler(line);
}

void domains_parse_line(const struct span *line, struct line_sink *sink)
{
    if (is_comment(line)) {
        sink_comment(sink, line);
        return;
    }
    struct span rest = span_until(line, '#');
    struct span name = span_token(&rest);
    if (span_token(&rest).len) {
        sink_skip(sink, SKIP_NAME);
        return;
    }
    unsigned flags = BLOCKDB_SELF;
    size_t marks = span_starts(&name, "*.") ? 2 : name.len > 1 && name.text[0] == '.' ? 1 : 0;
    if (marks) {
        flags |= BLOCKDB_BELOW;
        name.text += marks;
        name.len -= marks;
    }
    sink_name(sink, &name, flags);
}
