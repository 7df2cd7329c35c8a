// SPDX-License-Identifier: Apache-2.0
/* route: which handler answers which path; the table in route.c is the whole map. */
#pragma once
#include "web/exchange.h"
#include "web/site.h"

/* Answer the exchange, now or when the daemon has told the reason. */
void route_serve(void *site, struct exchange *exchange);
