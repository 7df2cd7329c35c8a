// SPDX-License-Identifier: Apache-2.0
/* gate: what a compiled database is asked before it takes effect.
 *
 * The compiled file itself is asked, so that whatever went wrong on the way shows. A
 * protected name that a list blocks is reported; the verdict puts such names above
 * lists anyway. A source that hits many, or a public suffix with all below, is held. */
#pragma once
#include <stdbool.h>

#include "blocklists/blockdb.h"
#include "blocklists/namefile.h"
#include "config/config.h"
#include "config/protected.h"

enum { GATE_HITS_MAX = 256, GATE_PROTECTED_MAX = 20, GATE_GROWTH_MAX = 3, GATE_SMALL = 100 };

struct gate_hit {
    char name[256];  /* the protected name */
    char entry[256]; /* what the list holds: the name or a parent */
    uint16_t source; /* of the database */
    bool suffix;     /* a public suffix with all below */
};

struct gate_report {
    struct gate_hit hits[GATE_HITS_MAX];
    size_t hit_count;     /* hits kept */
    size_t total;         /* hits found */
    uint32_t *per_source; /* [sources of the database]: protected names hit */
    bool *held;           /* [sources of the database] */
    size_t held_count;
};

/* Names that no list may block: the built-in ones, never_block, and a file's. Each is
 * asked for itself and with www. before it. */
struct gate_guard {
    const struct protected_list *built_in;
    const struct text_list *never_block;
    const struct name_list *essential; /* or NULL */
};

/* Ask the database. -ENOMEM. */
__attribute__((warn_unused_result)) int gate_check(const struct blockdb *db,
                                                   const struct gate_guard *guard,
                                                   struct gate_report *ret_report);
void gate_clear(struct gate_report *report);

/* Whether a source that had `before` names may have `now`: 0, or -ERANGE with *diag.
 * before 0: nothing to compare with. Growth below GATE_SMALL names is never held. */
__attribute__((warn_unused_result)) int gate_size(uint64_t before, uint64_t now, int64_t max_shrink,
                                                  struct diag *diag);
