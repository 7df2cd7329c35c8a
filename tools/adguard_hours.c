// SPDX-License-Identifier: Apache-2.0
#include "tools/adguard_hours.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400 };

/* "9h30m0s", or milliseconds; -1 for neither. */
static long read_duration(const char *text)
{
    long total = 0;
    char *end;
    if (text[0] && !text[strspn(text, "0123456789")]) {
        return strtol(text, NULL, 10) / 1000;
    }
    while (*text) {
        long part = strtol(text, &end, 10);
        long unit = *end == 'h' ? 3600 : *end == 'm' ? 60 : *end == 's' ? 1 : 0;
        if (end == text || part < 0 || part > DAY_S || !unit) {
            return -1;
        }
        total += part * unit;
        text = end + 1;
    }
    return total;
}

static void add_row(cJSON *schedule, const cJSON *ids, const char *day, const long span[2])
{
    char text[2][8];
    for (int i = 0; i < 2; i++) {
        snprintf(text[i], sizeof(text[i]), "%02u:%02u", (unsigned)(span[i] / 3600) % 100U,
                 (unsigned)(span[i] / 60 % 60));
    }
    if (strcmp(text[0], text[1]) == 0) {
        return;
    }
    cJSON *row = cJSON_CreateObject();
    cJSON_AddItemToObject(row, "services", cJSON_Duplicate(ids, true));
    cJSON_AddStringToObject(row, "days", day);
    cJSON_AddStringToObject(row, "from", text[0]);
    cJSON_AddStringToObject(row, "to", text[1]);
    cJSON_AddItemToArray(schedule, row);
}

/* There a schedule says when services are open; here a row says when they are not. */
cJSON *foreign_take_hours(struct moving *moving, const struct yaml_node *times, const cJSON *ids)
{
    static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    cJSON *schedule = cJSON_CreateArray();
    for (size_t i = 0; i < 7; i++) {
        const struct yaml_node *day = yaml_get(times, days[i]);
        const char *start = day && day->kind == YAML_MAP ? yaml_get_text(day, "start") : NULL;
        const char *end = start ? yaml_get_text(day, "end") : NULL;
        long from = start ? read_duration(start) : 0, to = end ? read_duration(end) : 0;
        if (from < 0 || to > DAY_S || to < from) {
            moving_leave(moving, THING("schedule", days[i]), "line %u: not a span of the day",
                         day ? day->line : 0);
            from = to = 0;
        }
        add_row(schedule, ids, days[i], (const long[2]){0, to > from ? from : DAY_S});
        if (to > from) {
            add_row(schedule, ids, days[i], (const long[2]){to, DAY_S});
        }
    }
    return schedule;
}

bool foreign_has_hours(const struct yaml_node *times)
{
    const struct yaml_node *key = times && times->kind == YAML_MAP ? times->first : NULL;
    for (; key; key = key->next) {
        if (key->kind == YAML_MAP) {
            return true;
        }
    }
    return false;
}
