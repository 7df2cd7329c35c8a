// SPDX-License-Identifier: Apache-2.0
#include "blocklists/schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"

enum { HOUR = 3600, MINUTES_A_DAY = 24 * 60, SPREAD = 10 };

uint64_t schedule_salt(void)
{
    char text[256] = "";
    FILE *file = fopen("/etc/machine-id", "re");
    size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
    if (file) {
        fclose(file);
    }
    if (len == 0 && gethostname(text, sizeof(text) - 1) == 0) {
        len = strlen(text);
    }
    return hash_seeded(0, text, len);
}

int64_t schedule_interval(const struct config *config, const struct config_source *source,
                          uint64_t salt)
{
    int64_t hours = source->update_every_h ? source->update_every_h : config->lists.update_every_h;
    int64_t interval = hours * HOUR;
    uint64_t lot = hash_seeded(salt, source->id, strlen(source->id));
    return interval + (int64_t)(lot % (uint64_t)(interval / SPREAD + 1));
}

/* Of "19:00" or "9:00", whatever follows. */
static int minutes_of(const char *text)
{
    char *end;
    int hour = (int)strtol(text, &end, 10);
    return hour * 60 + (int)strtol(end + 1, NULL, 10);
}

bool schedule_allows(const struct config *config, const struct config_source *source, int64_t now)
{
    const char *window =
        *source->update_window ? source->update_window : config->lists.update_window;
    time_t when = (time_t)now;
    struct tm tm;
    if (!*window) {
        return true;
    }
    bool utc = strstr(window, "UTC");
    if (!(utc ? gmtime_r(&when, &tm) : localtime_r(&when, &tm))) {
        return true;
    }
    int from = minutes_of(window) % MINUTES_A_DAY;
    int until = minutes_of(strchr(window, '-') + 1); /* 24:00 is behind every minute of a day */
    int minute = tm.tm_hour * 60 + tm.tm_min;
    bool past_from = minute >= from;
    bool before_until = minute < until;
    return from < until ? past_from && before_until : past_from || before_until;
}

int64_t schedule_pause(uint64_t failures, int64_t retry_after_s)
{
    int64_t pause = SCHEDULE_PAUSE_MIN;
    while (failures > 1 && pause < SCHEDULE_PAUSE_MAX) {
        pause *= 2;
        failures--;
    }
    pause = pause > retry_after_s ? pause : retry_after_s;
    return pause < SCHEDULE_PAUSE_MAX ? pause : SCHEDULE_PAUSE_MAX;
}
