// SPDX-License-Identifier: Apache-2.0
/* difference: what two compiled databases block differently, list by list.
 *
 * The texts of one side are read and the other side's file is asked, so that nothing has
 * to be sorted or held. */
#pragma once
#include "blocklists/listtext.h"

enum difference_change {
    DIFFERENCE_ADDED,   /* only the later side blocks it by that list */
    DIFFERENCE_REMOVED, /* only the earlier one */
    DIFFERENCE_CHANGED, /* what it covers, an exception to it, or what is answered */
    DIFFERENCE_CHANGES,
};

/* A name, address or /pattern/ of a list about which the sides say different things. */
struct difference_name {
    char name[256];
    char list[80];
    enum difference_change change;
};

struct difference_list {
    char id[80];
    uint64_t counts[DIFFERENCE_CHANGES];
    bool unread; /* a text is not kept: the counts are not whole */
};

enum { DIFFERENCE_LISTS_MAX = 256 };

struct difference {
    struct difference_list lists[DIFFERENCE_LISTS_MAX];
    size_t list_count;
    struct difference_name *names; /* the first ones; see names_max */
    size_t name_count, names_max;
};

/* A database and how to come by the text of its sources: fd of *ret_source is closed
 * after use. */
struct difference_side {
    const struct blockdb *db;
    int (*open_text)(void *arg, const struct blockdb_source *source,
                     struct build_source *ret_source);
    void *arg;
};

/* names_max: how many names to keep of all. -ENOMEM. */
__attribute__((warn_unused_result)) int difference_run(const struct difference_side *before,
                                                       const struct difference_side *after,
                                                       size_t names_max,
                                                       struct difference **ret_difference);
void difference_free(struct difference *difference); /* accepts NULL */
