// SPDX-License-Identifier: Apache-2.0
/* cookie: DNS cookies as a client (RFC 7873): ours is random for each server, and what it
 * gave back goes with it the next time. */
#pragma once
#include "upstream/server.h"

/* Queries leave from this address of ours: another one needs another cookie, by which
 * nobody can tell that both are ours (RFC 9018 section 3). */
void cookie_leave_from(struct server *server, const struct addr *local);

/* What a query to the server carries. */
void cookie_put(const struct server *server, struct ask_extras *extras);

enum cookie_match {
    COOKIE_RIGHT,
    COOKIE_WRONG,   /* not ours: forged */
    COOKIE_MISSING, /* the server gives cookies, and this has none (section 5.3) */
};

/* Learn from an answer to a query that carried ours, of ASK_COOKIE_CLIENT octets; that may
 * be another by now. */
enum cookie_match cookie_take(struct server *server, const uint8_t *sent,
                              const struct ask_verdict *verdict);

/* The server gives none any more. */
void cookie_forget(struct server *server);
