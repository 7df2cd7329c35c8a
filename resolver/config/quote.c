// SPDX-License-Identifier: Apache-2.0
#include "config/yaml.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ESCAPE_MAX = 8 };

/* One UTF-8 sequence; 0 when it is none. Overlong forms and surrogates are none. */
static size_t decode(const unsigned char *at, uint32_t *ret_point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = at[0] < 0x80 ? 1 : at[0] < 0xc0 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if (len == 0 || at[0] >= 0xf8) {
        return 0;
    }
    uint32_t point = len == 1 ? at[0] : at[0] & (0x7fU >> len);
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
        point = point << 6 | (at[i] & 0x3fU);
    }
    if (point < least[len] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
        return 0;
    }
    *ret_point = point;
    return len;
}

/* What libyaml would not read back as itself: control characters, line breaks of
 * Unicode, byte order marks. */
static bool is_special(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x2028 || point == 0x2029 ||
           point == 0xfeff || point == 0xfffe || point == 0xffff;
}

char *yaml_quote(const char *text)
{
    char *quoted = malloc(strlen(text) * ESCAPE_MAX + 3);
    if (!quoted) {
        return NULL;
    }
    char *to = quoted;
    *to++ = '"';
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        uint32_t point = *at;
        size_t len = decode(at, &point);
        if (len == 0 || is_special(point)) {
            to += snprintf(to, ESCAPE_MAX, point > 0xff ? "\\u%04x" : "\\x%02x", point);
        } else {
            if (point == '"' || point == '\\') {
                *to++ = '\\';
            }
            memcpy(to, at, len);
            to += len;
        }
        at += len ? len : 1;
    }
    *to++ = '"';
    *to = '\0';
    return quoted;
}

void yaml_make_comment(char *text)
{
    for (unsigned char *at = (unsigned char *)text; *at;) {
        uint32_t point = 0;
        size_t len = decode(at, &point);
        if (len == 0 || is_special(point)) {
            memset(at, '?', len ? len : 1);
        }
        at += len ? len : 1;
    }
}
