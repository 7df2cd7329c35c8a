// SPDX-License-Identifier: Apache-2.0
/* recipe: how the key of an account is made from its password (argon2id, RFC 9106). */
#pragma once
#include <stdint.h>

enum {
    RECIPE_SALT = 16, /* octets */
    RECIPE_PASSES_MAX = 16,
    RECIPE_KIB_LEAST = 8,
    RECIPE_KIB_MAX = 256 * 1024
};

struct recipe {
    uint8_t salt[RECIPE_SALT];
    uint32_t passes;
    uint32_t kib; /* of memory */
};
