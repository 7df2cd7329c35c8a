// SPDX-License-Identifier: Apache-2.0
/* stage: what the stages of a query share with the table that runs them. */
#pragma once
#include "query/query.h"

/* What a stage did. */
enum step {
    STEP_NEXT,
    STEP_REPLY, /* nothing more to find out */
    STEP_WAIT,  /* put aside; the slot is free */
    STEP_DROP,  /* silence */
};

/* The slot as a new query finds it. */
void query_reset(struct query *query);

/* A query that has waited goes on: it is admitted and judged again by what is in force
 * now. */
void query_restart(struct query *query);
