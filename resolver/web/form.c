// SPDX-License-Identifier: Apache-2.0
#include "web/form.h"

#include <string.h>

#include "web/escape.h"

enum { FIELD_MAX = 4096 };

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Octets of what "%41+b" stands for; a '%' without two digits stands for itself. */
static size_t decode(const char *data, size_t len, char out[FIELD_MAX])
{
    size_t used = 0;
    for (size_t at = 0; at < len && used < FIELD_MAX; at++) {
        int high = data[at] == '%' && at + 2 < len ? hex_value(data[at + 1]) : -1;
        int low = high >= 0 ? hex_value(data[at + 2]) : -1;
        if (low >= 0) {
            out[used++] = (char)(high << 4 | low);
            at += 2;
        } else {
            out[used++] = data[at] == '+' ? ' ' : data[at];
        }
    }
    return used;
}

bool form_get(const char *body, size_t len, const char *name, struct text *text)
{
    size_t name_len = strlen(name);
    const char *end = body + len;
    for (const char *at = body; at < end;) {
        const char *stop = memchr(at, '&', (size_t)(end - at));
        size_t size = (size_t)((stop ? stop : end) - at);
        if (size > name_len && memcmp(at, name, name_len) == 0 && at[name_len] == '=') {
            char field[FIELD_MAX];
            size_t used = decode(at + name_len + 1, size - name_len - 1, field);
            escape_plain(text, field, used);
            return true;
        }
        at += size + 1;
    }
    return false;
}
