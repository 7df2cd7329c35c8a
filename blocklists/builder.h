// SPDX-License-Identifier: Apache-2.0
/* builder: what a build holds, and how an entry of a list gets into it. Inside of
 * build.c and builder.c only. */
#pragma once
#include "blocklists/blockdb_write.h"
#include "blocklists/build.h"
#include "blocklists/fold.h"
#include "blocklists/recordset.h"
#include "blocklists/scan.h"
#include "blocklists/sidetable.h"

enum { VERSION_MAX = 96 };

struct builder {
    const struct build_job *job;
    struct source_report *reports;
    uint32_t *order; /* usable sources sorted by id; an index here is a source index there */
    size_t order_count;
    struct suffix_set *suffixes;
    uint64_t sum, squares; /* of the content, the same in any order */
    uint64_t total;        /* entries and cancels of usable sources, by the first pass */
    uint64_t cancels;      /* of these */
    uint64_t seed;
    struct recordset *records;
    struct sidetable *beside;
    struct fold_set *parents; /* subtrees of all sources */
    int fault;                /* of keeping a record */
    struct blockdb_plan plan;
    struct blockdb_source *table;
    uint64_t *cancelled; /* by source of the table */
    char (*versions)[VERSION_MAX];
    struct blockdb_item *items; /* [GROUP_MAX], scratch */
};

/* One source while it is read. */
struct reading {
    struct builder *builder;
    uint32_t source; /* index in the job */
    uint16_t index;  /* in the file */
    uint64_t key;    /* of the source's id */
    unsigned scope;  /* of its exceptions */
    bool folds;      /* its names below its names are left out */
    uint64_t sum, squares;
    enum build_phase phase;
    uint64_t told; /* octets at the last step */
};

/* For struct line_sink: an entry of the first pass, and of the second. `arg` is a struct
 * reading; faults go to builder->fault. */
void builder_count(void *arg, const struct scan_entry *entry);
void builder_keep(void *arg, const struct scan_entry *entry);
