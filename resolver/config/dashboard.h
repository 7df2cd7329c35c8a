// SPDX-License-Identifier: Apache-2.0
/* dashboard: on which addresses of web.admin_listen it is served.
 *
 * Passwords travel there: what others can reach is served with a certificate, or when
 * web.admin_plain says that somebody else sees to it. */
#pragma once
#include <stdbool.h>

#include "base/addr.h"
#include "config/config.h"

enum { DASHBOARD_PORT = 8953, DASHBOARD_URL_MAX = ADDR_TEXT_MAX + 16 };

/* Would what is sent to this address cross the network in the clear? */
bool dashboard_is_bare(const struct config *config, const struct addr *listen);

bool dashboard_is_served(const struct config *config, const struct addr *listen);

/* "http://127.0.0.1:8953" of the first address that is served, "" when none is; returns out. */
const char *dashboard_url(const struct config *config, char out[DASHBOARD_URL_MAX]);
