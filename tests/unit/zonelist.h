// SPDX-License-Identifier: Apache-2.0
/* zonelist: databases with response policy zones, address sets and patterns, written
 * straight from their lines, so that tests of policy do not wait on parsers.
 *
 * A line is an RPZ record ("bad.example CNAME .", "24.0.2.0.192.rpz-ip CNAME rpz-drop.",
 * "x.example A 192.0.2.9"), an address or prefix, /pattern/ or @@/pattern/, or a name,
 * which stands for itself and all below it. */
#pragma once
#include "world.h"

enum { FORMAT_ZONELIST = 100 };

/* Write all lists to fd; aborts with a message on a line that it cannot read. */
void zonelist_write(int fd, const struct world_list *lists, size_t count, int64_t fetched_at);
