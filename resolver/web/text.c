// SPDX-License-Identifier: Apache-2.0
#include "web/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_add_len(struct text *text, const char *data, size_t len)
{
    if (text->full || len > text->cap - text->len) {
        text->full = true;
        return;
    }
    memcpy(text->data + text->len, data, len);
    text->len += len;
}

void text_add(struct text *text, const char *string)
{
    text_add_len(text, string, strlen(string));
}

void text_printf(struct text *text, const char *format, ...)
{
    va_list args;
    size_t room = text->cap - text->len;
    va_start(args, format);
    int len = text->full ? -1 : vsnprintf(text->data + text->len, room, format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= room) {
        text->full = true;
        return;
    }
    text->len += (size_t)len;
}
