// SPDX-License-Identifier: Apache-2.0
/* local: what is answered here before any list and any upstream.
 *
 * dns.records and our own name, localhost and the special names of RFC 6761, 6762, 7686
 * and 8375, private reverse zones (RFC 6303), and what clients ask a resolver about
 * itself (RFC 9462, RFC 9606). `test.` is left to the upstreams: networks use it. */
#pragma once
#include "query/query.h"

/* Is the question answered here? Keeps in the query what local_write() needs. */
bool local_judge(struct query *query);

/* The reply's code, and its records behind the question. */
uint8_t local_rcode(const struct query *query);
void local_write(struct query *query);
