// SPDX-License-Identifier: Apache-2.0
/* report: the sums of a month, and the page that shows them. */
#pragma once
#include "config/catalog.h"
#include "config/config.h"
#include "tools/cli.h"
#include "tools/wordbook.h"

enum { REPORT_DAYS_MAX = 31, REPORT_HOURS = 24 };

struct report_sum {
    double queries, blocked;
};

struct report {
    const struct config *config;
    const struct catalog *catalog;
    const struct wordbook *texts; /* data_dir/report.yaml */
    const char *language;
    int year, month, days; /* month 1 to 12 */
    int64_t first, end;    /* seconds since 1970, of the local month */
    int64_t made;
    bool partial; /* the file of statistics could not be read */
    struct report_sum by_day[REPORT_DAYS_MAX], by_hour[REPORT_HOURS];
    double queries, blocked, allowed, failed;
    const cJSON *categories, *groups; /* replies to `stats` */
    const cJSON *domains;             /* the same by domain; NULL: no names are counted */
    const cJSON *status;
};

/* One self-contained page of HTML. */
void report_write(const struct report *report, FILE *out);
