// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include <time.h>

#include "blocklists/suffix.h"
#include "tools/cli.h"
#include "tools/when.h"

struct wish {
    const char *span, *note; /* NULL: not given */
    bool all, everybody;
};

static const char *print_day(double at, char out[16])
{
    time_t when = (time_t)at;
    struct tm tm;
    out[0] = '\0';
    if (at > 0 && gmtime_r(&when, &tm)) {
        strftime(out, 16, "%Y-%m-%d", &tm);
    }
    return out;
}

/* A heading for each: what people wrote needs the whole line. */
static void print_one(struct cli *cli, const cJSON *review)
{
    char day[16];
    const cJSON *text;
    const char *state = cli_text(review, "state"), *category = cli_text(review, "category");
    double times = cli_number(review, "times");
    bool waiting = strcmp(state, "waiting") == 0;
    fprintf(cli->out, "%s%s%s  %s%s%s  %s, for group %s, %s%s%s; asked %.0f time%s, last on %s\n",
            cli_color(cli, CLI_BOLD), cli_text(review, "code"), cli_color(cli, CLI_PLAIN),
            cli_color(cli, waiting ? CLI_YELLOW : CLI_PLAIN), state, cli_color(cli, CLI_PLAIN),
            cli_text(review, "name"), cli_text(review, "group"), cli_text(review, "reason"),
            *category ? ": " : "", category, times, times > 1 ? "s" : "",
            print_day(cli_number(review, "last_day"), day));
    cJSON_ArrayForEach(text, cJSON_GetObjectItemCaseSensitive(review, "texts"))
    {
        fprintf(cli->out, "          \"%s\"\n", cJSON_GetStringValue(text));
    }
    if (*cli_text(review, "answer")) {
        fprintf(cli->out, "          answer: %s\n", cli_text(review, "answer"));
    }
}

static int list(struct cli *cli, const struct wish *wish)
{
    cJSON *reply = NULL;
    const cJSON *review;
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", "reviews");
    cJSON_AddBoolToObject(request, "all", wish->all);
    int code = cli_ask(cli, request, &reply);
    if (code != CLI_DONE) {
        return code;
    }
    if (cli->json) {
        return cli_print_json(cli, reply);
    }
    const cJSON *reviews = cJSON_GetObjectItemCaseSensitive(reply, "reviews");
    cJSON_ArrayForEach(review, reviews)
    {
        print_one(cli, review);
    }
    if (cJSON_GetArraySize(reviews) == 0) {
        fprintf(cli->out, "No request %s.\n", wish->all ? "is known" : "waits for an answer");
    }
    if (cli_flag(reply, "cut")) {
        fprintf(cli->out, "There are more; answer some of these first.\n");
    }
    cJSON_Delete(reply);
    return CLI_DONE;
}

static void print_answered(struct cli *cli, const cJSON *reply)
{
    char until[WHEN_TEXT_MAX];
    const cJSON *rule = cJSON_GetObjectItemCaseSensitive(reply, "rule");
    const cJSON *review = cJSON_GetObjectItemCaseSensitive(reply, "review");
    int64_t end = (int64_t)cli_number(review, "until");
    if (!rule) {
        fprintf(cli->out, "denied: %s stays blocked\n", cli_text(review, "name"));
        return;
    }
    const char *group = cli_text(rule, "group");
    fprintf(cli->out, "allowed: %s and all below it, for %s%s%s%s\n", cli_text(review, "name"),
            *group ? "group " : "everybody", group, end > 0 ? ", until " : "",
            end > 0 ? when_stamp(end, until) : "");
    if (cli_flag(reply, "still_blocked")) {
        fprintf(cli->out, "Group %s still blocks it: see `greengate check %s --group %s`\n",
                cli_text(review, "group"), cli_text(review, "name"), cli_text(review, "group"));
    }
    if (*cli_text(reply, "warning")) {
        fprintf(cli->err, "greengate: %s\n", cli_text(reply, "warning"));
    }
}

/* As of `greengate allow`: a rule for a public suffix would open everybody's names below it. */
static int check_suffix(struct cli *cli, const char *code)
{
    cJSON *reply = NULL, *request = cJSON_CreateObject();
    struct dname name;
    cJSON_AddStringToObject(request, "command", "review-state");
    cJSON_AddStringToObject(request, "code", code);
    int result = cli_ask(cli, request, &reply);
    if (result == CLI_DONE && dname_parse(cli_text(reply, "name"), &name) == 0) {
        struct suffix_set *set = suffix_new();
        if (set ? suffix_is_public(set, &name) : name.labels == 1) {
            result = cli_fail(cli, CLI_FAILED,
                              "%s is a public suffix: the rule would cover everybody's names below "
                              "it; allow one of them by `greengate allow`, and deny this",
                              cli_text(reply, "name"));
        }
        suffix_free(set);
    }
    cJSON_Delete(reply);
    return result;
}

static int answer(struct cli *cli, const char *action, const char *code, const struct wish *wish)
{
    cJSON *reply = NULL;
    int64_t seconds = wish->span ? cli_parse_span(wish->span) : 0;
    bool deny = strcmp(action, "deny") == 0;
    if (seconds < 0) {
        return cli_usage(cli, "requests", "--for needs a time like 30m, 2h, 7d");
    }
    if (wish->all || (deny && (seconds || wish->everybody))) {
        return cli_usage(cli, "requests",
                         deny ? "deny goes with --note alone" : "--all goes with the list alone");
    }
    int result = deny ? CLI_DONE : check_suffix(cli, code);
    if (result != CLI_DONE) {
        return result;
    }
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", action);
    cJSON_AddStringToObject(request, "code", code);
    if (wish->everybody) {
        cJSON_AddTrueToObject(request, "everybody");
    }
    if (seconds) {
        cJSON_AddNumberToObject(request, "for_s", (double)seconds);
    }
    if (wish->note) {
        cJSON_AddStringToObject(request, "note", wish->note);
    }
    result = cli_ask(cli, request, &reply);
    if (result != CLI_DONE) {
        return result;
    }
    if (cli->json) {
        return cli_print_json(cli, reply);
    }
    if (!cli->quiet) {
        print_answered(cli, reply);
    }
    cJSON_Delete(reply);
    return CLI_DONE;
}

int cmd_requests(struct cli *cli, int argc, char **argv)
{
    struct wish wish = {0};
    const struct cli_option options[] = {{"--for", NULL, &wish.span},
                                         {"--note", NULL, &wish.note},
                                         {"--all", &wish.all, NULL},
                                         {"--everybody", &wish.everybody, NULL},
                                         {NULL, NULL, NULL}};
    int count = cli_options(cli, argc, argv, options);
    if (count < 0) {
        return CLI_USAGE;
    }
    bool listing = count == 0 || (count == 1 && strcmp(argv[1], "list") == 0);
    if (listing && (wish.span || wish.note || wish.everybody)) {
        return cli_usage(cli, "requests", "the list goes with --all alone");
    }
    if (listing) {
        return list(cli, &wish);
    }
    if (count != 2 || (strcmp(argv[1], "approve") != 0 && strcmp(argv[1], "deny") != 0)) {
        return cli_usage(cli, "requests", "nothing, approve CODE or deny CODE is expected");
    }
    return answer(cli, argv[1], argv[2], &wish);
}
