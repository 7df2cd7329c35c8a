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
    uint8_t max_labels;                   /* of the longest entry */
    const struct blockdb_source *sources; /* sorted by id; entries filled in before finish */
    uint32_t source_count;
};

/* The hash of a name's wire form under a seed. */
uint64_t blockdb_hash(uint64_t seed, const uint8_t *wire, size_t len);

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
