// SPDX-License-Identifier: Apache-2.0
#include "policy/keyring.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* The kind, and the MAC or the name with zeros behind it. */
struct key {
    uint8_t octets[1 + KEYRING_KEY_MAX];
};

struct entry {
    struct key key;
    uint16_t group;
    bool used;
};

struct keyring {
    size_t mask; /* places less one */
    size_t counts[MEMBER_ID + 1];
    struct entry entries[];
};

struct keyring *keyring_new(size_t cap)
{
    size_t places = 8;
    while (places < cap * 2) {
        places *= 2;
    }
    struct keyring *ring = calloc(1, sizeof(*ring) + places * sizeof(ring->entries[0]));
    if (ring) {
        ring->mask = places - 1;
    }
    return ring;
}

void keyring_free(struct keyring *ring)
{
    free(ring);
}

static struct key make_key(enum member_kind kind, const void *data, size_t len)
{
    struct key key = {{(uint8_t)kind}};
    memcpy(key.octets + 1, data, len < KEYRING_KEY_MAX ? len : KEYRING_KEY_MAX);
    return key;
}

/* Where the key is, or the free place where it belongs. */
static const struct entry *seek(const struct keyring *ring, const struct key *key)
{
    size_t at = hash_seeded(0, key, sizeof(*key)) & ring->mask;
    while (ring->entries[at].used && memcmp(&ring->entries[at].key, key, sizeof(*key)) != 0) {
        at = (at + 1) & ring->mask;
    }
    return &ring->entries[at];
}

void keyring_add(struct keyring *ring, const struct member *member, uint16_t group)
{
    bool mac = member->kind == MEMBER_MAC;
    const struct key key = make_key(member->kind, mac ? (const void *)member->mac : member->name,
                                    mac ? sizeof(member->mac) : strlen(member->name));
    struct entry *entry = (struct entry *)seek(ring, &key);
    ring->counts[member->kind] += !entry->used;
    if (!entry->used || group < entry->group) {
        *entry = (struct entry){key, group, true};
    }
}

size_t keyring_count(const struct keyring *ring, enum member_kind kind)
{
    return ring->counts[kind];
}

static uint16_t find(const struct keyring *ring, const struct key *key)
{
    const struct entry *entry = seek(ring, key);
    return entry->used ? entry->group : KEYRING_NONE;
}

uint16_t keyring_find_mac(const struct keyring *ring, const uint8_t mac[MEMBER_MAC_LEN])
{
    const struct key key = make_key(MEMBER_MAC, mac, MEMBER_MAC_LEN);
    return find(ring, &key);
}

uint16_t keyring_find_name(const struct keyring *ring, enum member_kind kind, const char *name)
{
    const struct key key = make_key(kind, name, strlen(name));
    return find(ring, &key);
}
