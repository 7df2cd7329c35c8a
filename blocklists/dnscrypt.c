// SPDX-License-Identifier: Apache-2.0
/* dnscrypt: blocked-names of dnscrypt-proxy. A name and "*.x" are x and all below,
 * "=x" is that host; patterns and schedules are counted. */
#include "blocklists/format.h"

#include <string.h>

#include "blocklists/blockdb.h"

void dnscrypt_parse_line(const struct span *line, struct line_sink *sink)
{
    if (line->text[0] == '#') {
        sink_comment(sink, line);
        return;
    }
    unsigned flags = BLOCKDB_SELF | BLOCKDB_BELOW;
    struct span rest = span_until(line, '#');
    struct span name = span_token(&rest);
    struct span schedule = span_token(&rest);
    if (schedule.len) {
        sink_skip(sink, schedule.text[0] == '@' ? SKIP_MODIFIER : SKIP_NAME);
        return;
    }
    size_t marks = span_starts(&name, "*.") ? 2 : 0;
    if (name.text[0] == '=') {
        flags = BLOCKDB_SELF;
        marks = 1;
    } else if (name.text[0] == '.') {
        marks = 1;
    }
    name.text += marks;
    name.len -= marks;
    bool glob = memchr(name.text, '?', name.len) || memchr(name.text, '[', name.len);
    if (glob || memchr(name.text, '*', name.len)) {
        sink_skip(sink, SKIP_WILDCARD);
    } else {
        sink_name(sink, &name, flags);
    }
}
