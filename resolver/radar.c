// SPDX-License-Identifier: Apache-2.0
/* How many devices of the neighbour table ask us, as sums for each group. */
#include "household.h"

#include <stdlib.h>
#include <string.h>

#include "control/status.h"
#include "daemon.h"
#include "neigh/neigh.h"
#include "policy/snapshot.h"
#include "query/presence.h"

static int by_mac(const void *a, const void *b)
{
    return memcmp(((const struct neighbour *)a)->mac, ((const struct neighbour *)b)->mac,
                  NEIGH_MAC_LEN);
}

/* One device: all rows with one MAC. */
struct device {
    uint16_t group;
    bool counts; /* it may ask */
    bool asks;
};

static void look_at(const struct daemon *daemon, const struct neighbour *row, struct device *device)
{
    const struct snapshot *snapshot = daemon->snapshot;
    const struct client client = {.addr = &row->addr};
    uint16_t group = snapshot_group(snapshot, &client);
    if (!snapshot_admits(snapshot, &row->addr)) {
        return; /* on the other side, such as the provider's router */
    }
    device->group = !device->counts || group < device->group ? group : device->group;
    device->counts = true;
    device->asks |= presence_has_address(daemon->household.presence, &row->addr) ||
                    presence_has(daemon->household.presence, row->mac, NEIGH_MAC_LEN);
}

void household_count(const struct daemon *daemon, struct daemon_devices *ret_devices)
{
    const struct neighbour *rows = NULL;
    size_t count = daemon->household.neigh ? neigh_rows(daemon->household.neigh, &rows) : 0;
    struct neighbour *sorted = calloc(count + 1, sizeof(*sorted));
    ret_devices->up_s = daemon_uptime_s(daemon);
    if (!daemon->household.neigh || !daemon->household.presence || !sorted) {
        free(sorted);
        return;
    }
    ret_devices->known = true;
    if (count) {
        memcpy(sorted, rows, count * sizeof(*sorted));
        qsort(sorted, count, sizeof(*sorted), by_mac);
    }
    for (size_t i = 0; i < count;) {
        struct device device = {0};
        size_t first = i;
        for (; i < count && by_mac(&sorted[i], &sorted[first]) == 0; i++) {
            look_at(daemon, &sorted[i], &device);
        }
        if (device.counts && device.group < DAEMON_GROUPS_MAX) {
            ret_devices->devices[device.group]++;
            ret_devices->silent[device.group] += !device.asks;
        }
    }
    free(sorted);
}
