// SPDX-License-Identifier: Apache-2.0
/* suffix: which names are public suffixes, below which strangers register theirs.
 *
 * libpsl decides; a set of the rules answers "surely not" first, since asking libpsl
 * takes a microsecond and a list has millions of names. */
#pragma once
#include "dns/name.h"

struct suffix_set;

/* The newest Public Suffix List of the system, else libpsl's built-in one. NULL
 * without any. */
struct suffix_set *suffix_new(void);
void suffix_free(struct suffix_set *set);

/* Single labels are public suffixes whether listed or not. */
bool suffix_is_public(const struct suffix_set *set, const struct dname *name);
