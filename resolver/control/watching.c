// SPDX-License-Identifier: Apache-2.0
/* Watching one client for some minutes, when something does not work there. */
#include <errno.h>
#include <stdlib.h>

#include "control/commands.h"
#include "query/watch.h"
#include "stats/stats_query.h"

enum { DEFAULT_S = 300 };

static const int64_t number_max = 1LL << 40;

static int need_watch(struct control_call *call)
{
    return call->backend->watch ? CONTROL_DONE
                                : diag_set(call->diag, CONTROL_FAILED, "no memory for watching");
}

int control_do_watch(struct control_call *call)
{
    struct addr client;
    int64_t for_s = DEFAULT_S;
    if (addr_parse(control_text(call, "client"), &client) < 0) {
        return diag_set(call->diag, CONTROL_USAGE, "client: an IP address is expected");
    }
    if (control_number(call, "for_s", WATCH_MOST_S, &for_s) == -EINVAL || for_s == 0) {
        return diag_set(call->diag, CONTROL_USAGE, "for_s: seconds, from 1 to %d", WATCH_MOST_S);
    }
    int code = need_watch(call);
    if (code == CONTROL_DONE) {
        int64_t until = clock_wall_s(call->backend->clock) + for_s;
        watch_start(call->backend->watch, &client, until);
        cJSON_AddNumberToObject(call->reply, "until", (double)until);
    }
    return code;
}

int control_do_watch_stop(struct control_call *call)
{
    int code = need_watch(call);
    if (code == CONTROL_DONE) {
        watch_stop(call->backend->watch);
    }
    return code;
}

static cJSON *entry_json(const struct watch_entry *entry)
{
    char name[DNAME_TEXT_MAX], type[STATS_LABEL_MAX], rcode[STATS_LABEL_MAX];
    cJSON *item = cJSON_CreateObject();
    cJSON_AddNumberToObject(item, "at", (double)entry->at);
    cJSON_AddStringToObject(item, "name", dname_print(&entry->name, name));
    cJSON_AddStringToObject(
        item, "type", stats_label(STATS_BY_TYPE, entry->type < 256 ? entry->type : 256, type));
    cJSON_AddStringToObject(item, "rcode", stats_label(STATS_BY_RCODE, entry->rcode, rcode));
    cJSON_AddBoolToObject(item, "blocked", entry->blocked);
    cJSON_AddStringToObject(item, "reason", entry->reason);
    cJSON_AddStringToObject(item, "category", entry->category);
    return item;
}

int control_do_watch_read(struct control_call *call)
{
    int64_t from = 0;
    if (control_number(call, "offset", number_max, &from) == -EINVAL) {
        return diag_set(call->diag, CONTROL_USAGE, "offset: a number of entries");
    }
    int code = need_watch(call);
    struct watch_page *page = code == CONTROL_DONE ? calloc(1, sizeof(*page)) : NULL;
    if (!page) {
        return code == CONTROL_DONE ? CONTROL_FAILED : code;
    }
    struct watch *watch = call->backend->watch;
    const struct addr client = watch->client; /* of this thread alone */
    page->from = (uint64_t)from;
    size_t count = watch_read(watch, page);
    cJSON *array = cJSON_AddArrayToObject(call->reply, "entries");
    for (size_t i = 0; i < count; i++) {
        cJSON_AddItemToArray(array, entry_json(&page->entries[i]));
    }
    cJSON_AddNumberToObject(call->reply, "offset", (double)page->from);
    cJSON_AddBoolToObject(call->reply, "active",
                          watch_sees(watch, &client, clock_wall_s(call->backend->clock)));
    free(page);
    return CONTROL_DONE;
}
