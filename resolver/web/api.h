// SPDX-License-Identifier: Apache-2.0
/* api: the dashboard's JSON, below API_ROOT; the table is api.def.
 *
 * A session comes as a cookie, then what changes something needs our Origin and the token of
 * forms too; or as a bearer token of a program. */
#pragma once
#include "web/desk.h"

#define API_ROOT "/api/v1/"

/* Answer a request whose path begins with API_ROOT. */
void api_serve(struct desk *desk, struct exchange *exchange);

/* The session or token that the request bears, "" = none; true when it is a cookie. */
enum { API_SESSION_MAX = 80 };
bool api_session(const struct exchange *exchange, char out[API_SESSION_MAX]);

/* The API as an OpenAPI 3.0 document; NULL without memory. */
cJSON *api_describe(void);
