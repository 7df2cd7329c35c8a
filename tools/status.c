// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include <time.h>

#include "tools/cli.h"

static double percent(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

static const char *age_of(double at, char out[CLI_SPAN_MAX])
{
    if (at <= 0) {
        return "never";
    }
    return cli_span((int64_t)time(NULL) - (int64_t)at, out);
}

static void print_state(struct cli *cli, const cJSON *reply)
{
    char span[CLI_SPAN_MAX];
    const cJSON *reason;
    const char *state = cli_text(reply, "state");
    enum cli_color color = strcmp(state, "protected") == 0  ? CLI_GREEN
                           : strcmp(state, "degraded") == 0 ? CLI_YELLOW
                                                            : CLI_RED;
    fprintf(cli->out, "%s%s%s   greengate %s, up %s, %.0f worker%s\n", cli_color(cli, color), state,
            cli_color(cli, CLI_PLAIN), cli_text(reply, "version"),
            cli_span((int64_t)cli_number(reply, "uptime_s"), span), cli_number(reply, "workers"),
            cli_plural((uint64_t)cli_number(reply, "workers")));
    cJSON_ArrayForEach(reason, cJSON_GetObjectItemCaseSensitive(reply, "reasons"))
    {
        fprintf(cli->out, "  because %s\n", reason->valuestring ? reason->valuestring : "");
    }
    if (cli_number(reply, "reasons_more") > 0) {
        fprintf(cli->out, "  and %.0f more\n", cli_number(reply, "reasons_more"));
    }
}

static void print_numbers(struct cli *cli, const cJSON *reply)
{
    const cJSON *cache = cJSON_GetObjectItemCaseSensitive(reply, "cache");
    double queries = cli_number(reply, "queries");
    double blocked = cli_number(reply, "blocked");
    fprintf(cli->out, "queries  %.0f since the start, %.0f blocked (%.1f %%)\n", queries, blocked,
            percent(blocked, queries));
    double waiting = cli_number(reply, "reviews_waiting");
    if (waiting > 0) {
        fprintf(cli->out, "reviews  %.0f request%s without an answer: see `greengate requests`\n",
                waiting, waiting > 1 ? "s" : "");
    }
    double idle = cli_number(reply, "rules_not_needed");
    if (idle > 0) {
        fprintf(cli->out, "rules    %.0f allow rule%s no longer needed: see `greengate rules`\n",
                idle, idle > 1 ? "s are" : " is");
    }
    fprintf(cli->out, "cache    %.0f answers, %.1f of %.0f MB\n", cli_number(cache, "entries"),
            cli_number(cache, "bytes") / 1048576, cli_number(cache, "bytes_max") / 1048576);
}

static int print_lists(struct cli *cli, const cJSON *lists)
{
    char span[CLI_SPAN_MAX];
    const cJSON *source;
    const cJSON *sources = cJSON_GetObjectItemCaseSensitive(lists, "sources");
    struct cli_table table = {.headings = {"list", "category", ">names", ">fetched", "last error"}};
    if (!*cli_text(lists, "path")) {
        fprintf(cli->out, "lists    none: `greengate update` fetches them\n");
        return CLI_DONE;
    }
    double names = cli_number(lists, "names");
    double built_at = cli_number(lists, "built_at");
    fprintf(cli->out, "lists    %.0f name%s, ", names, cli_plural((uint64_t)names));
    if (built_at > 0) {
        fprintf(cli->out, "newest list %s old, ", age_of(built_at, span));
    }
    fprintf(cli->out, "%s\n", cli_text(lists, "path"));
    if (cJSON_GetArraySize(sources) == 0) {
        return CLI_DONE;
    }
    cJSON_ArrayForEach(source, sources)
    {
        const char *error = cli_text(source, "error");
        cli_table_add(&table, "%s", cli_text(source, "id"));
        cli_table_add(&table, "%s", cli_text(source, "category"));
        cli_table_add(&table, "%.0f", cli_number(source, "entries"));
        cli_table_add(&table, "%s", age_of(cli_number(source, "fetched_at"), span));
        cli_table_add(&table, "%s", *error ? error : "-");
    }
    fputc('\n', cli->out);
    return cli_table_print(cli, &table);
}

static const char *upstream_state(const cJSON *upstream)
{
    if (cli_number(upstream, "answers") == 0 && cli_number(upstream, "failures") == 0) {
        return "not asked yet";
    }
    return cli_flag(upstream, "ok") ? "ok" : "does not answer";
}

static int print_upstreams(struct cli *cli, const cJSON *upstreams)
{
    const cJSON *upstream;
    struct cli_table table = {.headings = {"upstream", "state", ">answers in", ">failures"}};
    if (cJSON_GetArraySize(upstreams) == 0) {
        return CLI_DONE;
    }
    cJSON_ArrayForEach(upstream, upstreams)
    {
        cli_table_add(&table, "%s", cli_text(upstream, "address"));
        cli_table_add(&table, "%s", upstream_state(upstream));
        if (cli_number(upstream, "answers") > 0) {
            cli_table_add(&table, "%.0f ms", cli_number(upstream, "srtt_ms"));
        } else {
            cli_table_add(&table, "-");
        }
        cli_table_add(&table, "%.0f", cli_number(upstream, "failures"));
    }
    fputc('\n', cli->out);
    return cli_table_print(cli, &table);
}

static int print_all(struct cli *cli, const cJSON *reply)
{
    print_state(cli, reply);
    print_numbers(cli, reply);
    int code = print_lists(cli, cJSON_GetObjectItemCaseSensitive(reply, "lists"));
    return code == CLI_DONE
               ? print_upstreams(cli, cJSON_GetObjectItemCaseSensitive(reply, "upstreams"))
               : code;
}

int cmd_status(struct cli *cli, int argc, char **argv)
{
    const struct cli_option options[] = {{NULL, NULL, NULL}};
    int count = cli_options(cli, argc, argv, options);
    if (count != 0) {
        return count < 0 ? CLI_USAGE : cli_usage(cli, "status", "no argument is expected");
    }
    cJSON *request = cJSON_CreateObject();
    cJSON *reply = NULL;
    cJSON_AddStringToObject(request, "command", "status");
    int code = cli_ask(cli, request, &reply);
    if (code != CLI_DONE) {
        return code;
    }
    bool protected = strcmp(cli_text(reply, "state"), "protected") == 0;
    int quiet_code = cli->quiet && !protected ? CLI_QUIET_NO : CLI_DONE;
    if (cli->json) {
        code = cli_print_json(cli, reply);
        return code == CLI_DONE ? quiet_code : code;
    }
    if (cli->quiet) {
        code = quiet_code;
    } else {
        code = print_all(cli, reply);
    }
    cJSON_Delete(reply);
    return code;
}
