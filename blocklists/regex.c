// SPDX-License-Identifier: Apache-2.0
/* regex: one regular expression in a line, with or without slashes around it. A '#' at
 * the front is a comment; elsewhere it may belong to the expression. */
#include "blocklists/format.h"

#include "blocklists/blockdb.h"

void regex_parse_line(const struct span *line, struct line_sink *sink)
{
    if (line->text[0] == '#' || line->text[0] == '!') {
        sink_comment(sink, line);
        return;
    }
    struct span text = *line;
    if (text.len > 2 && text.text[0] == '/' && text.text[text.len - 1] == '/') {
        text.text++;
        text.len -= 2;
    }
    sink_pattern(sink, &text, &(struct sink_rule){.flags = BLOCKDB_SELF});
}
