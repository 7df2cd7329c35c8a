// SPDX-License-Identifier: Apache-2.0
/* cookie: server cookies (RFC 7873) in the form that servers of one address share
 * (RFC 9018).
 *
 * Keys are drawn from one secret and change by the hour; the key before is honoured, so
 * that a cookie is good for the hour that RFC 9018 section 4.3 grants it. */
#pragma once
#include "base/addr.h"
#include "base/hash.h"
#include "dns/question.h"

enum { COOKIE_KEY_S = 3600, COOKIE_OLD_S = 3600, COOKIE_AHEAD_S = 300 };

struct cookie_jar {
    struct hash_key secret;
    struct hash_key keys[2]; /* now, before */
    int64_t now_s;           /* wall clock */
    int64_t period;
};

void cookie_jar_init(struct cookie_jar *jar, const struct hash_key *secret, int64_t now_s);

/* Tell the time; keys change with it. */
void cookie_jar_tick(struct cookie_jar *jar, int64_t now_s);

/* Did we give this cookie to this client, not too long ago? */
bool cookie_is_ours(const struct cookie_jar *jar, const struct addr *client,
                    const struct question *question);

/* Write the server's part behind the client's. */
void cookie_bake(const struct cookie_jar *jar, const struct addr *client,
                 uint8_t cookie[QUESTION_COOKIE]);
