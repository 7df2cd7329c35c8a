// SPDX-License-Identifier: Apache-2.0
/* What the last update said of each source: read from state_dir/sources/ID.json, which
 * the CLI writes. A file that cannot be read says nothing. */
#include <stdarg.h>
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

/* " since 2026-07-01 06:00" in server.timezone, or nothing. */
enum { SINCE_MAX = 48 };
static const char *print_time(const char *word, double since, char out[SINCE_MAX])
{
    char text[SINCE_MAX / 2];
    time_t when = (time_t)since;
    struct tm parts;
    out[0] = '\0';
    if (since > 0 && localtime_r(&when, &parts)) {
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &parts);
        snprintf(out, SINCE_MAX, " %.20s %s", word, text);
    }
    return out;
}

__attribute__((format(printf, 2, 3))) static void add_reason(struct daemon_status *status,
                                                             const char *format, ...)
{
    va_list args;
    if (status->reason_count == DAEMON_REASONS_MAX) {
        status->reasons_more++;
        return;
    }
    va_start(args, format);
    vsnprintf(status->reasons[status->reason_count++], sizeof(status->reasons[0]), format, args);
    va_end(args);
    if (status->state == DAEMON_PROTECTED) {
        status->state = DAEMON_DEGRADED;
    }
}

static double number_of(const cJSON *json, const char *key)
{
    double value = cJSON_GetNumberValue(cJSON_GetObjectItem(json, key));
    return value > 0 ? value : 0;
}

/* One reason of each source: what fails, else what is late, else what has expired. */
static void judge(struct daemon_status *status, struct daemon_source *source, const cJSON *json)
{
    char since[SINCE_MAX];
    const char *error = cJSON_GetStringValue(cJSON_GetObjectItem(json, "error"));
    double expires = number_of(json, "expires");
    int64_t good = source->checked_at ? source->checked_at : source->fetched_at;
    if (error && *error) {
        snprintf(source->error, sizeof(source->error), "%s", error);
        add_reason(status, "list %s fails%s: %.120s", source->id,
                   print_time("since", number_of(json, "failing_since"), since), source->error);
    } else if (good > 0 && source->overdue_s && !status->pinned &&
               status->now - good > source->overdue_s) {
        add_reason(status, "list %s was last updated%s: does a timer run `greengate update`?",
                   source->id, print_time("at", (double)good, since));
    } else if (expires > 0 && (double)status->now >= expires) {
        add_reason(status, "list %s, by its signature, expired%s; it stays in force", source->id,
                   print_time("at", expires, since));
    }
}

void control_add_troubles(struct daemon_status *status)
{
    for (size_t i = 0; i < status->source_count; i++) {
        struct daemon_source *source = &status->sources[i];
        char path[sizeof(status->sources_folder) + sizeof(source->id) + 8];
        snprintf(path, sizeof(path), "%s/%s.json", status->sources_folder, source->id);
        cJSON *json = source->configured ? read_json(path) : NULL;
        source->checked_at = (int64_t)number_of(json, "checked_at");
        if (source->configured) {
            judge(status, source, json);
        }
        cJSON_Delete(json);
    }
}
