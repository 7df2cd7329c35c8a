// SPDX-License-Identifier: Apache-2.0
/* complete: what may come next on a command line, for the shells' completion
 * (packaging/completion). */
#pragma once
#include "tools/cli.h"

/* The words behind `greengate`, the last one being typed, perhaps empty. Prints each candidate
 * with a tab and what it is; the one line ":files" asks the shell for files instead. Nothing
 * that goes wrong is said. CLI_DONE. */
int complete(struct cli *cli, int argc, char **argv);
