// SPDX-License-Identifier: Apache-2.0
#include "config/schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config/check.h"
#include "config/keyed.h"

static const char *const day_names[7] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static bool all_digits(const char *text, size_t len)
{
    return strspn(text, "0123456789") >= len;
}

/* The end of a sentence that quotes what is wrong; it lives until the next one. */
static const char *naming(const char *what, const char *text, const char *forms)
{
    static _Thread_local char why[256];
    snprintf(why, sizeof(why), "naming %s'%.60s'%s", what, text, forms);
    return why;
}

int schedule_time(const char *text)
{
    size_t len = strcspn(text, ":"); /* of the hour: one digit or two */
    if (len < 1 || len > 2 || strlen(text) != len + 3 || !all_digits(text, len) ||
        !all_digits(text + len + 1, 2)) {
        return -1;
    }
    int hour = atoi(text), minute = atoi(text + len + 1), total = hour * 60 + minute;
    return minute < 60 && total <= MINUTES_PER_DAY ? total : -1;
}

static unsigned days_of(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

uint32_t schedule_date(const char *text)
{
    if (strlen(text) != 10 || !all_digits(text, 4) || text[4] != '-' || !all_digits(text + 5, 2) ||
        text[7] != '-' || !all_digits(text + 8, 2)) {
        return 0;
    }
    unsigned year = (unsigned)atoi(text), month = (unsigned)atoi(text + 5),
             day = (unsigned)atoi(text + 8);
    bool good = month >= 1 && month <= 12 && day >= 1 && day <= days_of(year, month);
    return good ? year * 10000 + month * 100 + day : 0;
}

/* "2026-12-25" or "2026-12-25..2027-02-28" */
static bool read_dates(const char *text, struct schedule_dates *ret_dates)
{
    char first[11];
    const char *dots = strstr(text, "..");
    size_t len = dots ? (size_t)(dots - text) : strlen(text);
    if (len != 10) {
        return false;
    }
    memcpy(first, text, len);
    first[len] = '\0';
    ret_dates->first = schedule_date(first);
    ret_dates->last = dots ? schedule_date(dots + 2) : ret_dates->first;
    return ret_dates->first && ret_dates->last >= ret_dates->first;
}

static int find_day(const char *text, size_t len)
{
    for (int i = 0; i < 7; i++) {
        if (len == 3 && strncmp(text, day_names[i], 3) == 0) {
            return i;
        }
    }
    return -1;
}

/* "mon", "mon-fri", "fri-mon" */
static bool read_day_range(const char *text, size_t len, uint8_t *days)
{
    const char *dash = memchr(text, '-', len);
    int first = find_day(text, dash ? (size_t)(dash - text) : len);
    int last = dash ? find_day(dash + 1, len - (size_t)(dash + 1 - text)) : first;
    if (first < 0 || last < 0) {
        return false;
    }
    for (int day = first;; day = (day + 1) % 7) {
        *days |= (uint8_t)(1 << day);
        if (day == last) {
            return true;
        }
    }
}

/* "daily", "weekdays", "weekend", "mon-fri", "mon,wed,fri" */
static bool read_days(const char *text, uint8_t *ret_days)
{
    static const struct {
        const char *word;
        uint8_t days;
    } words[] = {{"daily", 0x7f}, {"weekdays", 0x1f}, {"weekend", 0x60}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(text, words[i].word) == 0) {
            *ret_days = words[i].days;
            return true;
        }
    }
    bool good = *text;
    *ret_days = 0;
    while (good && *text) {
        size_t len = strcspn(text, ",");
        good = read_day_range(text, len, ret_days) && (!text[len] || text[len + 1]);
        text += len + (text[len] == ',');
    }
    return good;
}

static const char *add_span(struct schedule_row *row, const char *begin, const char *end)
{
    int from = schedule_time(begin), to = schedule_time(end);
    if (from < 0 || to < 0 || from == MINUTES_PER_DAY) {
        return naming("", from < 0 || from == MINUTES_PER_DAY ? begin : end,
                      " as a time of the day (08:30; 24:00 as an end)");
    }
    if (from == to) {
        return "empty: it begins when it ends";
    }
    if (row->span_count == SCHEDULE_SPANS_MAX) {
        return "more than 16 spans of the day";
    }
    row->spans[row->span_count++] = (struct schedule_span){(uint16_t)from, (uint16_t)to};
    return NULL;
}

/* "08:30-12:00" */
static const char *read_span(const char *text, struct schedule_row *row)
{
    char from[6] = "";
    size_t len = strcspn(text, "-");
    if (!text[len] || len >= sizeof(from)) {
        return naming("", text, " in times, which is no span of the day (08:30-12:00)");
    }
    memcpy(from, text, len);
    return add_span(row, from, text + len + 1);
}

static const char *ring_bell(const char *name, const struct config *config,
                             struct schedule_row *row)
{
    char word[KEYED_MAX], from[KEYED_MAX], to[KEYED_MAX];
    for (size_t i = 0; config && i < config->calendar.bells.count; i++) {
        const char *bell = config->calendar.bells.items[i];
        keyed_get(bell, "name", word, sizeof(word));
        if (strcmp(word, name) == 0) {
            keyed_get(bell, "from", from, sizeof(from));
            keyed_get(bell, "to", to, sizeof(to));
            return add_span(row, from, to);
        }
    }
    return config ? naming("the bell ", name, ", which calendar.bells does not have") : NULL;
}

struct date_list {
    struct schedule_dates *items;
    uint8_t *count;
};

static const char *add_dates(const char *text, const struct date_list *list)
{
    if (*list->count == SCHEDULE_DATES_MAX) {
        return "more than 64 dates";
    }
    bool good = read_dates(text, &list->items[*list->count]);
    *list->count = (uint8_t)(*list->count + good);
    return good ? NULL : naming("", text, " as a date (2026-12-25, 2026-12-25..2027-02-28)");
}

static const char *add_named_dates(const char *entry, const struct date_list *list)
{
    char dates[KEYED_MAX];
    const char *why = NULL;
    keyed_get(entry, "on", dates, sizeof(dates));
    for (char *save = NULL, *date = strtok_r(dates, ",", &save); date && !why;
         date = strtok_r(NULL, ",", &save)) {
        why = add_dates(date, list);
    }
    return why;
}

/* A date, a range of them, or a name of calendar.dates. */
static const char *read_day_set(const char *word, const struct config *config,
                                const struct date_list *list)
{
    char name[KEYED_MAX];
    if (all_digits(word, 4)) {
        return add_dates(word, list);
    }
    for (size_t i = 0; config && i < config->calendar.dates.count; i++) {
        keyed_get(config->calendar.dates.items[i], "name", name, sizeof(name));
        if (strcmp(name, word) == 0) {
            return add_named_dates(config->calendar.dates.items[i], list);
        }
    }
    return config ? naming("the dates ", word, ", which calendar.dates does not have") : NULL;
}

static const char *read_list(const char *text, const char *key, const struct config *config,
                             struct schedule_row *row)
{
    char words[KEYED_MAX];
    const char *why = NULL;
    const struct date_list on = {row->on, &row->on_count}, off = {row->off, &row->off_count};
    keyed_get(text, key, words, sizeof(words));
    for (char *save = NULL, *word = strtok_r(words, ",", &save); word && !why;
         word = strtok_r(NULL, ",", &save)) {
        why = strcmp(key, "times") == 0   ? read_span(word, row)
              : strcmp(key, "bells") == 0 ? ring_bell(word, config, row)
              : strcmp(key, "on") == 0    ? read_day_set(word, config, &on)
                                          : read_day_set(word, config, &off);
    }
    return why;
}

static bool has_key(const char *text, const char *key)
{
    char value[KEYED_MAX];
    return keyed_get(text, key, value, sizeof(value));
}

static const char *read_from_to(const char *text, struct schedule_row *row)
{
    char from[KEYED_MAX], to[KEYED_MAX];
    bool begins = keyed_get(text, "from", from, sizeof(from));
    bool ends = keyed_get(text, "to", to, sizeof(to));
    if (!begins && !ends) {
        return NULL;
    }
    return begins && ends ? add_span(row, from, to) : "with only one of from and to";
}

const char *schedule_read(const char *text, const struct config *config,
                          struct schedule_row *ret_row)
{
    static const char *const lists[] = {"times", "bells", "on", "not_on"};
    char days[KEYED_MAX];
    struct schedule_row *row = ret_row;
    memset(row, 0, sizeof(*row));
    row->days = 0x7f;
    row->only_on = has_key(text, "on");
    if (keyed_get(text, "days", days, sizeof(days)) && !read_days(days, &row->days)) {
        return naming("", days, " as days (mon, mon-fri, \"mon,wed\", daily, weekdays, weekend)");
    }
    const char *why = read_from_to(text, row);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && !why; i++) {
        why = read_list(text, lists[i], config, row);
    }
    if (!why && row->span_count == 0 && !has_key(text, "bells")) {
        row->spans[row->span_count++] = (struct schedule_span){0, MINUTES_PER_DAY};
    }
    return why;
}

static bool has_date(const struct schedule_dates *dates, unsigned count, uint32_t date)
{
    for (unsigned i = 0; i < count; i++) {
        if (date >= dates[i].first && date <= dates[i].last) {
            return true;
        }
    }
    return false;
}

/* Does a window begin on that day? */
static bool is_day(const struct schedule_row *row, unsigned weekday, uint32_t date)
{
    return row->days >> weekday & 1 && (!row->only_on || has_date(row->on, row->on_count, date)) &&
           !has_date(row->off, row->off_count, date);
}

bool schedule_covers(const struct schedule_row *row, const struct schedule_moment *moment)
{
    bool today = is_day(row, moment->weekday, moment->date);
    bool yesterday = is_day(row, (moment->weekday + 6U) % 7, moment->yesterday);
    for (unsigned i = 0; i < row->span_count; i++) {
        const struct schedule_span *span = &row->spans[i];
        bool crosses = span->to <= span->from;
        bool begun = moment->minute >= span->from && (crosses || moment->minute < span->to);
        if ((today && begun) || (yesterday && crosses && moment->minute < span->to)) {
            return true;
        }
    }
    return false;
}

static uint32_t date_of(const struct tm *tm)
{
    return (uint32_t)(tm->tm_year + 1900) * 10000 + (uint32_t)(tm->tm_mon + 1) * 100 +
           (uint32_t)tm->tm_mday;
}

static uint32_t day_before(const struct tm *tm)
{
    struct tm before = *tm;
    if (--before.tm_mday == 0) {
        before.tm_mon = (tm->tm_mon + 11) % 12;
        before.tm_year -= tm->tm_mon == 0;
        before.tm_mday = (int)days_of((unsigned)before.tm_year + 1900, (unsigned)before.tm_mon + 1);
    }
    return date_of(&before);
}

void schedule_moment_of(int64_t now, struct schedule_moment *ret_moment)
{
    time_t at = (time_t)now;
    struct tm tm = {0};
    localtime_r(&at, &tm);
    *ret_moment = (struct schedule_moment){.date = date_of(&tm),
                                           .minute = (uint16_t)(tm.tm_hour * 60 + tm.tm_min),
                                           .weekday = (uint8_t)((tm.tm_wday + 6) % 7),
                                           .yesterday = day_before(&tm)};
}

/* What a row's text alone can tell; names of bells and dates are looked up later. */
const char *check_schedule(const char *text)
{
    struct schedule_row row;
    bool acts = has_key(text, "block") || has_key(text, "services") || has_key(text, "allow");
    if (!acts) {
        return "without block, services or allow";
    }
    if (has_key(text, "except") && !has_key(text, "block")) {
        return "with except, which needs block: [all]";
    }
    return schedule_read(text, NULL, &row);
}

const char *check_bell(const char *text)
{
    char name[KEYED_MAX];
    struct schedule_row row;
    if (!keyed_get(text, "name", name, sizeof(name)) || check_id(name)) {
        return "without a name (lesson-1)";
    }
    if (!has_key(text, "from") || !has_key(text, "to")) {
        return "without from and to";
    }
    return schedule_read(text, NULL, &row);
}

const char *check_dates(const char *text)
{
    char name[KEYED_MAX];
    struct schedule_dates dates[SCHEDULE_DATES_MAX];
    uint8_t count = 0;
    if (!keyed_get(text, "name", name, sizeof(name)) || check_id(name) || all_digits(name, 1)) {
        return "without a name (holidays)";
    }
    const char *why = add_named_dates(text, &(struct date_list){dates, &count});
    return why ? why : count ? NULL : "without dates in on";
}

/* "KST-9", "CET-1CEST,M3.5.0,M10.5.0/3": letters, then an offset. */
static bool is_posix_zone(const char *text)
{
    size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    size_t sign = strspn(text + len, "+-");
    return len >= 3 && sign <= 1 && all_digits(text + len + sign, 1) && !strchr(text, ' ');
}

const char *check_timezone(const char *text)
{
    char path[256];
    const char *folder = getenv("TZDIR");
    int len = snprintf(path, sizeof(path), "%s/%s", folder ? folder : "/usr/share/zoneinfo", text);
    bool plain = *text != '/' && *text != '.' && !strstr(text, "..") && !strchr(text, ' ');
    if (!*text || is_posix_zone(text)) {
        return NULL;
    }
    return plain && len < (int)sizeof(path) && access(path, R_OK) == 0
               ? NULL
               : "no time zone here (Asia/Seoul; the package tzdata has them; or KST-9)";
}

void schedule_set_timezone(const struct config *config)
{
    if (*config->server.timezone) {
        setenv("TZ", config->server.timezone, 1);
    }
    tzset();
}
