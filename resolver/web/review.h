// SPDX-License-Identifier: Apache-2.0
/* review: our own pages about "please review this site".
 *
 * The form carries a token, so that only whoever saw the page of that name can ask for it:
 * no other site can make a browser ask. */
#pragma once
#include "web/exchange.h"
#include "web/site.h"

enum { REVIEW_TOKEN_MAX = 20 };

/* What the form of a host's page carries for this client. */
void review_token(const struct site *site, const struct addr *client, const char *host,
                  char out[REVIEW_TOKEN_MAX]);

/* Is the request for our own pages at all? */
bool review_is_ours(const struct site *site, const struct request *request);
void review_serve(struct site *site, struct exchange *exchange);
