// SPDX-License-Identifier: Apache-2.0
/* schedule: a row of groups.schedule, read, and when it is in force.
 *
 * Times are those of a wall clock in the local zone: an hour that daylight saving
 * leaves out does not come, one that it doubles counts twice. A window belongs to the
 * day on which it begins, also when it crosses midnight. */
#pragma once
#include "config/config.h"

enum { SCHEDULE_SPANS_MAX = 16, SCHEDULE_DATES_MAX = 64, MINUTES_PER_DAY = 1440 };

/* [from, to) in minutes of the day; to <= from: into the next day. */
struct schedule_span {
    uint16_t from, to;
};

/* Whole days, as year * 10000 + month * 100 + day. */
struct schedule_dates {
    uint32_t first, last;
};

struct schedule_row {
    uint8_t days; /* bit 0 = Monday */
    uint8_t span_count;
    uint8_t on_count, off_count;
    bool only_on; /* on is given: no other day */
    struct schedule_span spans[SCHEDULE_SPANS_MAX];
    struct schedule_dates on[SCHEDULE_DATES_MAX], off[SCHEDULE_DATES_MAX];
};

/* The rows of one group, in the order of groups.schedule. */
struct timetable {
    struct schedule_row *rows;
};

/* A moment on the wall. */
struct schedule_moment {
    uint32_t date;   /* as schedule_dates */
    uint16_t minute; /* of the day */
    uint8_t weekday; /* 0 = Monday */
    uint32_t yesterday;
};

/* Read a row's times; bells and dates are looked up in config->calendar (NULL: their
 * names are not). NULL when it is fine, else the end of the sentence "this is ...", which
 * lives until the thread's next one. */
const char *schedule_read(const char *text, const struct config *config,
                          struct schedule_row *ret_row);

bool schedule_covers(const struct schedule_row *row, const struct schedule_moment *moment);

/* now: seconds since 1970, told in the process's time zone. */
void schedule_moment_of(int64_t now, struct schedule_moment *ret_moment);

/* "08:30" or "8:30" -> 510, also 24:00; -1 when it is none. */
int schedule_time(const char *text);

/* "2026-12-25" -> 20261225; 0 when there is no such day. */
uint32_t schedule_date(const char *text);

/* Let the process live in server.timezone; before it has threads. */
void schedule_set_timezone(const struct config *config);
