// SPDX-License-Identifier: Apache-2.0
/* What the last update said of each source: read from state_dir/sources/ID.json, which
 * the CLI writes. A file that cannot be read says nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "control/commands.h"
#include "control/status.h"

enum { META_MAX = 64 * 1024 };

static cJSON *read_json(const char *path)
{
    cJSON *json = NULL;
    FILE *file = fopen(path, "re");
    if (!file) {
        return NULL;
    }
    char *text = malloc(META_MAX);
    size_t len = text ? fread(text, 1, META_MAX, file) : 0;
    if (len > 0 && len < META_MAX) {
        json = cJSON_ParseWithLength(text, len);
    }
    free(text);
    fclose(file);
    return json;
}

static void add_reason(struct daemon_status *status, const struct daemon_source *source,
                       double since)
{
    char day[32] = "";
    time_t when = (time_t)since;
    struct tm parts;
    if (status->reason_count == DAEMON_REASONS_MAX) {
        return;
    }
    if (since > 0 && gmtime_r(&when, &parts)) {
        strftime(day, sizeof(day), " since %Y-%m-%d %H:%M UTC", &parts);
    }
    snprintf(status->reasons[status->reason_count++], sizeof(status->reasons[0]),
             "list %s fails%s: %.120s", source->id, day, source->error);
    if (status->state == DAEMON_PROTECTED) {
        status->state = DAEMON_DEGRADED;
    }
}

void control_add_troubles(struct daemon_status *status)
{
    for (size_t i = 0; i < status->source_count; i++) {
        struct daemon_source *source = &status->sources[i];
        char path[sizeof(status->sources_folder) + sizeof(source->id) + 8];
        snprintf(path, sizeof(path), "%s/%s.json", status->sources_folder, source->id);
        cJSON *json = source->configured ? read_json(path) : NULL;
        double checked = cJSON_GetNumberValue(cJSON_GetObjectItem(json, "checked_at"));
        source->checked_at = checked > 0 ? (int64_t)checked : 0;
        const char *error = cJSON_GetStringValue(cJSON_GetObjectItem(json, "error"));
        if (error && *error) {
            snprintf(source->error, sizeof(source->error), "%s", error);
            add_reason(status, source,
                       cJSON_GetNumberValue(cJSON_GetObjectItem(json, "failing_since")));
        }
        cJSON_Delete(json);
    }
}
