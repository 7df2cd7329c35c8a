// SPDX-License-Identifier: Apache-2.0
#include "config/dashboard.h"

#include <stdio.h>

bool dashboard_is_bare(const struct config *config, const struct addr *listen)
{
    return !*config->web.admin_tls_cert && !addr_is_loopback(listen);
}

bool dashboard_is_served(const struct config *config, const struct addr *listen)
{
    return config->web.admin_plain || !dashboard_is_bare(config, listen);
}

const char *dashboard_url(const struct config *config, char out[DASHBOARD_URL_MAX])
{
    const struct text_list *listen = &config->web.admin_listen;
    char print[ADDR_TEXT_MAX];
    struct addr addr;
    out[0] = '\0';
    for (size_t i = 0; i < listen->count && !out[0]; i++) {
        if (addr_parse_port(listen->items[i], DASHBOARD_PORT, &addr) == 0 &&
            dashboard_is_served(config, &addr)) {
            snprintf(out, DASHBOARD_URL_MAX, "http%s://%s", *config->web.admin_tls_cert ? "s" : "",
                     addr_print(&addr, print));
        }
    }
    return out;
}
