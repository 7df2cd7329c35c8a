// SPDX-License-Identifier: Apache-2.0
/* keyring: from a MAC, a host's name or a client's id to the group that names it first.
 *
 * Immutable once made; a look-up is one hash whatever the number of keys. */
#pragma once
#include "config/member.h"

enum { KEYRING_NONE = 0xffff, KEYRING_KEY_MAX = MEMBER_NAME_MAX };

struct keyring;

/* NULL without memory. */
struct keyring *keyring_new(size_t cap);
void keyring_free(struct keyring *ring); /* accepts NULL */

/* Add a key, at most `cap` times; the least group wins. */
void keyring_add(struct keyring *ring, const struct member *member, uint16_t group);

size_t keyring_count(const struct keyring *ring, enum member_kind kind);

/* KEYRING_NONE when nobody names it. */
uint16_t keyring_find_mac(const struct keyring *ring, const uint8_t mac[MEMBER_MAC_LEN]);
uint16_t keyring_find_name(const struct keyring *ring, enum member_kind kind, const char *name);
