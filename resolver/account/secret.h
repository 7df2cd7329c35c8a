// SPDX-License-Identifier: Apache-2.0
/* secret: what proves who somebody is, and what is kept of it.
 *
 * A password becomes a key (account/password.h), slowly, outside the daemon. The daemon keeps
 * SHA-256 of the key, as SCRAM does with its StoredKey (RFC 5802 section 3): who reads the file
 * cannot sign in, and who signs in need not be believed. Tokens are random, so one hash does. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SECRET_OCTETS = 32,
    SECRET_DIGITS = 2 * SECRET_OCTETS, /* as hexadecimal text */
    SECRET_TOKEN_LEN = 52,             /* "gg_ID_..." */
    SECRET_ID_LEN = 8,
};

struct secret {
    uint8_t octets[SECRET_OCTETS];
};

/* SHA-256. */
void secret_hash(const void *data, size_t len, struct secret *ret_hash);

/* In constant time. */
bool secret_equal(const struct secret *one, const struct secret *other);

/* len octets as small hexadecimal digits, and back: false when the text is not that. */
void secret_print(const uint8_t *octets, size_t len, char *out);
bool secret_read(const char *text, uint8_t *out, size_t len);

/* A new token for programs, 200 random bits, and the id that stands in it. */
void secret_new_token(char out[SECRET_TOKEN_LEN + 1], char id[SECRET_ID_LEN + 1]);

/* The id in such a token; false: it is none. */
bool secret_token_id(const char *token, char id[SECRET_ID_LEN + 1]);
