// SPDX-License-Identifier: Apache-2.0
#include "query/bucket.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { ROWS = 4096, WAYS = 4, TIME_BITS = 44, TRIES = 4, SECOND_US = 1000000 };

#define TIME_MASK ((UINT64_C(1) << TIME_BITS) - 1)

/* A word: 20 bits of the client's hash, and the time at which its bucket is full again
 * in microseconds modulo 2^44 (the virtual schedule of ITU-T I.371's GCRA). */
typedef _Atomic uint64_t bucket_word;

struct bucket_table {
    struct hash_key key;
    bucket_word words[ROWS][WAYS];
};

struct bucket_table *bucket_table_new(void)
{
    struct bucket_table *table = calloc(1, sizeof(*table)); /* untouched rows cost nothing */
    if (table) {
        hash_key_random(&table->key);
    }
    return table;
}

void bucket_table_free(struct bucket_table *table)
{
    free(table);
}

/* Of the first `len` octets of the address. */
static uint64_t hash_of(const struct bucket_table *table, const struct bucket_claim *claim,
                        size_t len)
{
    uint8_t octets[2 + sizeof(claim->client->bytes)] = {claim->client->family, claim->kind};
    memcpy(octets + 2, claim->client->bytes, len);
    return hash_keyed(&table->key, octets, 2 + len);
}

/* How long until the bucket is full again. What lies further ahead than any debt may is
 * a time long past, seen through the modulus. */
static uint64_t debt_us(uint64_t word, uint64_t now_us)
{
    uint64_t ahead = (word - now_us) & TIME_MASK;
    return ahead <= SECOND_US ? ahead : 0;
}

/* The client's word in its row, else the one that has been quiet longest. */
static bucket_word *find(bucket_word row[WAYS], uint64_t tag, uint64_t now_us)
{
    bucket_word *quiet = &row[0];
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < WAYS; i++) {
        uint64_t word = atomic_load_explicit(&row[i], memory_order_relaxed);
        if (word >> TIME_BITS == tag) {
            return &row[i];
        }
        uint64_t debt = word == 0 ? 0 : 1 + debt_us(word, now_us);
        if (debt < least) {
            least = debt;
            quiet = &row[i];
        }
    }
    return quiet;
}

static bool take(struct bucket_table *table, uint64_t hash, uint64_t per_s, uint64_t now_us)
{
    uint64_t tag = hash >> TIME_BITS;
    uint64_t each = SECOND_US / per_s;
    bucket_word *at = find(table->words[hash % ROWS], tag, now_us);
    for (unsigned i = 0; i < TRIES; i++) {
        uint64_t word = atomic_load_explicit(at, memory_order_relaxed);
        uint64_t debt = word >> TIME_BITS == tag ? debt_us(word, now_us) : 0;
        if (debt + each > SECOND_US) {
            return false;
        }
        uint64_t next = tag << TIME_BITS | ((now_us + debt + each) & TIME_MASK);
        if (atomic_compare_exchange_weak_explicit(at, &word, next, memory_order_relaxed,
                                                  memory_order_relaxed)) {
            return true;
        }
    }
    return true; /* others count at the same moment: one too many is no harm */
}

bool bucket_take(struct bucket_table *table, const struct bucket_claim *claim, uint64_t now_us)
{
    bool networked = claim->client->family == AF_INET6;
    uint64_t per_s = claim->per_s;
    if (!networked || !claim->together) {
        uint64_t hash = hash_of(table, claim, addr_octets(claim->client));
        if (!take(table, hash, per_s, now_us)) {
            return false;
        }
        per_s *= BUCKET_NETWORK;
    }
    return !networked || take(table, hash_of(table, claim, ADDR_NETWORK), per_s, now_us);
}
