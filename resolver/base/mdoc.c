// SPDX-License-Identifier: Apache-2.0
#include "base/mdoc.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* Of the pages that are made; they change with the tables. */
static const char date[] = "November 30, 2026";

void mdoc_begin(const struct mdoc_page *page, FILE *out)
{
    fprintf(out,
            ".\\\" SPDX-License-Identifier: Apache-2.0\n"
            ".\\\" Made from %s by `%s`; do not edit.\n"
            ".Dd %s\n.Dt %s\n.Os\n",
            page->source, page->command, date, page->title);
}

/* What a formatter would print as something else. */
static const char *escape_of(char c)
{
    switch (c) {
    case '\\': return "\\e";
    case '^': return "\\(ha";
    case '~': return "\\(ti";
    default: return NULL;
    }
}

static void put_char(char c, FILE *out)
{
    const char *escape = escape_of(c);
    if (escape) {
        fputs(escape, out);
    } else {
        fputc(c, out);
    }
}

/* A hyphen is a minus where an option begins, so that it can be copied. */
static bool begins_option(const char *text, size_t at)
{
    return text[at] == '-' && (at == 0 || !isalnum((unsigned char)text[at - 1]));
}

static bool ends_sentence(const char *text, size_t len, size_t at)
{
    return text[at] == ' ' && at > 0 && strchr(".?!", text[at - 1]) && at + 1 < len &&
           (isupper((unsigned char)text[at + 1]) || text[at + 1] == '`');
}

void mdoc_text(const char *text, size_t len, FILE *out)
{
    bool fresh = true, quoted = false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n' || ends_sentence(text, len, i)) {
            fputs(fresh ? "" : "\n", out);
            fresh = true;
            continue;
        }
        if (fresh && text[i] == ' ') {
            continue;
        }
        if (fresh && strchr(".'", text[i])) {
            fputs("\\&", out);
        }
        fresh = false;
        if (text[i] == '`') {
            quoted = !quoted;
            fputs(quoted ? "\\(oq" : "\\(cq", out);
        } else if (begins_option(text, i)) {
            fputs("\\-", out);
        } else {
            put_char(text[i], out);
        }
    }
    fputs(fresh ? "" : "\n", out);
}

void mdoc_word(const char *word, size_t len, FILE *out)
{
    bool callable = len == 2 && isupper((unsigned char)word[0]) && islower((unsigned char)word[1]);
    if (callable || (len == 1 && ispunct((unsigned char)word[0]))) {
        fputs("\\&", out);
    }
    for (size_t i = 0; i < len; i++) {
        if (word[i] == '"') {
            fputs("\\(dq", out);
        } else {
            put_char(word[i], out);
        }
    }
}
