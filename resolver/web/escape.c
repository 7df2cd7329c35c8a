// SPDX-License-Identifier: Apache-2.0
#include "web/escape.h"

#include <stdint.h>
#include <string.h>

struct range {
    uint32_t first, last;
};

/* Unicode: controls, soft hyphen, Arabic letter mark, Hangul fillers (they look like
 * nothing), zero width, marks and overrides of direction, line separators, variation
 * selectors, byte order mark, interlinear, surrogates, tags, noncharacters. */
static const struct range harmful[] = {
    {0x0000, 0x0008},   {0x000b, 0x001f},   {0x007f, 0x009f}, {0x00ad, 0x00ad}, {0x034f, 0x034f},
    {0x061c, 0x061c},   {0x115f, 0x1160},   {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x200b, 0x200f},
    {0x2028, 0x202e},   {0x2060, 0x206f},   {0x3164, 0x3164}, {0xd800, 0xdfff}, {0xfdd0, 0xfdef},
    {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0xfffe, 0xffff},
    {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

static bool is_harmful(uint32_t point)
{
    for (size_t i = 0; i < sizeof(harmful) / sizeof(harmful[0]); i++) {
        if (point >= harmful[i].first && point <= harmful[i].last) {
            return true;
        }
    }
    return false;
}

/* Octets of the code point at data, 0 when the octet there starts none (RFC 3629). */
static size_t decode(const uint8_t *data, size_t len, uint32_t *ret_point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t lead = data[0];
    size_t size = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
    if (size == 0 || size > len || lead > 0xf4) {
        return 0;
    }
    uint32_t point = size == 1 ? lead : lead & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((data[i] & 0xc0) != 0x80) {
            return 0;
        }
        point = point << 6 | (data[i] & 0x3f);
    }
    if (point < least[size] || point > 0x10ffff) {
        return 0;
    }
    *ret_point = point;
    return size;
}

static const char *entity(uint32_t point)
{
    switch (point) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

void escape_plain(struct text *text, const char *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        uint32_t point = 0;
        size_t size = decode((const uint8_t *)data + at, len - at, &point);
        if (size == 1 && (point == '\n' || point == '\t' || point == '\r')) {
            text_add(text, " ");
        } else if (size == 0 || is_harmful(point)) {
            text_add(text, replacement);
        } else {
            text_add_len(text, data + at, size);
        }
        at += size ? size : 1;
    }
}

void escape_html_len(struct text *text, const char *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        uint32_t point = 0;
        size_t size = decode((const uint8_t *)data + at, len - at, &point);
        const char *name = size ? entity(point) : NULL;
        if (size == 0 || is_harmful(point)) {
            text_add(text, replacement);
        } else if (name) {
            text_add(text, name);
        } else {
            text_add_len(text, data + at, size);
        }
        at += size ? size : 1;
    }
}

void escape_html(struct text *text, const char *string)
{
    escape_html_len(text, string, strlen(string));
}
