// SPDX-License-Identifier: Apache-2.0
/* listtext: the line of a list that an entry came from.
 *
 * The kept copy is read again with the list's own parser, in a confined child. */
#pragma once
#include "blocklists/build.h"
#include "blocklists/scan.h"

enum { LISTTEXT_MAX = 160, LISTTEXT_WANTS_MAX = 512 };

/* What is looked for, and where it was found. */
struct listtext_want {
    enum scan_kind kind;
    struct dname name;    /* SCAN_NAME */
    struct prefix prefix; /* SCAN_ADDRESS */
    char pattern[SCAN_PATTERN_MAX + 1];
    bool exception;
    unsigned covers; /* BLOCKDB_SELF, BLOCKDB_BELOW: what the line must cover; 0 = either */
    uint64_t line;   /* of the first such line, 0: none */
    char file[QUOTE_FILE_MAX]; /* of an archive that it stands in, else empty */
    char text[LISTTEXT_MAX];   /* that line: printable, shortened */
};

/* Fill in line and text of each want. A source that cannot be read any more finds
 * nothing: a negative errno with *diag. count <= LISTTEXT_WANTS_MAX, else -E2BIG. */
__attribute__((warn_unused_result)) int listtext_find(const struct build_source *source,
                                                      struct listtext_want *wants, size_t count,
                                                      struct diag *diag);

/* Where a sink is: the line, and the file of an archive (or ""). */
uint64_t listtext_place(const struct line_sink *sink, char file[QUOTE_FILE_MAX]);

/* An octet run as one printable line that fits, dots at its end when it was longer. */
void listtext_print(const struct span *line, char out[LISTTEXT_MAX]);

/* Call `on_line` for each entry of a source, in a confined child; what it does there is
 * gone but for what it writes to shared memory or files. Negative ends the reading. */
struct listtext_visit {
    int (*on_entry)(void *arg, const struct scan_entry *entry, const struct line_sink *sink);
    void *arg;
    const struct suffix_set *suffixes; /* or NULL */
};
__attribute__((warn_unused_result)) int listtext_visit(const struct build_source *source,
                                                       const struct listtext_visit *visit,
                                                       struct diag *diag);
