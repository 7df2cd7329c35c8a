// SPDX-License-Identifier: Apache-2.0
/* sessions: who is signed in, and who may try, in the daemon's memory alone.
 *
 * A session ends after SESSION_IDLE_S without use, after SESSION_WHOLE_S, when its account changes
 * and when the daemon stops. An invitation lets somebody make the first account. */
#pragma once
#include "account/accounts.h"

enum {
    SESSIONS_MAX = 128, /* then the one that idled longest ends */
    SESSION_IDLE_S = 60 * 60,
    SESSION_WHOLE_S = 12 * 60 * 60,
    SESSION_TRIES = 5,      /* a minute, of one address for one account */
    SESSION_TRIES_ALL = 60, /* and of one address, or IPv6 /64, for all of them */
    SESSION_INVITED_S = 60 * 60,
};

struct session {
    struct secret hash; /* of what the browser holds */
    char account[ACCOUNT_NAME_MAX + 1];
    enum account_role role;
    int64_t made_s, used_s; /* monotonic */
};

struct sessions;

__attribute__((warn_unused_result)) int sessions_new(struct sessions **ret_sessions);
void sessions_free(struct sessions *sessions); /* accepts NULL */

/* May this address try to sign in to the account now? Counts it. Its first `network` octets are
 * what it cannot choose by itself. */
struct session_try {
    const uint8_t *client;
    size_t len, network;
    const char *account;
};
bool sessions_may_try(struct sessions *sessions, const struct session_try *attempt, int64_t now_s);

/* Begin one; `text` is what the browser shall hold. */
void sessions_begin(struct sessions *sessions, const struct account *account, int64_t now_s,
                    char text[SECRET_DIGITS + 1]);

/* NULL: there is none, or none any more. It may count as used. */
const struct session *sessions_find(struct sessions *sessions, const char *text, int64_t now_s,
                                    bool use);
void sessions_end(struct sessions *sessions, const char *text);

/* End all of an account but perhaps the one (NULL: all). */
void sessions_end_of(struct sessions *sessions, const char *account, const struct session *but);

/* A salt for an account that does not exist, the same each time: who tries names learns none. */
void sessions_fake_recipe(const struct sessions *sessions, const char *name,
                          struct recipe *ret_recipe);

/* A new invitation takes the place of the one before; it holds for SESSION_INVITED_S. */
void sessions_invite(struct sessions *sessions, int64_t now_s, char text[SECRET_DIGITS + 1]);
bool sessions_is_invited(const struct sessions *sessions, const char *text, int64_t now_s);
void sessions_uninvite(struct sessions *sessions);
