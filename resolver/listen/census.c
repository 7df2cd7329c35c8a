// SPDX-License-Identifier: Apache-2.0
#include "listen/census.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { COUNTERS = 4096 };

struct census {
    struct hash_key key;
    _Atomic uint32_t counters[2][COUNTERS];
};

struct census *census_new(void)
{
    struct census *census = calloc(1, sizeof(*census));
    if (census) {
        hash_key_random(&census->key);
    }
    return census;
}

void census_free(struct census *census)
{
    free(census);
}

static void find(struct census *census, const struct addr *client, _Atomic uint32_t *ret_at[2])
{
    uint8_t octets[9] = {client->family};
    memcpy(octets + 1, client->bytes, 8);
    uint64_t hash = hash_keyed(&census->key, octets, sizeof(octets));
    ret_at[0] = &census->counters[0][hash % COUNTERS];
    ret_at[1] = &census->counters[1][(hash >> 32) % COUNTERS];
}

unsigned census_join(struct census *census, const struct addr *client)
{
    _Atomic uint32_t *at[2];
    find(census, client, at);
    unsigned first = atomic_fetch_add_explicit(at[0], 1, memory_order_relaxed) + 1;
    unsigned second = atomic_fetch_add_explicit(at[1], 1, memory_order_relaxed) + 1;
    return first < second ? first : second;
}

void census_leave(struct census *census, const struct addr *client)
{
    _Atomic uint32_t *at[2];
    find(census, client, at);
    atomic_fetch_sub_explicit(at[0], 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(at[1], 1, memory_order_relaxed);
}
