// SPDX-License-Identifier: Apache-2.0
/* blockdb_key: how names and addresses are hashed, and to which line a hash belongs, for
 * the database's reader and its compiler. Include it in .c files only. */
#pragma once
#include <string.h>

#include "base/addr.h"
#include "base/hash_inline.h"
#include "blocklists/blockdb_layout.h"

/* One step of a name's hash: XXH3-64 over a label with its length, seeded by the hash
 * of the suffix behind it; the root's hash is the file's seed. So the hashes of all
 * suffixes come from one walk over the name. */
__attribute__((always_inline)) static inline uint64_t blockdb_hash_label(uint64_t parent,
                                                                         const uint8_t *label)
{
    return hash_seeded_inline(parent, label, (size_t)*label + 1);
}

enum { BLOCKDB_ADDRESS_KEY_MAX = 19 };

/* The key of a prefix; begins with an octet that no label begins with. */
static inline size_t blockdb_address_key(const struct addr *addr, unsigned bits,
                                         uint8_t key[BLOCKDB_ADDRESS_KEY_MAX])
{
    unsigned whole = bits / 8;
    key[0] = 0xff;
    key[1] = addr->family == AF_INET ? 4 : 6;
    key[2] = (uint8_t)bits;
    memcpy(key + 3, addr->bytes, sizeof(addr->bytes));
    if (bits % 8) {
        key[3 + whole] &= (uint8_t)(0xff << (8 - bits % 8));
        whole++;
    }
    return 3 + whole;
}

/* The line where an entry belongs: monotone in the hash, so that entries sorted by
 * hash fill the lines in order. */
static inline uint32_t blockdb_home(uint64_t hash, uint32_t homes)
{
    return (uint32_t)((hash >> 32) * homes >> 32);
}

/* Homes for so many names: 7.2 entries for each line of 9, load 0.80. */
static inline uint64_t blockdb_homes(uint64_t names)
{
    uint64_t homes = (names * 10 + 71) / 72;
    return homes ? homes : 1;
}

/* Where the lines of so many names, or of fewer, end at the latest; whole pages. */
static inline uint64_t blockdb_lines_end(uint64_t names)
{
    uint64_t lines = blockdb_homes(names) + BLOCKDB_RUN_MAX;
    return (BLOCKDB_HEADER + lines * BLOCKDB_LINE + 4095) / 4096 * 4096;
}
