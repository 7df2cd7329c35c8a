// SPDX-License-Identifier: Apache-2.0
/* nearest: the known word that a mistyped one was probably meant to be. */
#pragma once
#include <stdbool.h>

struct nearest {
    const char *word; /* what was typed */
    const char *best; /* NULL: nothing is near */
    unsigned distance;
};

static inline void nearest_init(struct nearest *nearest, const char *word)
{
    *nearest = (struct nearest){.word = word};
}

/* Offer a known word; it must outlive the search. */
void nearest_offer(struct nearest *nearest, const char *known);
