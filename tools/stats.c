// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include <time.h>

#include "tools/cli.h"

enum { WEEK_S = 7 * 86400 }; /* the daemon's --since */

struct period {
    const char *since, *until, *by; /* NULL: not given */
    bool csv;
    int64_t since_s, until_s; /* 0: the daemon's default */
};

/* "7d" back from now, or a local date with or without a time of day. */
static int parse_moment(const char *text, int64_t *ret_moment)
{
    struct tm tm = {.tm_isdst = -1};
    int64_t span = cli_parse_span(text);
    if (span > 0) {
        int64_t now = time(NULL);
        *ret_moment = span < now ? now - span : 1;
        return 0;
    }
    const char *end = strptime(text, "%Y-%m-%d", &tm);
    if (end && (*end == 'T' || *end == ' ')) {
        end = strptime(end + 1, "%H:%M", &tm);
    }
    if (!end || *end) {
        return -EINVAL;
    }
    int day = tm.tm_mday;
    *ret_moment = mktime(&tm);
    /* 31 November became 1 December. */
    return *ret_moment > 0 && tm.tm_mday == day ? 0 : -EINVAL;
}

static int64_t since_of(const struct period *period)
{
    return period->since_s ? period->since_s : (int64_t)time(NULL) - WEEK_S;
}

static int read_period(struct cli *cli, int argc, char **argv, struct period *period)
{
    const struct cli_option options[] = {
        {"--since", NULL, &period->since},
        {"--until", NULL, &period->until},
        {"--by", NULL, &period->by},
        {"--csv", &period->csv, NULL},
        {NULL, NULL, NULL},
    };
    int count = cli_options(cli, argc, argv, options);
    if (count < 0) {
        return CLI_USAGE;
    }
    if (count > 0) {
        return cli_usage(cli, "stats", "options only are expected");
    }
    if (period->since && parse_moment(period->since, &period->since_s) < 0) {
        return cli_usage(cli, "stats",
                         "--since needs 24h, 7d, or a date that there is, 2026-11-01");
    }
    if (period->until && parse_moment(period->until, &period->until_s) < 0) {
        return cli_usage(cli, "stats",
                         "--until needs 24h, 7d, or a date that there is, 2026-11-01");
    }
    if (period->until_s && period->until_s <= since_of(period)) {
        return cli_usage(cli, "stats", "--until is not after --since, so nothing is between");
    }
    return CLI_DONE;
}

static cJSON *make_request(const struct period *period)
{
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", "stats");
    if (period->by) {
        cJSON_AddStringToObject(request, "by", period->by);
    }
    if (period->since_s) {
        cJSON_AddNumberToObject(request, "since", (double)period->since_s);
    }
    if (period->until_s) {
        cJSON_AddNumberToObject(request, "until", (double)period->until_s);
    }
    return request;
}

static void print_csv_text(FILE *out, const char *text)
{
    if (!strpbrk(text, ",\"\n\r")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        fprintf(out, *text == '"' ? "\"\"" : "%c", *text);
    }
    fputc('"', out);
}

static void print_csv_row(FILE *out, const cJSON *row)
{
    const cJSON *cell;
    cJSON_ArrayForEach(cell, row)
    {
        if (cJSON_IsNumber(cell)) {
            fprintf(out, "%.0f", cell->valuedouble);
        } else {
            print_csv_text(out, cell->valuestring ? cell->valuestring : "");
        }
        fputs(cell->next ? "," : "\n", out);
    }
}

static int print_csv(struct cli *cli, const cJSON *reply)
{
    const cJSON *row;
    print_csv_row(cli->out, cJSON_GetObjectItemCaseSensitive(reply, "columns"));
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(reply, "rows"))
    {
        print_csv_row(cli->out, row);
    }
    return CLI_DONE;
}

/* "2026-11-22T04:00:00Z" as people here read their clock. */
static void print_local_hour(const char *label, char *out, size_t cap)
{
    struct tm tm = {0};
    const char *end = strptime(label, "%Y-%m-%dT%H:%M:%SZ", &tm);
    time_t at = end ? timegm(&tm) : 0;
    if (!end || !localtime_r(&at, &tm) || !strftime(out, cap, "%Y-%m-%d %H:%M", &tm)) {
        snprintf(out, cap, "%s", label);
    }
}

static void add_row(struct cli_table *table, const cJSON *row, bool hours)
{
    char label[64];
    const cJSON *cell;
    cJSON_ArrayForEach(cell, row)
    {
        const char *text = cJSON_GetStringValue(cell);
        if (!text) {
            cli_table_add(table, "%.0f", cell->valuedouble);
        } else if (hours) {
            print_local_hour(text, label, sizeof(label));
            cli_table_add(table, "%s", label);
        } else {
            cli_table_add(table, "%s", text);
        }
    }
}

/* The last line: the sums of the columns. */
static void add_totals(struct cli_table *table, const cJSON *reply, const cJSON *columns)
{
    const cJSON *totals = cJSON_GetObjectItemCaseSensitive(reply, "totals");
    const cJSON *column;
    cJSON_ArrayForEach(column, columns)
    {
        if (column == columns->child) {
            cli_table_add(table, "total");
        } else if (!cJSON_HasObjectItem(totals, column->valuestring)) {
            cli_table_add(table, "%s", "");
        } else {
            cli_table_add(table, "%.0f", cli_number(totals, column->valuestring));
        }
    }
}

static void print_summary(struct cli *cli, const cJSON *reply)
{
    const cJSON *totals = cJSON_GetObjectItemCaseSensitive(reply, "totals");
    double queries = cli_number(totals, "queries");
    double share = queries > 0 ? 100 / queries : 0;
    fprintf(cli->out,
            "\n%.0f queries, %.1f %% blocked, %.1f %% from the cache, %.2f ms on average\n",
            queries, cli_number(totals, "blocked") * share,
            cli_number(totals, "from_cache") * share, cli_number(totals, "latency_mean_us") / 1000);
    if (cli_flag(reply, "partial")) {
        fprintf(cli->out, "Only what is in memory: the statistics file cannot be read.\n");
    }
    if (*cli_text(reply, "degraded")) {
        fprintf(cli->out, "%s\n", cli_text(reply, "degraded"));
    }
}

static int print_table(struct cli *cli, const cJSON *reply)
{
    char headings[CLI_COLUMNS_MAX][32];
    struct cli_table table = {0};
    const cJSON *columns = cJSON_GetObjectItemCaseSensitive(reply, "columns");
    const cJSON *row, *column;
    size_t count = 0;
    cJSON_ArrayForEach(column, columns)
    {
        if (!column->valuestring || count == CLI_COLUMNS_MAX) {
            return cli_fail(cli, CLI_FAILED, "the daemon's reply is not understood");
        }
        snprintf(headings[count], sizeof(headings[count]), "%s%s", count ? ">" : "",
                 column->valuestring);
        table.headings[count] = headings[count];
        count++;
    }
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(reply, "rows"))
    {
        add_row(&table, row, strcmp(columns->child->valuestring, "hour") == 0);
    }
    if (count > 0) {
        add_totals(&table, reply, columns);
    }
    int code = cli_table_print(cli, &table);
    print_summary(cli, reply);
    return code;
}

int cmd_stats(struct cli *cli, int argc, char **argv)
{
    struct period period = {0};
    cJSON *reply = NULL;
    int code = read_period(cli, argc, argv, &period);
    if (code == CLI_DONE) {
        code = cli_ask(cli, make_request(&period), &reply);
    }
    if (code != CLI_DONE) {
        return code;
    }
    if (cli->json) {
        return cli_print_json(cli, reply);
    }
    code = period.csv ? print_csv(cli, reply) : print_table(cli, reply);
    cJSON_Delete(reply);
    return code;
}
