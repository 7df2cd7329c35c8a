// SPDX-License-Identifier: Apache-2.0
/* addresses: an address or a prefix in a line, as answers hold it; also "*.1.2.3.4" and
 * "||1.2.3.4^", as lists of names write it. */
#include "blocklists/addresses.h"

#include <string.h>

#include "blocklists/blockdb.h"

static void clear_host_bits(struct prefix *prefix)
{
    for (unsigned bit = prefix->bits; bit < 8 * sizeof(prefix->addr.bytes); bit++) {
        prefix->addr.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
    }
}

bool address_read(const struct span *token, struct prefix *ret_prefix)
{
    char text[ADDR_TEXT_MAX];
    struct span bare = span_until(token, '/');
    unsigned bits = 0;
    if (bare.len >= sizeof(text) || memchr(bare.text, '%', bare.len)) {
        return false;
    }
    memcpy(text, bare.text, bare.len);
    text[bare.len] = '\0';
    if (strlen(text) != bare.len || addr_parse(text, &ret_prefix->addr) < 0) {
        return false;
    }
    unsigned most = ret_prefix->addr.family == AF_INET ? 32 : 128;
    for (size_t i = bare.len + 1; i < token->len; i++) {
        unsigned digit = (unsigned)(unsigned char)token->text[i] - '0';
        bits = bits * 10 + digit;
        if (digit > 9 || bits > most) {
            return false;
        }
    }
    bool whole = bare.len == token->len;
    ret_prefix->bits = (uint8_t)(whole ? most : bits);
    clear_host_bits(ret_prefix);
    return whole || token->len > bare.len + 1;
}

bool address_is_local(const struct prefix *prefix)
{
    static const struct {
        uint8_t family, bits, bytes[2];
    } nets[] = {
        {AF_INET, 8, {0}},         {AF_INET, 8, {10}},           {AF_INET, 10, {100, 64}},
        {AF_INET, 8, {127}},       {AF_INET, 16, {169, 254}},    {AF_INET, 12, {172, 16}},
        {AF_INET, 16, {192, 168}}, {AF_INET, 3, {224}},          {AF_INET6, 16, {0}},
        {AF_INET6, 7, {0xfc}},     {AF_INET6, 10, {0xfe, 0x80}}, {AF_INET6, 8, {0xff}},
    };
    for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
        struct prefix net = {.addr = {.family = nets[i].family}, .bits = nets[i].bits};
        memcpy(net.addr.bytes, nets[i].bytes, sizeof(nets[i].bytes));
        if (prefix_covers(&net, &prefix->addr) || prefix_covers(prefix, &net.addr)) {
            return true;
        }
    }
    return false;
}

void addresses_parse_line(const struct span *line, struct line_sink *sink)
{
    if (memchr("#;!", line->text[0], 3)) {
        sink_comment(sink, line);
        return;
    }
    struct span rest = span_until(line, '#');
    struct span token = span_token(&rest);
    size_t marks = span_starts(&token, "*.") || span_starts(&token, "||") ? 2 : 0;
    token.text += marks;
    token.len -= marks;
    token.len -= token.len && token.text[token.len - 1] == '^';
    struct prefix prefix;
    bool alone = span_token(&rest).len == 0;
    if (alone && address_read(&token, &prefix)) {
        sink_address(sink, &token, &(struct sink_rule){.flags = BLOCKDB_SELF});
    } else {
        sink_skip(sink, SKIP_NAME);
    }
}
