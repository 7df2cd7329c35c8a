// SPDX-License-Identifier: Apache-2.0
#include "tools/when.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/schedule.h"

/* The zone that the daemon lives in, which runs on the configuration before the mistake. */
static void use_zone_of_daemon(const struct cli *cli)
{
    struct cli silent = *cli;
    struct diag diag = {0};
    cJSON *reply = NULL, *request = cJSON_CreateObject();
    silent.quiet = true;
    silent.json = false;
    cJSON_AddStringToObject(request, "command", "settings");
    if (cli_try_ask(&silent, request, &reply, &diag) == 0 && *cli_text(reply, "timezone")) {
        setenv("TZ", cli_text(reply, "timezone"), 1);
    }
    tzset();
    cJSON_Delete(reply);
}

void when_use_timezone(const struct cli *cli)
{
    struct config *config = NULL;
    struct diag diag = {0};
    int err = config_load(cli->config_path, &config, &diag);
    if (err == 0) {
        schedule_set_timezone(config);
        config_free(config);
    } else if (err == -EINVAL) {
        use_zone_of_daemon(cli);
    }
}

/* 0 = Sunday, as struct tm; -1: no day of the week. */
static int read_weekday(const char *text)
{
    static const char *const days[7] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
    for (int i = 0; i < 7; i++) {
        if (strncmp(text, days[i], 3) == 0 && text[3] == ' ') {
            return i;
        }
    }
    return -1;
}

static int64_t make_time(struct tm tm, int days)
{
    tm.tm_mday += days;
    tm.tm_sec = 0;
    tm.tm_isdst = -1;
    return (int64_t)mktime(&tm);
}

static int64_t read_clock(const char *text, struct tm today, int days)
{
    int minute = schedule_time(text);
    if (minute < 0) {
        return 0;
    }
    today.tm_hour = minute / 60;
    today.tm_min = minute % 60;
    return make_time(today, days);
}

/* "2026-12-24", then a time behind a blank or T, or nothing. */
static int64_t read_date(const char *text)
{
    char date[11];
    struct tm tm = {0};
    snprintf(date, sizeof(date), "%.10s", text);
    uint32_t day = schedule_date(date);
    if (!day || (text[10] && text[10] != ' ' && text[10] != 'T')) {
        return 0;
    }
    tm.tm_year = (int)(day / 10000) - 1900;
    tm.tm_mon = (int)(day / 100 % 100) - 1;
    tm.tm_mday = (int)(day % 100);
    return text[10] ? read_clock(text + 11, tm, 0) : make_time(tm, 0);
}

int64_t when_parse(const char *text, int64_t now, bool ahead)
{
    time_t at = (time_t)now;
    struct tm today;
    localtime_r(&at, &today);
    if (strlen(text) >= 10) {
        return read_date(text);
    }
    int weekday = read_weekday(text);
    if (weekday >= 0) {
        int days = (weekday - today.tm_wday + 7) % 7;
        int64_t found = read_clock(text + 4, today, days);
        return found && found <= now ? read_clock(text + 4, today, days + 7) : found;
    }
    int64_t found = read_clock(text, today, 0);
    return found && ahead && found <= now ? read_clock(text, today, 1) : found;
}

/* False when it is no time. */
static bool split(int64_t at, struct tm *tm)
{
    time_t when = (time_t)at;
    return at > 0 && localtime_r(&when, tm);
}

const char *when_print(int64_t at, char out[WHEN_TEXT_MAX])
{
    struct tm tm;
    return split(at, &tm) && strftime(out, WHEN_TEXT_MAX, "%a %Y-%m-%d %H:%M", &tm) ? out : "-";
}

const char *when_stamp(int64_t at, char out[WHEN_TEXT_MAX])
{
    struct tm tm;
    return split(at, &tm) && strftime(out, WHEN_TEXT_MAX, "%Y-%m-%d %H:%M", &tm) ? out : "-";
}

const char *when_day(int64_t at, char out[WHEN_TEXT_MAX])
{
    struct tm tm;
    return split(at, &tm) && strftime(out, WHEN_TEXT_MAX, "%Y-%m-%d", &tm) ? out : "-";
}
