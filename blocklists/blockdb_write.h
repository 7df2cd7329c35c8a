// SPDX-License-Identifier: Apache-2.0
/* blockdb_write: writes the file that blockdb.h reads.
 *
 * Entries come sorted by hash, each hash once, so that the lines leave in order and
 * the memory used does not grow with the number of names. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "blocklists/blockdb.h"

struct blockdb_writer;

struct blockdb_plan {
    uint64_t seed;
    uint64_t names;                       /* exact number of entries that will follow */
    const struct blockdb_source *sources; /* sorted by id */
    uint32_t source_count;
    /* the rest may be filled in until finish, as the entries of the sources */
    uint64_t addresses;              /* of the entries */
    uint64_t labels[2];              /* bit n: some name has n labels; bit 0 of [1] is n = 64 */
    uint64_t prefixes[3];            /* bit n: some IPv6 prefix has n bits; [2] has n = 128 */
    uint64_t prefixes_4;             /* the same of IPv4 */
    const struct blockdb_data *data; /* blockdb_item's data i is [i - 1] */
    uint32_t data_count;
    const struct blockdb_pattern *patterns;
    uint32_t pattern_count;
};

/* The hash of a name under a seed, and that of a prefix. */
uint64_t blockdb_hash(uint64_t seed, const struct dname *name);
uint64_t blockdb_hash_address(uint64_t seed, const struct prefix *prefix);

/* Start writing at the beginning of fd, a file open for reading and writing; what it
 * holds behind blockdb_lines_end() stays until finish, which cuts the file.
 * The plan and its sources stay the caller's and must outlive the writer. -ENOMEM,
 * -E2BIG: too many names. */
__attribute__((warn_unused_result)) int blockdb_write_begin(int fd, const struct blockdb_plan *plan,
                                                            struct blockdb_writer **ret_writer);

struct blockdb_entry {
    uint64_t hash;
    const struct blockdb_item *items; /* in canonical order */
    size_t count;
};

/* -EEXIST: its fingerprint stands already in the run of lines (start again with
 * another seed); -E2BIG: more than 65,534 classes; or an error of write(2). */
__attribute__((warn_unused_result)) int blockdb_write_entry(struct blockdb_writer *writer,
                                                            const struct blockdb_entry *entry);

/* Tables, header and checksum. The file is complete but not synced. */
__attribute__((warn_unused_result)) int blockdb_write_finish(struct blockdb_writer *writer);

/* Accepts NULL; does not close fd. */
void blockdb_write_free(struct blockdb_writer *writer);
