// SPDX-License-Identifier: Apache-2.0
#define XXH_INLINE_ALL
#include "base/hash.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <xxhash.h>

void random_bytes(void *out, size_t len)
{
    uint8_t *at = out;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno != EINTR) {
            abort();
        }
        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
}

void hash_key_random(struct hash_key *ret_key)
{
    random_bytes(ret_key, sizeof(*ret_key));
}

static inline uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

struct packed {
    const uint8_t *data;
    size_t len;
};

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v2 = rotate(s->v2, 32);
}

static inline uint64_t load_le64(const uint8_t *at, size_t len)
{
    uint64_t value = 0;
    memcpy(&value, at, len);
    return le64toh(value);
}

/* `each` rounds for every word of the input, `last` at the end. */
__attribute__((always_inline)) static inline uint64_t
sip(const struct hash_key *key, const struct packed *input, int each, int last)
{
    struct sip s = {key->k0 ^ 0x736f6d6570736575ULL, key->k1 ^ 0x646f72616e646f6dULL,
                    key->k0 ^ 0x6c7967656e657261ULL, key->k1 ^ 0x7465646279746573ULL};
    const uint8_t *at = input->data;
    size_t left = input->len;
    for (bool more = true; more;) {
        more = left >= 8;
        uint64_t word = more ? load_le64(at, 8) : (uint64_t)input->len << 56 | load_le64(at, left);
        s.v3 ^= word;
        for (int i = 0; i < each; i++) {
            sip_round(&s);
        }
        s.v0 ^= word;
        left -= more ? 8 : 0;
        at += more ? 8 : 0;
    }
    s.v2 ^= 0xff;
    for (int i = 0; i < last; i++) {
        sip_round(&s);
    }
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t hash_keyed(const struct hash_key *key, const void *data, size_t len)
{
    const struct packed input = {data, len};
    return sip(key, &input, 1, 3);
}

uint64_t hash_siphash24(const struct hash_key *key, const void *data, size_t len)
{
    const struct packed input = {data, len};
    return sip(key, &input, 2, 4);
}

uint64_t hash_seeded(uint64_t seed, const void *data, size_t len)
{
    return XXH3_64bits_withSeed(data, len, seed);
}

struct hash128 hash_seeded128(uint64_t seed, const void *data, size_t len)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(data, len, seed);
    return (struct hash128){hash.low64, hash.high64};
}

struct hash_stream {
    XXH3_state_t state;
};

struct hash_stream *hash_stream_new(uint64_t seed)
{
    struct hash_stream *stream = aligned_alloc(_Alignof(struct hash_stream), sizeof(*stream));
    if (stream) {
        memset(stream, 0, sizeof(*stream));
        XXH3_64bits_reset_withSeed(&stream->state, seed);
    }
    return stream;
}

void hash_stream_add(struct hash_stream *stream, const void *data, size_t len)
{
    XXH3_64bits_update(&stream->state, data, len);
}

uint64_t hash_stream_end(struct hash_stream *stream)
{
    uint64_t hash = XXH3_64bits_digest(&stream->state);
    free(stream);
    return hash;
}
