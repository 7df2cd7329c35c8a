// SPDX-License-Identifier: Apache-2.0
/* geography: keeps the databases of countries and networks as their files are. */
#pragma once
#include "daemon.h"

/* Open them anew when a file or the configuration has changed. A file that cannot be used
 * leaves what was in force, and daemon->geo_error says why. Returns whether a snapshot
 * must be made. */
bool geography_refresh(struct daemon *daemon);
void geography_clear(struct daemon *daemon);
