// SPDX-License-Identifier: Apache-2.0
/* catalog: categories and help lines, which are data and change without a release.
 *
 * Read from data_dir/categories.yaml and data_dir/helplines.yaml. Every number and
 * agency there carries its source and the date it was read. */
#pragma once
#include "config/config.h"

enum { CATALOG_CATEGORIES_MAX = 62 };

struct catalog_text {
    char *language; /* "ko", "en" */
    char *text;
};

struct catalog_category {
    char *id;                   /* "adult" */
    struct catalog_text *names; /* plain words for a child */
    size_t name_count;
    struct catalog_text *whys; /* one sentence: why such sites are blocked */
    size_t why_count;
    bool mixed;            /* good and bad alike: groups.prefer outranks it */
    bool popular;          /* people choose it against well-known sites */
    int mode;              /* enum block_mode, MODE_UNSET when it follows block.mode */
    struct text_list help; /* ids of help lines, most fitting first */
};

struct catalog_line {
    char *id;                    /* "1366" */
    char *number;                /* "1366", empty when only a site is given */
    char *url;                   /* may be empty */
    struct catalog_text *labels; /* what the line is for, in plain words */
    size_t label_count;
    char *source, *date; /* where the number was read, and when */
    bool verified;       /* false: still to be checked with the agency */
};

struct catalog {
    struct catalog_category *categories;
    size_t category_count;
    struct catalog_line *lines;
    size_t line_count;
};

/* -ENOENT, -EINVAL with *diag; *ret_catalog is untouched on failure. */
__attribute__((warn_unused_result)) int
catalog_load(const char *data_dir, struct catalog **ret_catalog, struct diag *diag);

void catalog_free(struct catalog *catalog);

/* NULL when unknown. */
const struct catalog_category *catalog_find(const struct catalog *catalog, const char *id);
const struct catalog_line *catalog_find_line(const struct catalog *catalog, const char *id);

/* The text in `language`, else in English, else the first, else "". */
const char *catalog_text_in(const struct catalog_text *texts, size_t count, const char *language);
