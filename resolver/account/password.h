// SPDX-License-Identifier: Apache-2.0
/* password: from a password to the key that signs in, by argon2id (RFC 9106).
 *
 * Slow and large on purpose: only the CLI and a thread of greengate-web call it. */
#pragma once
#include "account/recipe.h"
#include "account/secret.h"

enum { PASSWORD_LEAST = 10, PASSWORD_MOST = 200 /* octets */ };

/* A new salt, and what is right for a router of 128 MB: 32 MiB, three passes. */
void password_new_recipe(struct recipe *ret_recipe);

/* -EINVAL: too short or too long, or a recipe out of bounds; -ENOMEM. */
__attribute__((warn_unused_result)) int
password_derive(const char *password, const struct recipe *recipe, struct secret *ret_key);

/* Overwrite it for good. */
void password_wipe(void *data, size_t len);
