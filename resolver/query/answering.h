// SPDX-License-Identifier: Apache-2.0
/* answering: from a judged query to the message that the client gets. */
#pragma once
#include "query/query.h"

enum { ANSWERING_STALE_TTL_S = 30 };

/* Leave the whole reply in query->out and its code in query->rcode. */
void answering_write(struct query *query);
