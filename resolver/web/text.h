// SPDX-License-Identifier: Apache-2.0
/* text: a bounded place to write an answer into.
 *
 * What does not fit sets the sticky flag `full`, which is tested once at the end;
 * nothing is written behind cap. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct text {
    char *data;
    size_t len, cap;
    bool full;
};

void text_add_len(struct text *text, const char *data, size_t len);
void text_add(struct text *text, const char *string);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
