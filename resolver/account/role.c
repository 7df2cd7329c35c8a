// SPDX-License-Identifier: Apache-2.0
#include "account/role.h"

#include <errno.h>
#include <string.h>

#define ROLE_OF(name, word) word,
const char *const account_role_words[ACCOUNT_ROLE_COUNT] = {ACCOUNT_ROLES(ROLE_OF)};
#undef ROLE_OF

int account_role_find(const char *word)
{
    for (int i = 0; i < ACCOUNT_ROLE_COUNT; i++) {
        if (strcmp(account_role_words[i], word) == 0) {
            return i;
        }
    }
    return -ENOENT;
}
