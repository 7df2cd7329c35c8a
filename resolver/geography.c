// SPDX-License-Identifier: Apache-2.0
#include "geography.h"

#include "policy/geo.h"
#include "policy/snapshot.h"

bool geography_refresh(struct daemon *daemon)
{
    const struct config *config = policy_config_get(daemon->config);
    struct diag diag = {0};
    struct geo *geo = NULL;
    uint64_t mark = geo_mark(config);
    if (mark == daemon->geo_mark) {
        return false;
    }
    daemon->geo_mark = mark; /* what fails is tried again at the next change */
    daemon->geo_error[0] = '\0';
    if (geo_open(config, &geo, &diag) < 0) {
        diag_print(&diag, daemon->geo_error, sizeof(daemon->geo_error));
        return false;
    }
    geo_unref(daemon->geo); /* the snapshot in force holds its own reference */
    daemon->geo = geo;
    return true;
}

void geography_clear(struct daemon *daemon)
{
    geo_unref(daemon->geo);
}
