// SPDX-License-Identifier: Apache-2.0
/* blockdb: the compiled blocklists, mapped read-only.
 *
 * Opened once per snapshot, then safe to search from any thread: nothing changes
 * after blockdb_open(), and searching does not allocate. The format is described in
 * docs/blockdb.md. */
#pragma once
#include "base/addr.h"
#include "base/diag.h"
#include "dns/name.h"

struct blockdb;

/* The limits of one match of a pattern. Compiler and resolver hold the same: what needs
 * more is refused with its list's line, not silently left unmatched. */
enum {
    BLOCKDB_PATTERN_STEPS = 2000,
    BLOCKDB_PATTERN_HEAP_KIB = 32, /* frames of backtracking */
};

enum blockdb_flag {
    BLOCKDB_SELF = 1,       /* covers the name itself */
    BLOCKDB_BELOW = 2,      /* covers all names below it */
    BLOCKDB_EXCEPTION = 4,  /* @@: takes back entries of its own source */
    BLOCKDB_IMPORTANT = 8,  /* not taken back by an exception */
    BLOCKDB_SCOPE_ALL = 16, /* an exception against every source */
    BLOCKDB_CLOSEST = 32,   /* an exception only against entries that are not longer than
                             * it: the longest name of an RPZ zone decides */
};

/* What is done about a block. All but the first come from RPZ zones. */
enum blockdb_action {
    BLOCKDB_BLOCK,    /* as category and group say */
    BLOCKDB_NXDOMAIN, /* CNAME . */
    BLOCKDB_NODATA,   /* CNAME *. */
    BLOCKDB_DROP,     /* no answer at all */
    BLOCKDB_TCP_ONLY, /* over UDP an empty answer with TC; over TCP no block */
    BLOCKDB_LOCAL,    /* the records of blockdb_data() */
    BLOCKDB_ACTIONS,
};

/* One entry of a class: what one list said about a name. */
struct blockdb_item {
    uint16_t source; /* index for blockdb_source() */
    uint8_t flags;   /* enum blockdb_flag */
    uint8_t action;  /* enum blockdb_action */
    uint32_t data;   /* of BLOCKDB_LOCAL: for blockdb_data(); else 0 */
};

/* Local data: records one after the other, each type (2 octets), TTL (4), RDLENGTH (2),
 * RDATA, numbers in network order, names uncompressed. A CNAME whose first label is "*"
 * stands for the name asked below the rest (RPZ draft, section 3.6). */
struct blockdb_data {
    const uint8_t *records;
    size_t len;
};

/* A regular expression over a name's text: lower case, no trailing dot. */
struct blockdb_pattern {
    const char *text; /* without slashes, NUL-terminated */
    uint16_t source;
    uint8_t flags;  /* enum blockdb_flag; self alone */
    uint8_t action; /* enum blockdb_action but for BLOCKDB_LOCAL */
};

struct blockdb_source {
    const char *id;       /* all texts live as long as the database */
    const char *category; /* category id */
    const char *url;
    const char *version; /* of the list: its own header, else the fetch date; never NULL */
    int64_t fetched_at;  /* seconds since 1970 */
    uint64_t entries;    /* names, addresses and patterns of this source that took effect */
    uint8_t format;      /* enum list_format as which it was read; 0 = not known */
    uint8_t match;       /* enum list_match */
};

struct blockdb_info {
    uint64_t names;
    uint64_t addresses;  /* addresses and prefixes */
    uint64_t bytes;      /* of the file */
    uint32_t classes;    /* class ids are 1..classes */
    uint32_t sources;    /* source indexes are 0..sources-1 */
    uint32_t patterns;   /* pattern indexes are 0..patterns-1 */
    uint32_t version;    /* of the format */
    uint64_t generation; /* first 64 bits of the content checksum, never 0 */
    int64_t built_at; /* newest fetched_at of its sources, so that equal input gives equal bytes */
};

/* A name's suffix that is listed. */
struct blockdb_hit {
    uint16_t class_id;
    uint8_t skip; /* labels taken off the name: 0 = the name itself */
};

/* A prefix that covers an address and is listed. */
struct blockdb_address_hit {
    uint16_t class_id;
    uint8_t bits;
};

enum { BLOCKDB_ADDRESS_HITS_MAX = 129 };

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

/* The listed prefixes that cover an address, longest first; returns how many. An item
 * covers the addresses of its prefix by BLOCKDB_SELF. */
size_t blockdb_find_address(const struct blockdb *db, const struct addr *addr,
                            struct blockdb_address_hit hits[BLOCKDB_ADDRESS_HITS_MAX]);

/* The data of an item, of length 0 for an index that is none. */
struct blockdb_data blockdb_data(const struct blockdb *db, uint32_t index);

/* NULL for an index that is none. */
const struct blockdb_pattern *blockdb_pattern(const struct blockdb *db, uint32_t index);
