// SPDX-License-Identifier: Apache-2.0
/* known: names that data files know: services, search engines, ways around a filter.
 *
 * services.yaml: what groups switch off by one word; safesearch.yaml: engines with the
 * name that enforces their safe mode, and engines without one; bypass.yaml: resolvers,
 * tunnels and proxies, which the category `bypass` blocks without any list. */
#pragma once
#include "config/catalog.h"

enum known_kind { KNOWN_SERVICE, KNOWN_ENGINE, KNOWN_WAY, KNOWN_KINDS };

struct known_item {
    uint8_t kind; /* enum known_kind */
    char *id;
    struct catalog_text *labels; /* plain words, of services */
    size_t label_count;
    struct text_list domains; /* with all below them */
    struct text_list hosts;   /* these names alone, */
    bool www;                 /* and with www. before them */
    char *target;             /* of an engine: asked for instead; NULL: it has no safe mode */
    char *moderate;           /* the same at the moderate level, NULL: there is one level */
    char *source, *date;      /* where it was read, and when */
};

enum { KNOWN_SERVICES_MAX = 128 };

struct known {
    struct known_item *items; /* services first, in the order of their file */
    size_t count;
    size_t first[KNOWN_KINDS + 1]; /* items of kind k: first[k] up to first[k + 1] */
    bool missing[KNOWN_KINDS];     /* its file could not be read; diag is of the first such */
    int shortage;                  /* 0, or why one could not be read that may be whole */
    struct diag diag;
};

/* Whatever can be read of the three files: without one of them the rest still protects.
 * -ENOMEM. */
__attribute__((warn_unused_result)) int known_load(const char *data_dir, struct known **ret_known);
void known_free(struct known *known); /* accepts NULL */

/* "services.yaml" */
const char *known_file(enum known_kind kind);

/* The index of an item by id, or -1. */
int known_find(const struct known *known, enum known_kind kind, const char *id);
