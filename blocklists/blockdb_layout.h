// SPDX-License-Identifier: Apache-2.0
/* blockdb_layout: where the fields of the file stand, for its reader and its writer.
 *
 * All numbers are little-endian. docs/blockdb.md says what they mean; the first 24
 * octets are the same in every version. */
#pragma once
#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "base/hash.h"

enum {
    BLOCKDB_VERSION = 2,
    BLOCKDB_HEADER = 256, /* octets; the lines begin here */
    BLOCKDB_HEADER_1 = 128,
    BLOCKDB_LINE = 64,    /* octets of a line */
    BLOCKDB_SLOTS = 9,    /* entries of a line */
    BLOCKDB_RUN_MAX = 64, /* lines that an entry may lie behind its home */
    BLOCKDB_SOURCE = 40,  /* octets of a source record */
    BLOCKDB_SOURCE_1 = 32,
    BLOCKDB_ITEM = 8, /* octets of a class item */
    BLOCKDB_ITEM_1 = 4,
    BLOCKDB_DATUM = 8,    /* octets of an entry of the data table */
    BLOCKDB_PATTERN = 16, /* octets of a pattern record */
    BLOCKDB_PATTERNS_MAX = 500,
    BLOCKDB_CLASS_MAX = 65534,
    BLOCKDB_LINES_MAX = 1 << 24,
};

/* Offsets in the header. */
enum {
    BLOCKDB_AT_MAGIC = 0,
    BLOCKDB_AT_VERSION = 4,
    BLOCKDB_AT_BYTES = 8,
    BLOCKDB_AT_CHECKSUM = 16,
    BLOCKDB_AT_CONTENT = 24, /* the checksum covers from here */
    BLOCKDB_AT_SEED = 24,
    BLOCKDB_AT_NAMES = 32,
    BLOCKDB_AT_BUILT = 40,
    BLOCKDB_AT_HOMES = 48,
    BLOCKDB_AT_LINES = 52,
    BLOCKDB_AT_CLASSES = 56,
    BLOCKDB_AT_ITEMS = 60,
    BLOCKDB_AT_SOURCES = 64,
    BLOCKDB_AT_LABELS_1 = 68, /* version 1: labels of the longest entry */
    BLOCKDB_AT_CLASS_TABLE = 72,
    BLOCKDB_AT_ITEM_TABLE = 80,
    BLOCKDB_AT_SOURCE_TABLE = 88,
    BLOCKDB_AT_STRINGS = 96,
    BLOCKDB_AT_STRING_BYTES = 104,
    BLOCKDB_AT_SPARE_1 = 112, /* version 1 ends here */
    BLOCKDB_AT_DATA_TABLE = 112,
    BLOCKDB_AT_DATA_BYTES = 120,
    BLOCKDB_AT_ADDRESSES = 128,
    BLOCKDB_AT_PATTERN_TABLE = 136,
    BLOCKDB_AT_PATTERNS = 144,
    BLOCKDB_AT_DATA = 148,
    BLOCKDB_AT_LABELS = 152,     /* 16 octets, bit n: some entry has n labels */
    BLOCKDB_AT_PREFIXES = 168,   /* 24 octets, bit n: some entry is an IPv6 prefix of n bits */
    BLOCKDB_AT_PREFIXES_4 = 192, /* 8 octets, the same for IPv4 */
    BLOCKDB_AT_SPARE = 200,
};

/* Offsets in a line: the low 32 bits of each fingerprint stand together so that one
 * vector compare covers four of them. */
enum {
    BLOCKDB_LINE_LOW = 0,
    BLOCKDB_LINE_CLASS = 36,
    BLOCKDB_LINE_HIGH = 54,
    BLOCKDB_LINE_FILTER = 63,
};

/* Offsets in a source record. */
enum {
    BLOCKDB_SOURCE_ID = 0,
    BLOCKDB_SOURCE_CATEGORY = 4,
    BLOCKDB_SOURCE_URL = 8,
    BLOCKDB_SOURCE_VERSION = 12,
    BLOCKDB_SOURCE_FETCHED = 16,
    BLOCKDB_SOURCE_ENTRIES = 24,
    BLOCKDB_SOURCE_FORMAT = 32,
    BLOCKDB_SOURCE_MATCH = 33,
};

/* Offsets in a pattern record. */
enum {
    BLOCKDB_PATTERN_TEXT = 0,
    BLOCKDB_PATTERN_SOURCE = 4,
    BLOCKDB_PATTERN_FLAGS = 6,
    BLOCKDB_PATTERN_ACTION = 7,
};

static inline uint16_t le16_load(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof(value));
    return le16toh(value);
}

static inline uint32_t le32_load(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return le32toh(value);
}

static inline uint64_t le64_load(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return le64toh(value);
}

static inline void le16_store(uint8_t *at, uint16_t value)
{
    value = htole16(value);
    memcpy(at, &value, sizeof(value));
}

static inline void le32_store(uint8_t *at, uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, sizeof(value));
}

static inline void le64_store(uint8_t *at, uint64_t value)
{
    value = htole64(value);
    memcpy(at, &value, sizeof(value));
}

/* Of a whole file; its own field is left out. */
static inline uint64_t blockdb_checksum(const uint8_t *file, size_t size)
{
    uint64_t seed = hash_seeded(0, file, BLOCKDB_AT_CHECKSUM);
    return hash_seeded(seed, file + BLOCKDB_AT_CONTENT, size - BLOCKDB_AT_CONTENT);
}
