// SPDX-License-Identifier: Apache-2.0
#include "query/drop.h"

#define DROP(name, word) word,
const char *const query_drop_words[QUERY_DROPS] = {QUERY_DROP_ALL(DROP)};
#undef DROP
