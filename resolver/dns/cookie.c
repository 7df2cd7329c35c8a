// SPDX-License-Identifier: Apache-2.0
#include "dns/cookie.h"

#include <endian.h>
#include <string.h>

#include "base/wire.h"

enum { VERSION = 1, HEAD = 16 }; /* octets before the hash: client part, version, time */

static uint64_t hash_of(const struct hash_key *key, const struct addr *client,
                        const uint8_t *cookie)
{
    uint8_t octets[HEAD + 16];
    size_t len = client->family == AF_INET ? 4 : 16;
    memcpy(octets, cookie, HEAD);
    memcpy(octets + HEAD, client->bytes, len);
    return htole64(hash_siphash24(key, octets, HEAD + len));
}

static void draw_keys(struct cookie_jar *jar)
{
    for (int i = 0; i < 2; i++) {
        const uint64_t half[2] = {(uint64_t)(jar->period - i), 0};
        const uint64_t other[2] = {(uint64_t)(jar->period - i), 1};
        jar->keys[i].k0 = hash_siphash24(&jar->secret, half, sizeof(half));
        jar->keys[i].k1 = hash_siphash24(&jar->secret, other, sizeof(other));
    }
}

void cookie_jar_init(struct cookie_jar *jar, const struct hash_key *secret, int64_t now_s)
{
    jar->secret = *secret;
    jar->now_s = now_s;
    jar->period = now_s / COOKIE_KEY_S;
    draw_keys(jar);
}

void cookie_jar_tick(struct cookie_jar *jar, int64_t now_s)
{
    jar->now_s = now_s;
    if (now_s / COOKIE_KEY_S != jar->period) {
        jar->period = now_s / COOKIE_KEY_S;
        draw_keys(jar);
    }
}

bool cookie_is_ours(const struct cookie_jar *jar, const struct addr *client,
                    const struct question *question)
{
    const uint8_t *cookie = question->cookie;
    if (question->cookie_len != QUESTION_COOKIE || cookie[8] != VERSION) {
        return false;
    }
    /* Serial number arithmetic (RFC 1982): the field wraps in 2106. */
    int32_t age = (int32_t)((uint32_t)jar->now_s - load_u32(cookie + 12));
    if (age > COOKIE_OLD_S || age < -COOKIE_AHEAD_S) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        uint64_t hash = hash_of(&jar->keys[i], client, cookie);
        if (memcmp(&hash, cookie + HEAD, sizeof(hash)) == 0) {
            return true;
        }
    }
    return false;
}

void cookie_bake(const struct cookie_jar *jar, const struct addr *client,
                 uint8_t cookie[QUESTION_COOKIE])
{
    store_u32(cookie + 8, (uint32_t)VERSION << 24);
    store_u32(cookie + 12, (uint32_t)jar->now_s);
    uint64_t hash = hash_of(&jar->keys[0], client, cookie);
    memcpy(cookie + HEAD, &hash, sizeof(hash));
}
