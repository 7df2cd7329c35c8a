// SPDX-License-Identifier: Apache-2.0
/* inspect: what an answer leads to is judged like the question itself. */
#pragma once
#include "query/query.h"

/* 0 when nothing in the answer touches any list or rule of the snapshot. */
uint64_t inspect_tag(const struct snapshot *snapshot, const uint8_t *wire, size_t len);

/* Judge the names that the answer in query->room leads to; the first blocked one sets
 * query->verdict. A damaged answer sets query->failure. */
void inspect_answer(struct query *query);
