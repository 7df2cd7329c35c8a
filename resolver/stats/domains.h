// SPDX-License-Identifier: Apache-2.0
/* domains: which registrable domains many clients ask for, with `stats.privacy: domains`.
 *
 * A name leaves memory only when at least min_clients clients asked for it on that day (of local
 * time). Clients are bits of a set that a salted hash picks: two may share a bit, so bits never
 * say more clients than there were. The salt is new each day and never written. Tables are
 * bounded: names that are asked for seldom give way (space-saving, Metwally 2005, with a sample
 * in place of the least), and only what was counted since a name came in is told of it.
 *
 * Workers count in tables of their own. The statistics thread takes them away once a minute; who
 * counts in those microseconds does not wait, and is in the totals alone. */
#pragma once
#include "base/addr.h"
#include "base/diag.h"

#include <stdbool.h>
#include <stdint.h>

enum { DOMAIN_NAME_MAX = 64 /* longer ones count in the totals alone */, DOMAIN_KINDS = 2 };

struct domains;
struct domains_worker;

/* -ENOMEM; -ELIBACC, -ENOENT without libpsl or its list. */
__attribute__((warn_unused_result)) int domains_new(unsigned min_clients, struct domains **ret);
void domains_free(struct domains *domains); /* accepts NULL; workers' tables too */

/* A worker's table, or NULL without memory. */
struct domains_worker *domains_worker_add(struct domains *domains);

struct domains_event {
    const char *name;          /* as text, in any case, without a last dot */
    const struct addr *client; /* IPv6 counts by /64, since devices change the rest */
    bool blocked;
};
void domains_count(struct domains_worker *worker, const struct domains_event *event);

/* What may be written: a name, or "" for all together. */
struct domains_row {
    int64_t day; /* local date as days since 1970 */
    uint64_t count;
    uint8_t blocked;
    char name[DOMAIN_NAME_MAX];
};

/* Move what workers counted into rows that wait to be written; with a new day all begins anew.
 * By the statistics' lock. */
void domains_take(struct domains *domains, int64_t now);

/* The rows that wait, and that they were written. */
const struct domains_row *domains_rows(const struct domains *domains, unsigned *ret_count);
void domains_written(struct domains *domains);

/* The local date of a time. */
int64_t domains_day(int64_t at);
