// SPDX-License-Identifier: Apache-2.0
/* events: what happens, as it happens, to dashboards that look (server-sent events, HTML standard
 * section 9.2).
 *
 * Every two seconds each of them gets the daemon's status, as its session may see it; without a
 * session, or when it does not keep up, its stream ends. */
#pragma once
#include "web/exchange.h"

enum { EVENTS_MAX = 16, EVENTS_OF_SESSION = 4 };

struct events;

__attribute__((warn_unused_result)) int events_new(uv_loop_t *loop, struct inquiry_source *daemon,
                                                   struct events **ret_events);

/* All streams end; freed in the loop. NULL is allowed. */
void events_free(struct events *events);

/* Answer the exchange with a stream for the session; 503 when EVENTS_MAX look already. */
void events_serve(struct events *events, struct exchange *exchange, const char *session);
