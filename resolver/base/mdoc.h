// SPDX-License-Identifier: Apache-2.0
/* mdoc: texts of tables as pages of the manual, mdoc(7). */
#pragma once
#include <stdio.h>

/* The start of a page, up to the name section: `title` "GREENGATE 1", `source` the file that it
 * is made from, `command` what makes it. */
struct mdoc_page {
    const char *title, *source, *command;
};
void mdoc_begin(const struct mdoc_page *page, FILE *out);

/* Running text, filled anew: its lines may be indented, `words` in backquotes are shown in quotes,
 * each sentence begins a line. Ends with a newline, unless it is empty. */
void mdoc_text(const char *text, size_t len, FILE *out);

/* One word as argument of a macro. */
void mdoc_word(const char *word, size_t len, FILE *out);
