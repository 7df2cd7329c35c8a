// SPDX-License-Identifier: Apache-2.0
/* diag: what a person must fix, and where.
 *
 * Layers below query neither log nor exit: they fill a struct diag and return a
 * negative errno. The caller that talks to a person prints it. */
#pragma once
#include <stdarg.h>
#include <stddef.h>

enum { DIAG_FILE_MAX = 256, DIAG_TEXT_MAX = 384 };

struct diag {
    char file[DIAG_FILE_MAX]; /* empty: no place */
    unsigned line;            /* 1-based, 0: none */
    unsigned column;          /* 1-based, 0: none */
    char text[DIAG_TEXT_MAX];
};

/* Set the text and return err, so that a caller can write
 * `return diag_set(diag, -EINVAL, "...")`. A NULL diag is allowed. */
int diag_set(struct diag *diag, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Set the place, before or after the text. A NULL diag is allowed. */
void diag_at(struct diag *diag, const char *file, unsigned line, unsigned column);

/* Give an error that nobody described its usual words, and return it. A NULL diag is
 * allowed. */
int diag_need(struct diag *diag, int err);

/* Forget what was said: it turned out to be no failure. A NULL diag is allowed. */
void diag_clear(struct diag *diag);

/* "file:line:column: text", as far as known, into out; always terminated. */
void diag_print(const struct diag *diag, char *out, size_t cap);
