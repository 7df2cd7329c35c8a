// SPDX-License-Identifier: Apache-2.0
/* listcatalog: well-known public lists and presets of them, which are data.
 *
 * Read from data_dir/lists.yaml and data_dir/presets.yaml by the CLI, which copies an
 * entry into the configuration; nothing else looks at it. */
#pragma once
#include "config/catalog.h"

enum { LISTCATALOG_LISTS_MAX = 400, LISTCATALOG_PRESETS_MAX = 50 };

struct listcatalog_list {
    char *id, *title, *url, *category, *publisher, *licence, *homepage;
    char *format, *match;     /* words of settings.def; a word of a later version too */
    char *rules;              /* what the publisher asks for; NULL: nothing */
    char *window;             /* "19:00-08:00 UTC": when to fetch; NULL: any time */
    char *date;               /* "2026-11": when this was looked up */
    int64_t every_h;          /* 0: as lists.update_every_h says */
    int64_t names, kilobytes; /* rough; 0: not known */
};

/* A category that no list is about. */
struct listcatalog_gap {
    char *category, *why;
};

struct listcatalog_preset {
    char *id;
    struct catalog_text *texts; /* one sentence: what it means */
    size_t text_count;
    struct text_list lists, block; /* ids of lists, categories */
    int64_t memory_mb;             /* of the daemon, for these lists */
};

struct listcatalog {
    struct listcatalog_list *lists;
    struct listcatalog_gap *gaps;
    struct listcatalog_preset *presets;
    size_t list_count, gap_count, preset_count;
};

/* -ENOENT, -EINVAL with *diag; *ret_catalog is untouched on failure. */
__attribute__((warn_unused_result)) int
listcatalog_load(const char *data_dir, struct listcatalog **ret_catalog, struct diag *diag);
void listcatalog_free(struct listcatalog *catalog);

/* NULL when unknown. */
const struct listcatalog_list *listcatalog_find(const struct listcatalog *catalog, const char *id);
const struct listcatalog_preset *listcatalog_find_preset(const struct listcatalog *catalog,
                                                         const char *id);
