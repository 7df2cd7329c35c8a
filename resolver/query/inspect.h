// SPDX-License-Identifier: Apache-2.0
/* inspect: what an answer leads to is judged like the question itself. */
#pragma once
#include "query/query.h"

/* What an answer's tag says: INSPECT_TOUCHED when a name or an address in it touches a list
 * or rule of the snapshot; from bit INSPECT_COUNTRY on the country of its first address,
 * see policy/geo.h. */
enum { INSPECT_TOUCHED = 1, INSPECT_COUNTRY = 8 };
uint64_t inspect_tag(const struct snapshot *snapshot, const uint8_t *wire, size_t len);

/* Is `target`, to which an answer about asked->name leads, blocked for asked->group? A
 * name that no list may block may lead to what lists block, but not to what rules do.
 * asked->probe is not used. */
bool inspect_blocks(const struct snapshot *snapshot, const struct subject *asked,
                    const struct dname *target, struct verdict *ret_verdict);

/* The same of an address in the answer; asked->probe is used. What a rule or a protected
 * name lets through may have any address: lists alone judge addresses. */
bool inspect_blocks_address(const struct snapshot *snapshot, const struct subject *asked,
                            const struct addr *addr, struct verdict *ret_verdict);

/* Judge the names and addresses that the answer in query->room leads to; the first
 * blocked one sets query->verdict. A damaged answer sets query->failure. */
void inspect_answer(struct query *query);
