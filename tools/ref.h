// SPDX-License-Identifier: Apache-2.0
/* ref: what a reference code of the warning page stands for.
 *
 * The code names what decided (a class of entries, or something that is no list) and 24 bits
 * of a hash of the entry: nothing of who asked. So it is looked for among all entries. */
#pragma once
#include "tools/cli.h"

/* `greengate check --ref CODE`. */
int ref_explain(struct cli *cli, const char *code);
