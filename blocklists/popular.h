// SPDX-License-Identifier: Apache-2.0
/* popular: which well-known names each list of a compiled database blocks. */
#pragma once
#include "blocklists/blockdb.h"
#include "blocklists/namefile.h"

enum { POPULAR_TOP = 1000, POPULAR_EXAMPLES = 5 };

struct popular_source {
    unsigned top; /* of the first POPULAR_TOP names, with www. counted once */
    unsigned all;
    struct dname examples[POPULAR_EXAMPLES]; /* the best known of them */
    struct dname entries[POPULAR_EXAMPLES];  /* what the list says about each, or */
    uint32_t patterns[POPULAR_EXAMPLES];     /* index + 1 of its pattern, 0: none */
    unsigned example_count;
};

/* per_source[sources of the database]; the caller frees it. Patterns are tried on the
 * first POPULAR_TOP names. -ENOMEM, -ECHILD. */
__attribute__((warn_unused_result)) int popular_measure(const struct blockdb *db,
                                                        const struct name_list *names,
                                                        struct popular_source **ret_per_source);

/* The same name by name: (*ret_blocks)[rank * sources + source] for the first `count`
 * names, at most POPULAR_TOP; the caller frees it. */
__attribute__((warn_unused_result)) int popular_blocks(const struct blockdb *db,
                                                       const struct name_list *names, size_t count,
                                                       uint8_t **ret_blocks);
