// SPDX-License-Identifier: Apache-2.0
/* values: what may stand where a usage text says NAME or G, as far as it is known. */
#pragma once
#include "tools/cli.h"

/* Who is told each candidate; `about` is a line, maybe empty. */
struct values_taker {
    void *owner;
    void (*take)(void *owner, const char *candidate, const char *about);
};

/* Where the value stands: behind a command and its words, of an option or a place. */
struct values_place {
    const char *command, *sub;
    const char *name;  /* "--group", "ID" */
    const char *value; /* "G", "ko|en"; "" of a place */
};

enum values_kind { VALUES_NONE, VALUES_GIVEN, VALUES_LISTED, VALUES_FILES };

/* VALUES_LISTED: divided by commas several may stand there; VALUES_FILES: names of files may.
 * What the daemon must be asked for is left out when it does not answer. */
enum values_kind values_give(struct cli *cli, const struct values_place *place,
                             const struct values_taker *taker);
