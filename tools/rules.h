// SPDX-License-Identifier: Apache-2.0
/* rules: what `greengate rules` does beyond its own file. */
#pragma once
#include "tools/cli.h"

/* rules import FILE: hand the rules of a file like rules.yaml to the daemon. */
int rules_import(struct cli *cli, const char *path);
