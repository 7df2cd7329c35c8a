// SPDX-License-Identifier: Apache-2.0
#include "control/status.h"

#include <stdlib.h>

#include "control/commands.h"

static const char *const state_words[] = {
    [DAEMON_PROTECTED] = "protected",
    [DAEMON_DEGRADED] = "degraded",
    [DAEMON_UNPROTECTED] = "unprotected",
};

static void add_number(cJSON *object, const char *key, double value)
{
    cJSON_AddNumberToObject(object, key, value);
}

static void add_lists(cJSON *reply, const struct daemon_status *status)
{
    cJSON *lists = cJSON_AddObjectToObject(reply, "lists");
    cJSON_AddStringToObject(lists, "path", status->lists_path);
    add_number(lists, "names", (double)status->names);
    control_add_hex(lists, "generation", status->generation);
    add_number(lists, "built_at", (double)status->built_at);
    cJSON *sources = cJSON_AddArrayToObject(lists, "sources");
    for (size_t i = 0; i < status->source_count; i++) {
        const struct daemon_source *source = &status->sources[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddItemToArray(sources, item);
        cJSON_AddStringToObject(item, "id", source->id);
        cJSON_AddStringToObject(item, "category", source->category);
        add_number(item, "entries", (double)source->entries);
        add_number(item, "fetched_at", (double)source->fetched_at);
        cJSON_AddStringToObject(item, "error", source->error);
    }
}

static void add_upstreams(cJSON *reply, const struct daemon_status *status)
{
    cJSON *upstreams = cJSON_AddArrayToObject(reply, "upstreams");
    for (size_t i = 0; i < status->upstream_count; i++) {
        const struct daemon_upstream *upstream = &status->upstreams[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddItemToArray(upstreams, item);
        cJSON_AddStringToObject(item, "address", upstream->address);
        cJSON_AddBoolToObject(item, "ok", upstream->ok);
        add_number(item, "srtt_ms", upstream->srtt_ms);
        add_number(item, "failures", (double)upstream->failures);
        add_number(item, "answers", (double)upstream->answers);
    }
}

static void add_all(cJSON *reply, const struct daemon_status *status)
{
    cJSON_AddStringToObject(reply, "state", state_words[status->state]);
    cJSON *reasons = cJSON_AddArrayToObject(reply, "reasons");
    for (size_t i = 0; i < status->reason_count; i++) {
        cJSON_AddItemToArray(reasons, cJSON_CreateString(status->reasons[i]));
    }
    add_number(reply, "reasons_more", status->reasons_more);
    cJSON_AddStringToObject(reply, "version", status->version);
    add_number(reply, "uptime_s", (double)status->uptime_s);
    add_number(reply, "workers", status->workers);
    add_number(reply, "queries", (double)status->queries);
    add_number(reply, "blocked", (double)status->blocked);
    add_number(reply, "reviews_waiting", status->reviews_waiting);
    add_number(reply, "rules_not_needed", (double)status->rules_not_needed);
    cJSON *cache = cJSON_AddObjectToObject(reply, "cache");
    add_number(cache, "entries", (double)status->cache_entries);
    add_number(cache, "bytes", (double)status->cache_bytes);
    add_number(cache, "bytes_max", (double)status->cache_bytes_max);
    add_lists(reply, status);
    add_upstreams(reply, status);
}

int control_do_status(struct control_call *call)
{
    struct daemon_status *status = calloc(1, sizeof(*status));
    if (!status) {
        return CONTROL_FAILED;
    }
    call->backend->status(call->backend->owner, status);
    control_add_troubles(status);
    add_all(call->reply, status);
    free(status);
    return CONTROL_DONE;
}
