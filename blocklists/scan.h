// SPDX-License-Identifier: Apache-2.0
/* scan: the octets of a list, in pieces of any size, as entries.
 *
 * Cuts lines (LF, CRLF, CR; a byte order mark, a missing last end), hands each to the
 * format, turns tokens into names, narrows what is too wide, and counts all of it. */
#pragma once
#include "blocklists/bind.h"
#include "blocklists/blockdb.h"
#include "blocklists/format.h"
#include "blocklists/suffix.h"
#include "blocklists/zone.h"

enum { SCAN_LINE_MAX = 4096, SCAN_PATTERN_MAX = 1024, SCAN_PATTERNS_MAX = 4096 };

enum scan_kind { SCAN_NAME, SCAN_ADDRESS, SCAN_PATTERN };

struct scan_entry {
    enum scan_kind kind;
    struct dname name;    /* SCAN_NAME */
    struct prefix prefix; /* SCAN_ADDRESS */
    struct span pattern;  /* SCAN_PATTERN */
    uint8_t flags;        /* enum blockdb_flag, ENTRY_CANCELS */
    uint8_t action;       /* enum blockdb_action */
    struct span data;     /* of BLOCKDB_LOCAL: one record */
};

struct line_sink {
    const struct format *format;
    enum list_match match;
    const struct suffix_set *suffixes; /* NULL: names are not narrowed (counting only) */
    bool local_data; /* BLOCKDB_LOCAL is honoured; else a zone's is a plain block */
    struct source_report *report;
    void (*on_entry)(void *arg, const struct scan_entry *entry);
    void *arg;
    /* the rest belongs to scan.c; zero it */
    const char *member;    /* of an archive, for quotes; NULL */
    int member_role;       /* enum ut1_role */
    uint64_t lines_before; /* of it */
    struct span line;
    unsigned patterns; /* that were tried */
    size_t carried;
    bool begun, dropping, after_cr;
    struct bind_state bind;
    struct zone_state zone;
    char carry[SCAN_LINE_MAX];
};

void scan_feed(struct line_sink *sink, const uint8_t *data, size_t len);

/* The last line may have no end. */
void scan_end(struct line_sink *sink);
