// SPDX-License-Identifier: Apache-2.0
/* blockdb: the compiled blocklists, mapped read-only.
 *
 * Opened once per snapshot, then safe to search from any thread: nothing changes
 * after blockdb_open(), and searching does not allocate. The format is described in
 * docs/blockdb.md. */
#pragma once
#include "base/diag.h"
#include "dns/name.h"

struct blockdb;

enum blockdb_flag {
    BLOCKDB_SELF = 1,       /* covers the name itself */
    BLOCKDB_BELOW = 2,      /* covers all names below it */
    BLOCKDB_EXCEPTION = 4,  /* @@: takes back entries of its own source */
    BLOCKDB_IMPORTANT = 8,  /* not taken back by an exception */
    BLOCKDB_SCOPE_ALL = 16, /* an exception against every source */
};

/* One entry of a class: what one list said about a name. */
struct blockdb_item {
    uint16_t source; /* index for blockdb_source() */
    uint8_t flags;   /* enum blockdb_flag */
    uint8_t action;  /* 0: block */
};

struct blockdb_source {
    const char *id;       /* all texts live as long as the database */
    const char *category; /* category id */
    const char *url;
    const char *version; /* of the list: its own header, else the fetch date; never NULL */
    int64_t fetched_at;  /* seconds since 1970 */
    uint64_t entries;    /* names of this source that took effect */
};

struct blockdb_info {
    uint64_t names;
    uint64_t bytes;      /* of the file */
    uint32_t classes;    /* class ids are 1..classes */
    uint32_t sources;    /* source indexes are 0..sources-1 */
    uint64_t generation; /* first 64 bits of the content checksum, never 0 */
    int64_t built_at; /* newest fetched_at of its sources, so that equal input gives equal bytes */
};

/* A name's suffix that is listed. */
struct blockdb_hit {
    uint16_t class_id;
    uint8_t skip; /* labels taken off the name: 0 = the name itself */
};

/* Where the suffixes of one name would stand; filled by blockdb_probe(). */
struct blockdb_probe {
    uint8_t count;
    uint8_t first; /* suffixes with fewer labels off are longer than any entry */
    uint64_t hash[DNAME_LABELS_MAX];
};

/* Map and verify the file (magic, version, bounds, checksum). -EBADMSG if damaged,
 * -EPROTO if of another version, -ENOENT; never a partial database. */
__attribute__((warn_unused_result)) int blockdb_open(const char *path, struct blockdb **ret_db,
                                                     struct diag *diag);
void blockdb_close(struct blockdb *db);

const struct blockdb_info *blockdb_info(const struct blockdb *db);
const struct blockdb_source *blockdb_source(const struct blockdb *db, unsigned index);

/* The items of a class; *ret_count >= 1 for ids 1..classes. */
const struct blockdb_item *blockdb_class(const struct blockdb *db, uint16_t class_id,
                                         size_t *ret_count);

/* Hash every suffix of the name and prefetch its line; then blockdb_find() returns
 * the number of hits, longest suffix first, at most DNAME_LABELS_MAX. Self and below
 * are not told apart here: the class's items say what they cover. */
void blockdb_probe(const struct blockdb *db, const struct dname *name, struct blockdb_probe *probe);
size_t blockdb_find(const struct blockdb *db, const struct blockdb_probe *probe,
                    struct blockdb_hit hits[DNAME_LABELS_MAX]);
