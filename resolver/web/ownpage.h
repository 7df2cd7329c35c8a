// SPDX-License-Identifier: Apache-2.0
/* ownpage: what whoever opens our own name or address is told: whose filter this is.
 *
 * Nothing is asked of the daemon, and nothing is said that a device of the network could not
 * find out. */
#pragma once
#include "web/exchange.h"
#include "web/site.h"

/* Is it our own name, or an address where pages are served? Other names may be blocked ones. */
bool ownpage_is_asked(const struct site *site, const struct request *request);

void ownpage_serve(struct exchange *exchange);
