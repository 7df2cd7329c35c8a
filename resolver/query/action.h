// SPDX-License-Identifier: Apache-2.0
/* action: what a list wants done about a name, beyond its mode (RPZ actions). */
#pragma once
#include "query/query.h"

/* The name whose records answer the question: that to which local data send it by a
 * CNAME, else the question's own. Sets query->target. */
void action_choose_target(struct query *query);

/* Is the question answered with a search engine's safe mode? Of an engine that are
 * addresses, aliases and service bindings; its mail and texts go through. */
bool action_rewrites(const struct query *query);

/* The name to look up and to ask for. */
static inline const struct dname *action_sought(const struct query *query)
{
    return query->aliased ? &query->target : &query->question.name;
}

/* Does the known answer in query->room belong to the name sought? A reload may have
 * changed it while the upstream was asked. */
bool action_fits(const struct query *query);

/* The whole reply of local data or of a safe mode, in query->out; an answer that is known for the target
 * follows its CNAME. Without a record of the type asked: no data. */
void action_write_local(struct query *query, const struct reply_error *why);

/* An empty answer that sends the client to TCP. */
void action_write_truncated(struct query *query);
