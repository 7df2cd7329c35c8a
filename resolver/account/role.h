// SPDX-License-Identifier: Apache-2.0
/* role: what somebody who signed in may do; each may do what those before it may. */
#pragma once

/* ROLE_OF(NAME, word). METRICS is for programs alone. */
#define ACCOUNT_ROLES(ROLE_OF)                                                                     \
    ROLE_OF(METRICS, "metrics")                                                                    \
    ROLE_OF(VIEWER, "viewer")                                                                      \
    ROLE_OF(TEACHER, "teacher")                                                                    \
    ROLE_OF(ADMIN, "admin")

#define ROLE_OF(name, word) ACCOUNT_##name,
enum account_role { ACCOUNT_ROLES(ROLE_OF) ACCOUNT_ROLE_COUNT };
#undef ROLE_OF

extern const char *const account_role_words[ACCOUNT_ROLE_COUNT];

/* The role of a word, or -ENOENT. */
int account_role_find(const char *word);
