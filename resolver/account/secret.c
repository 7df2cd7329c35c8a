// SPDX-License-Identifier: Apache-2.0
#include "account/secret.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/code.h"
#include "base/hash.h"

static const char mark[] = "gg_";
enum { MARK_LEN = 3, DIGITS = SECRET_TOKEN_LEN - MARK_LEN - SECRET_ID_LEN - 1 };

void secret_hash(const void *data, size_t len, struct secret *ret_hash)
{
    crypto_hash_sha256(ret_hash->octets, data, len); /* cannot fail */
}

bool secret_equal(const struct secret *one, const struct secret *other)
{
    static const struct secret none;
    return sodium_memcmp(one, other, sizeof(*one)) == 0 &&
           sodium_memcmp(one, &none, sizeof(none)) != 0;
}

void secret_print(const uint8_t *octets, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++) {
        snprintf(out + 2 * i, 3, "%02x", octets[i]);
    }
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool secret_read(const char *text, uint8_t *out, size_t len)
{
    if (strlen(text) != 2 * len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

void secret_new_token(char out[SECRET_TOKEN_LEN + 1], char id[SECRET_ID_LEN + 1])
{
    uint8_t octets[SECRET_ID_LEN + DIGITS];
    random_bytes(octets, sizeof(octets));
    for (size_t i = 0; i < sizeof(octets); i++) {
        octets[i] = (uint8_t)code_digits[octets[i] & 31];
    }
    snprintf(id, SECRET_ID_LEN + 1, "%.*s", SECRET_ID_LEN, (const char *)octets);
    snprintf(out, SECRET_TOKEN_LEN + 1, "%s%s_%.*s", mark, id, DIGITS,
             (const char *)octets + SECRET_ID_LEN);
}

bool secret_token_id(const char *token, char id[SECRET_ID_LEN + 1])
{
    if (strlen(token) != SECRET_TOKEN_LEN || strncmp(token, mark, MARK_LEN) != 0 ||
        token[MARK_LEN + SECRET_ID_LEN] != '_') {
        return false;
    }
    memcpy(id, token + MARK_LEN, SECRET_ID_LEN);
    id[SECRET_ID_LEN] = '\0';
    return true;
}
