// SPDX-License-Identifier: Apache-2.0
/* reason: why a name is blocked for a client, as the daemon tells it.
 *
 * One connection to the daemon's socket for the web, on the loop, opened when it is
 * needed. Questions are answered in order; whoever is not answered within a second
 * is told that nothing is known, and the connection is made anew. */
#pragma once
#include "base/addr.h"

#include <uv.h>

struct reason {
    bool known;        /* false: no daemon, no answer in time, or it cannot tell */
    bool blocked;      /* when known */
    char word[32];     /* of verdict.def: "list", "block-rule" */
    char category[64]; /* id, "" = none */
    char group[64];
    char rule_group[64]; /* of a local rule for one group, "" = for all */
    char list[64];
    char ref[32];
    bool watched;     /* somebody looks at what this device is answered */
    int64_t opens_at; /* when a schedule opens it again; 0 = not known */
};

struct reason_query {
    /* Called exactly once unless cancelled, perhaps before reason_ask() returns. */
    void (*on_reason)(struct reason_query *query, const struct reason *reason);
    void *owner;
    struct reason_flight *flight; /* NULL: nothing is asked */
};

struct reason_source;

/* -ENAMETOOLONG when the path does not fit a socket address. No daemon need run. */
__attribute__((warn_unused_result)) int reason_new(uv_loop_t *loop, const char *socket_path,
                                                   struct reason_source **ret_source);

/* Answer all that wait with "not known" and close; freed in the loop. NULL is allowed. */
void reason_free(struct reason_source *source);

void reason_ask(struct reason_source *source, struct reason_query *query, const struct addr *client,
                const char *host);

/* No answer is wanted any more. Safe when nothing is asked. */
void reason_cancel(struct reason_query *query);
