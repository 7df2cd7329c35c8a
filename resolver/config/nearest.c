// SPDX-License-Identifier: Apache-2.0
#include "config/nearest.h"

#include <string.h>

enum { WORD_MAX = 32 };

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned low = a < b ? a : b;
    return low < c ? low : c;
}

/* Levenshtein distance; both at most WORD_MAX octets. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[WORD_MAX + 1];
    size_t width = strlen(b);
    for (unsigned j = 0; j <= width; j++) {
        row[j] = j;
    }
    for (size_t i = 0; a[i]; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < width; j++) {
            unsigned above = row[j + 1];
            row[j + 1] = least(above + 1, row[j] + 1, diagonal + (a[i] != b[j]));
            diagonal = above;
        }
    }
    return row[width];
}

void nearest_offer(struct nearest *nearest, const char *known)
{
    size_t len = strlen(nearest->word);
    if (len > WORD_MAX || strlen(known) > WORD_MAX) {
        return;
    }
    unsigned found = distance(nearest->word, known);
    bool near = found <= 1 + len / 3 && found < strlen(known);
    if (near && (!nearest->best || found < nearest->distance)) {
        nearest->best = known;
        nearest->distance = found;
    }
}
