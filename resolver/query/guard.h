// SPDX-License-Identifier: Apache-2.0
/* guard: how much a client may ask, and whether its address is its own.
 *
 * Runs once per query, before anything is looked up. A valid server cookie or a TCP
 * connection proves the address; such queries have a bucket of their own, so that who
 * forges an address cannot use up its owner's. */
#pragma once
#include "base/hash.h"
#include "query/bucket.h"

struct query;

/* Shared by all workers. */
struct guard {
    struct bucket_table *buckets;
    struct hash_key cookie_secret;
};

enum guard_verdict {
    GUARD_PASS,
    GUARD_REFUSE, /* over the limit, address proven */
    GUARD_COOKIE, /* over it, and the client knows cookies: BADCOOKIE brings a new one */
    GUARD_SLIP,   /* over it: an empty answer with TC, so that it may come over TCP */
    GUARD_DROP,   /* over it: silence */
};

/* -ENOMEM. */
__attribute__((warn_unused_result)) int guard_init(struct guard *guard);
void guard_clear(struct guard *guard);

/* Also sets which options the reply has: cookie, keepalive, padding. */
enum guard_verdict guard_check(struct query *query);

/* May one who is not allowed to ask have a refusal? */
bool guard_admits_refusal(struct query *query);
