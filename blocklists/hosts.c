// SPDX-License-Identifier: Apache-2.0
/* hosts: an address and the exact hosts that it stands for. */
#include "blocklists/format.h"

#include <string.h>

#include "base/addr.h"
#include "blocklists/blockdb.h"
#include "blocklists/entry.h"

static bool is_fast_sink(const struct span *token)
{
    return (token->len == 7 && memcmp(token->text, "0.0.0.0", 7) == 0) ||
           (token->len == 9 && memcmp(token->text, "127.0.0.1", 9) == 0);
}

bool hosts_is_sink(const struct span *token)
{
    char copy[ADDR_TEXT_MAX];
    struct addr addr;
    struct span bare = span_until(token, '%');
    if (is_fast_sink(token)) {
        return true;
    }
    if (bare.len >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, bare.text, bare.len);
    copy[bare.len] = '\0';
    if (addr_parse(copy, &addr) < 0) {
        return false;
    }
    bool scoped = addr.family == AF_INET6 &&
                  (addr.bytes[0] == 0xff || (addr.bytes[0] == 0xfe && addr.bytes[1] >> 6 == 2));
    bool broadcast = addr.family == AF_INET && (addr.bytes[0] == 0 || addr.bytes[0] == 255);
    return addr_is_any(&addr) || addr_is_loopback(&addr) || scoped || broadcast;
}

void hosts_parse_line(const struct span *line, struct line_sink *sink)
{
    if (line->text[0] == '#' || line->text[0] == ';' || line->text[0] == '!') {
        sink_comment(sink, line);
        return;
    }
    struct span rest = span_until(line, '#');
    struct span address = span_token(&rest);
    struct span name = span_token(&rest);
    if (!is_fast_sink(&address) && !entry_is_address(address.text, address.len)) {
        sink_skip(sink, SKIP_NAME);
        return;
    }
    if (name.len == 0) {
        sink_skip(sink, SKIP_ADDRESS);
        return;
    }
    if (!hosts_is_sink(&address)) {
        sink_skip(sink, SKIP_MAPPING);
        return;
    }
    for (; name.len; name = span_token(&rest)) {
        sink_name(sink, &name, BLOCKDB_SELF);
    }
}
