// SPDX-License-Identifier: Apache-2.0
/* lists: the mapped database with what one snapshot adds to it: category numbers,
 * compiled patterns and, for every class, which categories it blocks. */
#pragma once
#include "policy/regex.h"
#include "policy/snapshot.h"

/* What a class says, ready for one AND with a group's mask. */
struct class_mask {
    uint64_t self;  /* categories blocked for the name itself */
    uint64_t below; /* and for names below it */
    bool excepts;   /* it makes exceptions: look at the items one by one */
    bool shadow;    /* it holds entries of sources that only count */
};

/* What is asked of a pattern before it is matched. */
struct pattern_info {
    const struct blockdb_pattern *pattern;
    uint8_t category;
    bool shadow;
};

struct policy_lists {
    unsigned refs;
    struct blockdb *db; /* NULL: no database */
    uint64_t generation;
    struct class_mask *masks;      /* [classes + 1], 0 is empty */
    uint8_t *source_category;      /* [sources] category index */
    bool *source_shadow;           /* [sources] count what it would block, block nothing */
    bool shadows;                  /* any of them */
    struct regex_set *regex;       /* NULL: no patterns */
    struct pattern_info *patterns; /* [patterns] */
    bool pattern_exceptions;       /* any of them is one */
    struct regex_report report;
    struct category_info categories[SNAPSHOT_CATEGORIES_MAX];
    unsigned category_count;
};

void lists_ref(struct policy_lists *lists);
