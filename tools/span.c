// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>

#include "tools/cli.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 86400, WEEK = 7 * DAY };

const char *cli_span(int64_t seconds, char out[CLI_SPAN_MAX])
{
    static const struct {
        int64_t unit, from; /* used from this length on */
        const char *one, *many;
    } units[] = {
        {DAY, 2 * DAY, "day", "days"},
        {HOUR, 2 * HOUR, "hour", "hours"},
        {MINUTE, 2 * MINUTE, "minute", "minutes"},
        {1, 0, "second", "seconds"},
    };
    size_t i = 0;
    seconds = seconds > 0 ? seconds : 0;
    while (seconds < units[i].from) {
        i++;
    }
    long long count = seconds / units[i].unit;
    snprintf(out, CLI_SPAN_MAX, "%lld %s", count, count == 1 ? units[i].one : units[i].many);
    return out;
}

static int64_t unit_of(char letter)
{
    switch (letter) {
    case 's': return 1;
    case 'm': return MINUTE;
    case 'h': return HOUR;
    case 'd': return DAY;
    case 'w': return WEEK;
    default: return 0;
    }
}

int64_t cli_parse_span(const char *text)
{
    char *end = NULL;
    errno = 0;
    long long count = strtoll(text, &end, 10);
    int64_t unit = *end ? unit_of(*end) : 0;
    if (errno || end == text || unit == 0 || end[1] != '\0' || count < 1 ||
        count > INT64_MAX / WEEK) {
        return -EINVAL;
    }
    return count * unit;
}
