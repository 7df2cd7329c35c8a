// SPDX-License-Identifier: Apache-2.0
/* rrsets: which records of an answer belong together.
 *
 * All records of one owner and type have one TTL (RFC 2181 section 5.2), whatever an
 * upstream sends. */
#pragma once
#include <stdint.h>

enum {
    RRSETS_MAX = 40, /* two for each name of a chain, and a few; others stay as they came */
    RRSETS_RECORDS_MAX = 4096,
};

/* What makes records a set. A signature belongs to the set that it covers, whose TTL
 * it shares (RFC 4034 section 3). */
struct rrset {
    int owner; /* any number that stands for the name; below 0: of no set */
    uint16_t type;
    uint32_t ttl; /* the lowest, in seconds */
};

struct rrsets {
    struct rrset set[RRSETS_MAX];
    unsigned count, records;
    uint8_t of[RRSETS_RECORDS_MAX]; /* the set of each record */
};

/* Take the next record; at most RRSETS_RECORDS_MAX. */
void rrsets_add(struct rrsets *sets, const struct rrset *rrset);

/* Give each record, whose TTLs stand at ttl_at[], the lowest of its set. */
void rrsets_level(const struct rrsets *sets, uint8_t *wire, const uint16_t *ttl_at);
