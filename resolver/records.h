// SPDX-License-Identifier: Apache-2.0
/* records: what the daemon writes down beside statistics: the audit log and review requests. */
#pragma once
#include <stdbool.h>

#include "base/diag.h"

struct daemon;

/* Nothing is opened yet, so that a damaged file stops nothing. -ENOMEM with *diag. */
__attribute__((warn_unused_result)) int records_open(struct daemon *daemon, struct diag *diag);
/* While nobody can sign in: print a link that makes the first account, once. */
void records_invite(struct daemon *daemon);
/* A signal asked for a reload, which was done: nobody is known who wanted it. */
void records_note_reload(struct daemon *daemon);
/* How many requests of the warning page wait; negative errno when they cannot be read, and
 * text says why. */
int records_waiting(const struct daemon *daemon, char *text, size_t cap);

/* Can accounts not be read, so that nobody can sign in? text says why. */
bool records_lock_out(const struct daemon *daemon, char *text, size_t cap);

/* Look, now and then, for what is too old to be kept. */
void records_expire(struct daemon *daemon);
void records_close(struct daemon *daemon);
