// SPDX-License-Identifier: Apache-2.0
/* build: the two passes from lists to a database, in this process.
 *
 * The first counts and derives the seed from the content, so that the same lists give
 * the same file in any order; the second collects hashed records, sorts and writes
 * them, in memory that does not grow with their number. compile.h runs it in a child. */
#pragma once
#include <stdbool.h>

#include "blocklists/report.h"
#include "config/config.h"

enum { BUILD_ENTRIES_MAX = 20000000, BUILD_YIELD_MIN = 50, BUILD_MEMORY = 8 << 20 };

struct build_source {
    const char *id;
    const char *category;
    const char *url;
    int format;         /* enum list_format */
    int match;          /* enum list_match */
    bool scope_all;     /* its exceptions hold against every source */
    bool local_data;    /* its addresses and names that are given instead are honoured */
    bool folders_named; /* of an archive, by the configuration */
    bool folders_white; /* white lists too */
    const struct text_list *folders; /* NULL: none */
    int64_t fetched_at;              /* seconds since 1970 */
    int fd;                          /* the list: text, gzip or zstd; read by offset */
};

enum build_phase { BUILD_COUNT, BUILD_READ, BUILD_SORT, BUILD_WRITE };

struct build_step {
    enum build_phase phase;
    uint32_t source; /* index, in the first two phases */
    uint64_t bytes;  /* of this source so far */
    uint64_t names;  /* of this source so far, or of all */
};

struct build_job {
    const struct build_source *sources;
    size_t source_count;
    int out_fd; /* an empty file open for both, or -1: count only */
    void (*on_step)(void *arg, const struct build_step *step); /* or NULL */
    void *arg;
    size_t memory;     /* octets for records, 0: BUILD_MEMORY; the rest waits in out_fd */
    uint64_t file_max; /* octets of out_fd, 0 = as always; kept by compile.h */
};

/* reports[source_count], in the order of the sources. A source that cannot be used
 * gets an error there and is left out; the rest is built. -ENOMEM, -E2BIG (with
 * *diag), or an error of writing. */
__attribute__((warn_unused_result)) int build_run(const struct build_job *job,
                                                  struct source_report *reports, struct diag *diag);

const char *build_phase_word(enum build_phase phase);
