// SPDX-License-Identifier: Apache-2.0
/* lists: the parts of `greengate lists` that stand in files of their own. */
#pragma once
#include "blocklists/meta.h"
#include "tools/when.h"
#include "tools/identity.h"

/* lists compile OUT [--source id=ID,category=CAT,format=F,file=PATH ...]: for builds,
 * tests and benchmarks; without --source the starter list. */
int lists_compile(struct cli *cli, int argc, char **argv);

int lists_search(struct cli *cli, int argc, char **argv);
int lists_diff(struct cli *cli, int argc, char **argv);
int lists_generations(struct cli *cli, const struct config *config);
/* The lines of `lists show` that say when a source is asked again, and what its signature
 * says. */
void lists_print_state(struct cli *cli, const struct source_meta *meta);
