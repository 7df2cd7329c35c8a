// SPDX-License-Identifier: Apache-2.0
#include "tools/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/when.h"

enum { YEAR_MIN = 2000, YEAR_MAX = 9999 };

struct wish {
    const char *month, *language, *out;
};

/* What the daemon told; all of it is freed at the end. */
struct replies {
    cJSON *hours, *categories, *groups, *domains, *status;
};

static int take_month(struct cli *cli, const char *text, struct report *report)
{
    struct tm first = {.tm_isdst = -1, .tm_mday = 1}, end = {.tm_isdst = -1, .tm_mday = 1};
    char rest;
    if (sscanf(text, "%4d-%2d%c", &report->year, &report->month, &rest) != 2 ||
        report->year < YEAR_MIN || report->year > YEAR_MAX || report->month < 1 ||
        report->month > 12) {
        return cli_usage(cli, "report", "--month needs a month like 2026-11");
    }
    first.tm_year = end.tm_year = report->year - 1900;
    first.tm_mon = report->month - 1;
    end.tm_mon = report->month;
    report->first = mktime(&first);
    report->end = mktime(&end);
    end = (struct tm){.tm_isdst = -1, .tm_year = report->year - 1900, .tm_mon = report->month};
    (void)mktime(&end); /* day 0 of the next month is the last of this one */
    report->days = end.tm_mday;
    if (report->first > report->made) {
        return cli_usage(cli, "report", "this month has not begun yet");
    }
    return CLI_DONE;
}

static cJSON *sums_request(const struct report *report, const char *by)
{
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", "stats");
    cJSON_AddStringToObject(request, "by", by);
    cJSON_AddNumberToObject(request, "since", (double)report->first);
    cJSON_AddNumberToObject(request, "until", (double)report->end - 1);
    return request;
}

static int ask_sums(struct cli *cli, const struct report *report, const char *by, cJSON **ret_reply)
{
    return cli_ask(cli, sums_request(report, by), ret_reply);
}

/* The daemon may not count names, whatever the file says now. */
static void ask_domains(struct cli *cli, const struct report *report, cJSON **ret_reply)
{
    struct diag aside = {0};
    if (report->config->stats.privacy == PRIVACY_DOMAINS &&
        cli_try_ask(cli, sums_request(report, "domain"), ret_reply, &aside) == 0 &&
        !cli_flag(*ret_reply, "ok")) {
        cJSON_Delete(*ret_reply);
        *ret_reply = NULL;
    }
}

static int ask_all(struct cli *cli, const struct report *report, struct replies *replies)
{
    int code = ask_sums(cli, report, "hour", &replies->hours);
    if (code == CLI_DONE) {
        code = ask_sums(cli, report, "category", &replies->categories);
    }
    if (code == CLI_DONE) {
        code = ask_sums(cli, report, "group", &replies->groups);
    }
    if (code == CLI_DONE) {
        ask_domains(cli, report, &replies->domains);
        cJSON *request = cJSON_CreateObject();
        cJSON_AddStringToObject(request, "command", "status");
        code = cli_ask(cli, request, &replies->status);
    }
    return code;
}

/* Hours of UTC to days and hours of here. */
static void take_hours(const cJSON *reply, struct report *report)
{
    const cJSON *row;
    int blocked = 0, at = 0;
    const cJSON *column;
    cJSON_ArrayForEach(column, cJSON_GetObjectItemCaseSensitive(reply, "columns"))
    {
        blocked = column->valuestring && strcmp(column->valuestring, "blocked") == 0 ? at : blocked;
        at++;
    }
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(reply, "rows"))
    {
        struct tm utc = {0}, local;
        const char *label = cJSON_GetStringValue(cJSON_GetArrayItem(row, 0));
        const cJSON *queries = cJSON_GetArrayItem(row, 1);
        const cJSON *shut = cJSON_GetArrayItem(row, blocked);
        if (!label || !strptime(label, "%Y-%m-%dT%H:%M:%SZ", &utc)) {
            continue;
        }
        time_t when = timegm(&utc);
        localtime_r(&when, &local);
        const struct report_sum sum = {cJSON_IsNumber(queries) ? queries->valuedouble : 0,
                                       cJSON_IsNumber(shut) ? shut->valuedouble : 0};
        if (local.tm_mon + 1 == report->month) {
            report->by_day[local.tm_mday - 1].queries += sum.queries;
            report->by_day[local.tm_mday - 1].blocked += sum.blocked;
        }
        report->by_hour[local.tm_hour].queries += sum.queries;
        report->by_hour[local.tm_hour].blocked += sum.blocked;
    }
}

static void take_replies(const struct replies *replies, struct report *report)
{
    const cJSON *totals = cJSON_GetObjectItemCaseSensitive(replies->categories, "totals");
    report->queries = cli_number(totals, "queries");
    report->blocked = cli_number(totals, "blocked");
    report->allowed = cli_number(totals, "allowed");
    report->failed = cli_number(totals, "failed");
    report->partial = cli_flag(replies->categories, "partial");
    report->categories = replies->categories;
    report->groups = replies->groups;
    report->domains = replies->domains;
    report->status = replies->status;
    take_hours(replies->hours, report);
}

static int write_out(struct cli *cli, const struct report *report, const char *path)
{
    FILE *out = path ? fopen(path, "we") : cli->out;
    if (!out) {
        return cli_fail(cli, CLI_FAILED, "%.3000s: %s", path, strerror(errno));
    }
    report_write(report, out);
    bool bad = ferror(out) != 0;
    if (path) {
        bad |= fclose(out) != 0;
    }
    if (bad) {
        return cli_fail(cli, CLI_FAILED, "%.3000s: cannot be written", path ? path : "output");
    }
    if (path && cli->json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddTrueToObject(json, "ok");
        cJSON_AddStringToObject(json, "file", path);
        return cli_print_json(cli, json);
    }
    return CLI_DONE;
}

static int make(struct cli *cli, const struct wish *wish, struct report *report)
{
    struct replies replies = {NULL};
    int code = take_month(cli, wish->month, report);
    if (code == CLI_DONE) {
        code = ask_all(cli, report, &replies);
    }
    if (code == CLI_DONE) {
        take_replies(&replies, report);
        code = write_out(cli, report, wish->out);
    }
    cJSON_Delete(replies.hours);
    cJSON_Delete(replies.categories);
    cJSON_Delete(replies.groups);
    cJSON_Delete(replies.domains);
    cJSON_Delete(replies.status);
    return code;
}

static int load_and_make(struct cli *cli, const struct wish *wish, const struct config *config)
{
    struct catalog *catalog = NULL;
    struct wordbook *texts = NULL;
    struct diag diag = {0};
    const char *language = wish->language                ? wish->language
                           : config->web.languages.count ? config->web.languages.items[0]
                                                         : "ko";
    int code;
    if (catalog_load(config->server.data_dir, &catalog, &diag) < 0 ||
        wordbook_load(config->server.data_dir, "report.yaml", &texts, &diag) < 0) {
        code = cli_fail_diag(cli, CLI_FAILED, &diag);
    } else if (!wordbook_speaks(texts, language)) {
        code = cli_usage(cli, "report", "report.yaml does not speak this language");
    } else {
        struct report report = {.config = config,
                                .catalog = catalog,
                                .texts = texts,
                                .language = language,
                                .made = (int64_t)time(NULL)};
        code = make(cli, wish, &report);
    }
    wordbook_free(texts);
    catalog_free(catalog);
    return code;
}

int cmd_report(struct cli *cli, int argc, char **argv)
{
    struct wish wish = {0};
    struct config *config = NULL;
    struct diag diag = {0};
    const struct cli_option options[] = {{"--month", NULL, &wish.month},
                                         {"--language", NULL, &wish.language},
                                         {"--out", NULL, &wish.out},
                                         {NULL, NULL, NULL}};
    int count = cli_options(cli, argc, argv, options);
    if (count != 0) {
        return count < 0 ? CLI_USAGE : cli_usage(cli, "report", "options only are expected");
    }
    if (!wish.month || (cli->json && !wish.out)) {
        return cli_usage(cli, "report",
                         wish.month ? "--json goes with --out FILE" : "--month is needed");
    }
    if (config_load(cli->config_path, &config, &diag) < 0) {
        return cli_fail_diag(cli, CLI_BAD_CONFIG, &diag);
    }
    int code = load_and_make(cli, &wish, config);
    config_free(config);
    return code;
}
