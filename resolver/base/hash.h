// SPDX-License-Identifier: Apache-2.0
/* hash: two keyed hashes and where each is right.
 *
 * hash_keyed (SipHash-1-3) for tables whose keys a stranger chooses: cache and
 * in-flight questions, keyed by getrandom. hash_seeded (XXH3) for the blocklist
 * database, whose content is checked when it is compiled, and for checksums. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct hash_key {
    uint64_t k0, k1;
};

struct hash128 {
    uint64_t low, high;
};

/* A key from getrandom(2); aborts when the kernel gives none. */
void hash_key_random(struct hash_key *ret_key);

/* len bytes from getrandom(2); aborts when the kernel gives none. */
void random_bytes(void *out, size_t len);

/* SipHash-1-3 (Aumasson and Bernstein). */
uint64_t hash_keyed(const struct hash_key *key, const void *data, size_t len);

/* SipHash-2-4, where others must come to the same value (DNS cookies, RFC 9018). */
uint64_t hash_siphash24(const struct hash_key *key, const void *data, size_t len);

/* XXH3-64 with a seed; the same value on every machine. */
uint64_t hash_seeded(uint64_t seed, const void *data, size_t len);

/* XXH3-128 with a seed; `low` equals no promise about hash_seeded. */
struct hash128 hash_seeded128(uint64_t seed, const void *data, size_t len);

/* hash_seeded() of what comes in pieces. NULL without memory; end gives the value and
 * frees. */
struct hash_stream;
struct hash_stream *hash_stream_new(uint64_t seed);
void hash_stream_add(struct hash_stream *stream, const void *data, size_t len);
uint64_t hash_stream_end(struct hash_stream *stream);
