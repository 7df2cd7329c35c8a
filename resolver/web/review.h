// SPDX-License-Identifier: Apache-2.0
/* review: our own pages about "please review this site".
 *
 * The form carries a token, so that only whoever can read the page of that name can ask for it:
 * no other site can make a browser post one of its own. */
#pragma once
#include "web/exchange.h"
#include "web/site.h"

enum { REVIEW_TOKEN_MAX = 20 };

/* What the form of a host's page carries. Not of this client alone: a browser may load the page
 * over IPv6 and post over IPv4. */
void review_token(const struct site *site, const char *host, char out[REVIEW_TOKEN_MAX]);

/* Is the request for our own pages at all? */
bool review_is_ours(const struct site *site, const struct request *request);
void review_serve(struct site *site, struct exchange *exchange);
