// SPDX-License-Identifier: Apache-2.0
/* pattern: what the regular expressions of a list cost. */
#pragma once
#include "config/config.h"
#include "tools/cli.h"

/* Measured on the database in force; says nothing for a list without patterns. */
void pattern_print_cost(struct cli *cli, const struct config *config, const char *id);
void pattern_add_cost(cJSON *json, const struct config *config, const char *id);
