// SPDX-License-Identifier: Apache-2.0
/* json: answers of the API. */
#pragma once
#include "web/exchange.h"

/* Content-Security-Policy of what is no page. */
extern const char json_policy[];

/* The HTTP status of a daemon's reply; NULL (no daemon) is 503. */
int json_status(const cJSON *reply);

/* Answer with the reply; NULL says that the daemon does not answer. */
void json_answer(struct exchange *exchange, int status, const cJSON *reply);

/* The same with a cookie to set, NULL: none. */
void json_answer_with(struct exchange *exchange, int status, const cJSON *reply,
                      const char *cookie);

/* {"ok": false, "error", "why"}. */
void json_refuse(struct exchange *exchange, int status, const char *why, const char *error);
