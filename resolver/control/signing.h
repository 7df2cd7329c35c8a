// SPDX-License-Identifier: Apache-2.0
/* signing: what requests say of accounts and keys. */
#pragma once
#include "account/sessions.h"
#include "control/commands.h"

enum { SIGNING_DAY_S = 86400 };

/* A new password, as its recipe and verifier, into *account; CONTROL_USAGE. */
__attribute__((warn_unused_result)) int signing_read_password(const struct control_call *call,
                                                              struct account *account);

/* The account's name into *account; CONTROL_USAGE. */
__attribute__((warn_unused_result)) int signing_read_name(const struct control_call *call,
                                                          struct account *account);

/* What a failed call of accounts.h becomes. */
int signing_code(int err);

/* Are there accounts at all on this daemon? CONTROL_FAILED with the reason. */
__attribute__((warn_unused_result)) int signing_ready(struct control_call *call);
