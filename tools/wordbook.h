// SPDX-License-Identifier: Apache-2.0
/* wordbook: what a command says to people in their language, from a data file. */
#pragma once
#include "base/diag.h"

#include <stdbool.h>
#include <stdio.h>

struct wordbook;

/* data_dir/FILE: a map of ids, each with texts by language. -ENOENT, -EINVAL with *diag. */
__attribute__((warn_unused_result)) int wordbook_load(const char *data_dir, const char *file,
                                                      struct wordbook **ret_book,
                                                      struct diag *diag);
void wordbook_free(struct wordbook *book); /* accepts NULL */

/* Has every id a text in this language? */
bool wordbook_speaks(const struct wordbook *book, const char *language);

/* The text of an id; the id itself when there is none. */
const char *wordbook_get(const struct wordbook *book, const char *language, const char *id);

/* A text with its {word}s filled in: pairs of word and value, NULL ends them. */
struct wordbook_line {
    const char *id;
    const char *const *fills; /* NULL: none */
};
void wordbook_print(const struct wordbook *book, const char *language,
                    const struct wordbook_line *line, FILE *out);
