// SPDX-License-Identifier: Apache-2.0
/* adguard_hours: the hours of AdGuard Home's blocked services as rows of ours. */
#pragma once
#include "config/yaml.h"
#include "tools/foreign.h"

bool foreign_has_hours(const struct yaml_node *times);

/* A new array of rows for these services; says which day is none. */
cJSON *foreign_take_hours(struct moving *moving, const struct yaml_node *times, const cJSON *ids);
