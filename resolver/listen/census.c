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

/* The two counters of the first `len` octets of the address. */
static void find(struct census *census, const struct addr *client, size_t len,
                 _Atomic uint32_t *ret_at[2])
{
    uint8_t octets[1 + sizeof(client->bytes)] = {client->family};
    memcpy(octets + 1, client->bytes, len);
    uint64_t hash = hash_keyed(&census->key, octets, 1 + len);
    ret_at[0] = &census->counters[0][hash % COUNTERS];
    ret_at[1] = &census->counters[1][(hash >> 32) % COUNTERS];
}

static unsigned join(struct census *census, const struct addr *client, size_t len)
{
    _Atomic uint32_t *at[2];
    find(census, client, len, at);
    unsigned first = atomic_fetch_add_explicit(at[0], 1, memory_order_relaxed) + 1;
    unsigned second = atomic_fetch_add_explicit(at[1], 1, memory_order_relaxed) + 1;
    return first < second ? first : second;
}

static void leave(struct census *census, const struct addr *client, size_t len)
{
    _Atomic uint32_t *at[2];
    find(census, client, len, at);
    atomic_fetch_sub_explicit(at[0], 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(at[1], 1, memory_order_relaxed);
}

unsigned census_join(struct census *census, const struct addr *client)
{
    unsigned own = join(census, client, addr_octets(client));
    if (client->family != AF_INET6) {
        return own;
    }
    unsigned part = (join(census, client, ADDR_NETWORK) + CENSUS_NETWORK - 1) / CENSUS_NETWORK;
    return part > own ? part : own;
}

void census_leave(struct census *census, const struct addr *client)
{
    leave(census, client, addr_octets(client));
    if (client->family == AF_INET6) {
        leave(census, client, ADDR_NETWORK);
    }
}
