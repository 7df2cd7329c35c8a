// SPDX-License-Identifier: Apache-2.0
/* counting: one query more in the sums, by what became of it. */
#pragma once
#include "query/query.h"

void counting_add(const struct query *query);
