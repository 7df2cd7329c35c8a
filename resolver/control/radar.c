// SPDX-License-Identifier: Apache-2.0
/* How the filter is gone around, as sums: no name, no device. */
#include <stdio.h>
#include <stdlib.h>

#include "control/commands.h"
#include "control/status.h"
#include "policy/snapshot.h"

enum {
    SETTLED_S = 3600, /* after a start, until devices that ask have asked */
    SILENT_MIN = 3,   /* devices, */
    SILENT_SHARE = 3, /* and more than a third of all */
    TRIES_MIN = 100,  /* queries, */
    TRIES_SHARE = 50, /* and more than one in so many */
    ALERT_MAX = 400,
};

struct sums {
    double devices, silent, tries;
};

static uint64_t value(stats_counter *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* One group's row, added to the sums. */
struct view {
    struct stats_worker *total;
    const struct daemon_devices *devices;
    cJSON *groups;
    struct sums *sums;
};

static void add_group(const struct snapshot *snapshot, uint16_t group, const struct view *view)
{
    cJSON *item = cJSON_CreateObject();
    uint16_t id = snapshot->group_stats[group];
    cJSON_AddItemToArray(view->groups, item);
    cJSON_AddStringToObject(item, "group", snapshot->config->groups[group].name);
    for (unsigned way = 1; way < STATS_WAYS; way++) {
        double count = (double)value(&view->total->ways[id][way]);
        cJSON_AddNumberToObject(item, stats_way_names[way], count);
        view->sums->tries += way >= STATS_WAY_DOH ? count : 0;
    }
    if (view->devices->known && group < DAEMON_GROUPS_MAX) {
        cJSON_AddNumberToObject(item, "devices", view->devices->devices[group]);
        cJSON_AddNumberToObject(item, "silent", view->devices->silent[group]);
        view->sums->devices += view->devices->devices[group];
        view->sums->silent += view->devices->silent[group];
    }
}

/* Canaries are asked by every browser: they say nothing about a wish to go around. */
static void write_alert(const struct sums *sums, double queries, int64_t up_s, char out[ALERT_MAX])
{
    int len = 0;
    bool all_silent = sums->silent >= sums->devices; /* a forwarder asks for them, it seems */
    out[0] = '\0';
    if (up_s >= SETTLED_S && !all_silent && sums->silent >= SILENT_MIN &&
        sums->silent * SILENT_SHARE > sums->devices) {
        len =
            snprintf(out, ALERT_MAX,
                     "%.0f of %.0f devices on this network did not ask here in the last half day: "
                     "they may use another resolver",
                     sums->silent, sums->devices);
    }
    if (sums->tries >= TRIES_MIN && sums->tries * TRIES_SHARE > queries) {
        snprintf(out + len, ALERT_MAX - (size_t)len,
                 "%s%.0f questions since the start were for ways around the filter",
                 len ? "; " : "", sums->tries);
    }
}

static double count_queries(struct stats_worker *total)
{
    double sum = 0;
    for (unsigned i = 0; i < STATS_TRANSPORTS; i++) {
        sum += (double)value(&total->transports[i]);
    }
    return sum;
}

static void report(struct control_call *call, struct stats_worker *total,
                   const struct daemon_devices *devices)
{
    const struct control_backend *backend = call->backend;
    const struct snapshot *snapshot = backend->snapshot(backend->owner);
    struct sums sums = {0};
    char alert[ALERT_MAX];
    const struct view view = {total, devices, cJSON_AddArrayToObject(call->reply, "groups"), &sums};
    for (size_t i = 0; snapshot && i < snapshot->group_count; i++) {
        add_group(snapshot, (uint16_t)i, &view);
    }
    write_alert(&sums, count_queries(total), devices->up_s, alert);
    cJSON_AddBoolToObject(call->reply, "devices_known", devices->known);
    cJSON_AddNumberToObject(call->reply, "up_s", (double)devices->up_s);
    cJSON_AddStringToObject(call->reply, "alert", alert);
}

int control_do_radar(struct control_call *call)
{
    const struct control_backend *backend = call->backend;
    struct stats_worker *total = calloc(1, sizeof(*total));
    struct daemon_devices *devices = calloc(1, sizeof(*devices));
    if (total && devices) {
        if (backend->stats) {
            stats_total(backend->stats, total);
        }
        if (backend->devices) {
            backend->devices(backend->owner, devices);
        }
        report(call, total, devices);
    }
    bool good = total && devices;
    free(total);
    free(devices);
    return good ? CONTROL_DONE : CONTROL_FAILED;
}
