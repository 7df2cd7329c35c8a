// SPDX-License-Identifier: Apache-2.0
/* accounts: who may sign in, and tokens for programs, in state_dir/accounts.db (mode 0600).
 *
 * One writer, the daemon: were it the web process, whoever breaks that one could make himself an
 * admin. At least one admin always stays. */
#pragma once
#include "account/recipe.h"
#include "account/role.h"
#include "account/secret.h"
#include "base/diag.h"

enum { ACCOUNT_NAME_MAX = 32, ACCOUNTS_MAX = 200, TOKENS_MAX = 100, TOKEN_LABEL_MAX = 64 };

struct account {
    char name[ACCOUNT_NAME_MAX + 1]; /* [a-z0-9._-] */
    enum account_role role;
    struct recipe recipe;
    struct secret verifier; /* secret_hash() of the key */
    int64_t changed_day;    /* days since 1970, UTC */
};

struct token {
    char id[SECRET_ID_LEN + 1];
    char label[TOKEN_LABEL_MAX + 1]; /* what it is for */
    char made_by[ACCOUNT_NAME_MAX + 1];
    enum account_role role;
    struct secret verifier; /* secret_hash() of its text */
    int64_t made_day, used_day;
    int64_t expires_at; /* 0: never */
};

struct accounts;

/* Nothing is opened yet. -ENOMEM. */
__attribute__((warn_unused_result)) int accounts_open(const char *path,
                                                      struct accounts **ret_accounts);
void accounts_close(struct accounts *accounts); /* accepts NULL */

bool account_is_name(const char *name);

/* -ENOENT: there is none; else negative errno with *diag, as all below. */
__attribute__((warn_unused_result)) int accounts_find(struct accounts *accounts, const char *name,
                                                      struct account *ret_account,
                                                      struct diag *diag);

/* Make or replace one. -ENOSPC: too many. -EBUSY: it is the last admin. */
__attribute__((warn_unused_result)) int
accounts_put(struct accounts *accounts, const struct account *account, struct diag *diag);

/* -ENOENT, -EBUSY as above. */
__attribute__((warn_unused_result)) int accounts_remove(struct accounts *accounts, const char *name,
                                                        struct diag *diag);

/* How many there are; 0 without a file. */
__attribute__((warn_unused_result)) int accounts_count(struct accounts *accounts,
                                                       struct diag *diag);

/* By name. */
__attribute__((warn_unused_result)) int accounts_walk(struct accounts *accounts,
                                                      void (*visit)(void *context,
                                                                    const struct account *account),
                                                      void *context, struct diag *diag);

__attribute__((warn_unused_result)) int tokens_add(struct accounts *accounts,
                                                   const struct token *token, struct diag *diag);
__attribute__((warn_unused_result)) int tokens_find(struct accounts *accounts, const char *id,
                                                    struct token *ret_token, struct diag *diag);
__attribute__((warn_unused_result)) int tokens_remove(struct accounts *accounts, const char *id,
                                                      struct diag *diag);

/* Note that it was used on a day. */
__attribute__((warn_unused_result)) int tokens_touch(struct accounts *accounts, const char *id,
                                                     int64_t day, struct diag *diag);
__attribute__((warn_unused_result)) int
tokens_walk(struct accounts *accounts, void (*visit)(void *context, const struct token *token),
            void *context, struct diag *diag);
