// SPDX-License-Identifier: Apache-2.0
#include "account/password.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

enum { PASSES = 3, KIB = 32 * 1024 };

_Static_assert(RECIPE_SALT == crypto_pwhash_argon2id_SALTBYTES, "the salt of argon2id");

void password_new_recipe(struct recipe *ret_recipe)
{
    randombytes_buf(ret_recipe->salt, sizeof(ret_recipe->salt));
    ret_recipe->passes = PASSES;
    ret_recipe->kib = KIB;
}

int password_derive(const char *password, const struct recipe *recipe, struct secret *ret_key)
{
    size_t len = strlen(password);
    if (len < PASSWORD_LEAST || len > PASSWORD_MOST || recipe->passes < 1 ||
        recipe->passes > RECIPE_PASSES_MAX || recipe->kib < RECIPE_KIB_LEAST ||
        recipe->kib > RECIPE_KIB_MAX) {
        return -EINVAL;
    }
    struct secret key;
    if (sodium_init() < 0 ||
        crypto_pwhash_argon2id(key.octets, sizeof(key.octets), password, len, recipe->salt,
                               recipe->passes, (size_t)recipe->kib * 1024,
                               crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
        return -ENOMEM;
    }
    *ret_key = key;
    sodium_memzero(&key, sizeof(key));
    return 0;
}

void password_wipe(void *data, size_t len)
{
    sodium_memzero(data, len);
}
