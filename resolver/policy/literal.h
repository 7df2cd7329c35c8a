// SPDX-License-Identifier: Apache-2.0
/* literal: what a regular expression cannot match without, so that most names need
 * not be matched at all. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LITERAL_MIN = 3, LITERAL_MAX = 15, LITERALS_MAX = 8 };

/* At least one of `text` stands in every name that the pattern matches; count 0: no
 * such texts are known, the pattern must always be tried. */
struct literals {
    char text[LITERALS_MAX][LITERAL_MAX + 1]; /* lower case, NUL-terminated */
    unsigned count;
};

/* Reads plain syntax only (letters, classes, groups, alternatives, quantifiers); at
 * anything else of PCRE it knows nothing, which is always right. */
void literal_require(const char *pattern, struct literals *ret_literals);
