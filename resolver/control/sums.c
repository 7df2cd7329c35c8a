// SPDX-License-Identifier: Apache-2.0
#include <errno.h>

#include "config/config.h"
#include "control/commands.h"
#include "policy/snapshot.h"
#include "stats/stats_query.h"

enum { WEEK_S = 7 * 86400 };

static void add_verdicts(cJSON *array, const struct stats_row *row)
{
    for (int v = 0; v < STATS_VERDICTS; v++) {
        cJSON_AddItemToArray(array, cJSON_CreateNumber((double)row->verdicts[v]));
    }
}

/* Rows are arrays: a year of hours must fit one frame. */
static void add_rows(cJSON *reply, const struct stats_result *result, enum stats_by by)
{
    cJSON *columns = cJSON_AddArrayToObject(reply, "columns");
    cJSON *rows = cJSON_AddArrayToObject(reply, "rows");
    bool split = result->split && by != STATS_BY_VERDICT;
    bool hourly = by == STATS_BY_CATEGORY_HOUR;
    if (hourly) {
        cJSON_AddItemToArray(columns, cJSON_CreateString(stats_by_words[STATS_BY_HOUR]));
    }
    cJSON_AddItemToArray(columns,
                         cJSON_CreateString(stats_by_words[hourly ? STATS_BY_CATEGORY : by]));
    cJSON_AddItemToArray(columns, cJSON_CreateString("queries"));
    for (int v = 0; split && v < STATS_VERDICTS; v++) {
        cJSON_AddItemToArray(columns, cJSON_CreateString(stats_verdict_names[v]));
    }
    for (size_t i = 0; i < result->count; i++) {
        cJSON *row = cJSON_CreateArray();
        cJSON_AddItemToArray(rows, row);
        if (hourly) {
            char hour[STATS_LABEL_MAX];
            stats_label(STATS_BY_HOUR, result->rows[i].key, hour);
            cJSON_AddItemToArray(row, cJSON_CreateString(hour));
        }
        cJSON_AddItemToArray(row, cJSON_CreateString(result->rows[i].label));
        cJSON_AddItemToArray(row, cJSON_CreateNumber((double)result->rows[i].total));
        if (split) {
            add_verdicts(row, &result->rows[i]);
        }
    }
}

static void add_totals(cJSON *reply, const struct stats_result *result)
{
    const struct stats_row *sum = &result->totals;
    cJSON *totals = cJSON_AddObjectToObject(reply, "totals");
    cJSON_AddNumberToObject(totals, "queries", (double)sum->total);
    for (int v = 0; v < STATS_VERDICTS; v++) {
        cJSON_AddNumberToObject(totals, stats_verdict_names[v], (double)sum->verdicts[v]);
    }
    cJSON_AddNumberToObject(totals, "from_cache", (double)result->from_cache);
    double mean_us = sum->total ? (double)result->latency_sum_us / (double)sum->total : 0;
    cJSON_AddNumberToObject(totals, "latency_mean_us", (double)(int64_t)(mean_us + 0.5));
}

static int read_query(const struct control_call *call, struct stats_query *query)
{
    const char *word = control_text(call, "by");
    int by = *word ? stats_by_find(word) : STATS_BY_CATEGORY;
    query->since = clock_wall_s(call->backend->clock) - WEEK_S;
    if (by < 0) {
        return diag_set(
            call->diag, CONTROL_USAGE,
            "by: one of hour, category, group, verdict, category-hour, domain, type, rcode, transport, "
            "origin, latency, country");
    }
    query->by = (enum stats_by)by;
    const struct snapshot *snapshot = call->backend->snapshot(call->backend->owner);
    if (by == STATS_BY_DOMAIN && snapshot && snapshot->config->stats.privacy != PRIVACY_DOMAINS) {
        return diag_set(call->diag, CONTROL_FAILED,
                        "no names are counted: stats.privacy is "
                        "counters");
    }
    if (control_number(call, "since", INT32_MAX * 4LL, &query->since) == -EINVAL ||
        control_number(call, "until", INT32_MAX * 4LL, &query->until) == -EINVAL) {
        return diag_set(call->diag, CONTROL_USAGE, "since, until: seconds since 1970");
    }
    return CONTROL_DONE;
}

int control_do_stats(struct control_call *call)
{
    char why[DIAG_TEXT_MAX];
    struct stats_query query = {0};
    struct stats_result result;
    int code = read_query(call, &query);
    if (code != CONTROL_DONE) {
        return code;
    }
    if (stats_query_run(call->backend->stats, &query, &result, call->diag) < 0) {
        return CONTROL_FAILED;
    }
    cJSON_AddStringToObject(call->reply, "by", stats_by_words[query.by]);
    cJSON_AddNumberToObject(call->reply, "since", (double)query.since);
    cJSON_AddNumberToObject(call->reply, "until", (double)query.until);
    add_rows(call->reply, &result, query.by);
    add_totals(call->reply, &result);
    cJSON_AddBoolToObject(call->reply, "partial", result.partial);
    if (stats_degraded(call->backend->stats, why, sizeof(why))) {
        cJSON_AddStringToObject(call->reply, "degraded", why);
    }
    stats_result_clear(&result);
    return CONTROL_DONE;
}
