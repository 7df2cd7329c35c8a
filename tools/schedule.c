// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/when.h"

/* What schedule add, pause and resume are told; NULL: not given. */
struct wish {
    const char *group, *block, *allow, *from, *until, *span, *note;
};

static int read_options(struct cli *cli, int argc, char **argv, struct wish *wish)
{
    const struct cli_option options[] = {
        {"--group", NULL, &wish->group}, {"--block", NULL, &wish->block},
        {"--allow", NULL, &wish->allow}, {"--from", NULL, &wish->from},
        {"--until", NULL, &wish->until}, {"--for", NULL, &wish->span},
        {"--note", NULL, &wish->note},   {NULL, NULL, NULL},
    };
    return cli_options(cli, argc, argv, options);
}

static void add_text(cJSON *request, const char *key, const char *text)
{
    if (text) {
        cJSON_AddStringToObject(request, key, text);
    }
}

/* Both ends in seconds since 1970; *ret_from is 0 for now. */
static int read_times(struct cli *cli, const char *command, const struct wish *wish,
                      int64_t ret_times[2])
{
    int64_t now = time(NULL);
    int64_t from = wish->from ? when_parse(wish->from, now, true) : 0;
    int64_t begin = from ? from : now;
    int64_t until = wish->until ? when_parse(wish->until, begin, true) : 0;
    if (wish->until && wish->span) {
        return cli_usage(cli, command, "its end is one of the two, not both: --until or --for");
    }
    if (!wish->until && !wish->span) {
        return cli_usage(cli, command, "it needs an end: --until TIME or --for 2h");
    }
    if ((wish->from && from <= 0) || (wish->until && until <= 0)) {
        return cli_usage(cli, command, "a time is one of: " WHEN_FORMS);
    }
    if (wish->span) {
        int64_t seconds = cli_parse_span(wish->span);
        if (seconds <= 0) {
            return cli_usage(cli, command, "--for needs a time like 30m, 2h, 7d");
        }
        until = begin + seconds;
    }
    ret_times[0] = from;
    ret_times[1] = until;
    return CLI_DONE;
}

static int say_window(struct cli *cli, cJSON *request)
{
    char until[WHEN_TEXT_MAX];
    cJSON *reply = NULL;
    int code = cli_ask(cli, request, &reply);
    if (code != CLI_DONE || cli->json) {
        return code == CLI_DONE ? cli_print_json(cli, reply) : code;
    }
    const cJSON *window = cJSON_GetObjectItemCaseSensitive(reply, "window");
    const char *group = cli_text(window, "group"), *what = cli_text(window, "what");
    const char *kind = cli_text(window, "kind");
    bool pause = strcmp(kind, "pause") == 0;
    if (!cli->quiet) {
        fprintf(cli->out, "%s%s for %s%s until %s\n",
                pause                        ? "nothing is filtered"
                : strcmp(kind, "block") == 0 ? "blocked: "
                                             : "allowed: ",
                what, *group ? "group " : "everybody", group,
                when_print((int64_t)cli_number(window, "until"), until));
        if (*cli_text(reply, "note")) {
            fprintf(cli->out, "But %s.\n", cli_text(reply, "note"));
        }
    }
    cJSON_Delete(reply);
    return CLI_DONE;
}

static cJSON *make_request(const struct wish *wish, const char *kind, const int64_t times[2])
{
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", "window");
    cJSON_AddStringToObject(request, "kind", kind);
    add_text(request, "group", wish->group);
    add_text(request, "what", wish->block ? wish->block : wish->allow);
    add_text(request, "note", wish->note);
    if (times[0]) {
        cJSON_AddNumberToObject(request, "from", (double)times[0]);
    }
    cJSON_AddNumberToObject(request, "until", (double)times[1]);
    return request;
}

static int add_window(struct cli *cli, const struct wish *wish)
{
    int64_t times[2] = {0, 0};
    if (!wish->block == !wish->allow) {
        return cli_usage(cli, "schedule", "either --block WHAT or --allow WHAT");
    }
    int code = read_times(cli, "schedule", wish, times);
    const char *kind = wish->block ? "block" : "allow";
    return code == CLI_DONE ? say_window(cli, make_request(wish, kind, times)) : code;
}

static int close_windows(struct cli *cli, cJSON *request)
{
    cJSON *reply = NULL;
    cJSON_AddStringToObject(request, "command", "close-window");
    int code = cli_ask(cli, request, &reply);
    if (code != CLI_DONE || cli->json) {
        return code == CLI_DONE ? cli_print_json(cli, reply) : code;
    }
    const cJSON *window;
    cJSON_ArrayForEach(window, cJSON_GetObjectItemCaseSensitive(reply, "removed"))
    {
        const char *group = cli_text(window, "group");
        fprintf(cli->out, "ended: %s%s%s for %s%s\n", cli_text(window, "kind"),
                *cli_text(window, "what") ? " " : "", cli_text(window, "what"),
                *group ? "group " : "everybody", group);
    }
    cJSON_Delete(reply);
    return CLI_DONE;
}

static void print_list(struct cli *cli, const char *label, const cJSON *array)
{
    const cJSON *item;
    const char *glue = label;
    cJSON_ArrayForEach(item, array)
    {
        fprintf(cli->out, "%s%s", glue, item->valuestring);
        glue = ", ";
    }
}

static void print_state(struct cli *cli, const cJSON *state)
{
    const cJSON *block = cJSON_GetObjectItemCaseSensitive(state, "block");
    const cJSON *services = cJSON_GetObjectItemCaseSensitive(state, "services");
    bool only = cli_flag(state, "only_chosen");
    if (cli_flag(state, "paused")) {
        fprintf(cli->out, "paused: nothing is filtered\n");
        return;
    }
    print_list(cli, "blocks ", block);
    print_list(cli, cJSON_GetArraySize(block) ? "; services " : "services ", services);
    if (only) {
        const cJSON *chosen = cJSON_GetObjectItemCaseSensitive(state, "only");
        bool first = cJSON_GetArraySize(block) + cJSON_GetArraySize(services) == 0;
        fprintf(cli->out, "%sopen is only%s", first ? "" : "; ",
                cJSON_GetArraySize(chosen) ? "" : " what rules allow");
        print_list(cli, " ", chosen);
    }
    bool nothing = cJSON_GetArraySize(block) + cJSON_GetArraySize(services) == 0 && !only;
    fprintf(cli->out, "%s\n", nothing ? "blocks nothing" : "");
}

static int print_windows(struct cli *cli, const cJSON *windows)
{
    char from[WHEN_TEXT_MAX], until[WHEN_TEXT_MAX];
    struct cli_table table = {
        .headings = {">number", "kind", "what", "group", "from", "until", "note"}};
    const cJSON *window;
    int number = 0;
    cJSON_ArrayForEach(window, windows)
    {
        const char *group = cli_text(window, "group");
        cli_table_add(&table, "%d", ++number);
        cli_table_add(&table, "%s", cli_text(window, "kind"));
        cli_table_add(&table, "%s", cli_text(window, "what"));
        cli_table_add(&table, "%s", *group ? group : "everybody");
        cli_table_add(&table, "%s", when_print((int64_t)cli_number(window, "from"), from));
        cli_table_add(&table, "%s", when_print((int64_t)cli_number(window, "until"), until));
        cli_table_add(&table, "%s", cli_text(window, "note"));
    }
    if (number == 0) {
        return CLI_DONE;
    }
    fputc('\n', cli->out);
    return cli_table_print(cli, &table);
}

static int show_schedule(struct cli *cli)
{
    char at[WHEN_TEXT_MAX];
    cJSON *reply = NULL, *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", "schedule");
    int code = cli_ask(cli, request, &reply);
    if (code != CLI_DONE || cli->json) {
        return code == CLI_DONE ? cli_print_json(cli, reply) : code;
    }
    fprintf(cli->out, "It is %s.\n", when_print((int64_t)cli_number(reply, "now"), at));
    if (!cli_flag(reply, "clock_trusted")) {
        fprintf(cli->out, "The clock is in doubt: all that schedules ever block is blocked.\n");
    }
    const cJSON *group;
    cJSON_ArrayForEach(group, cJSON_GetObjectItemCaseSensitive(reply, "groups"))
    {
        int64_t next = (int64_t)cli_number(group, "changes_at");
        fprintf(cli->out, "\n%s\n  now: ", cli_text(group, "group"));
        print_state(cli, group);
        if (next) {
            fprintf(cli->out, "  from %s: ", when_print(next, at));
            print_state(cli, cJSON_GetObjectItemCaseSensitive(group, "then"));
        }
    }
    code = print_windows(cli, cJSON_GetObjectItemCaseSensitive(reply, "windows"));
    cJSON_Delete(reply);
    return code;
}

static int remove_window(struct cli *cli, const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (*end || number < 1) {
        return cli_usage(cli, "schedule", "remove needs a number of `greengate schedule`");
    }
    cJSON *request = cJSON_CreateObject();
    cJSON_AddNumberToObject(request, "offset", (double)(number - 1));
    return close_windows(cli, request);
}

int cmd_schedule(struct cli *cli, int argc, char **argv)
{
    struct wish wish = {0};
    int count = read_options(cli, argc, argv, &wish);
    if (count < 0) {
        return CLI_USAGE;
    }
    if (count == 0) {
        return show_schedule(cli);
    }
    if (count == 1 && strcmp(argv[1], "add") == 0) {
        return add_window(cli, &wish);
    }
    if (count == 2 && strcmp(argv[1], "remove") == 0) {
        return remove_window(cli, argv[2]);
    }
    return cli_usage(cli, "schedule", "nothing, add ... or remove NUMBER is expected");
}

int cmd_pause(struct cli *cli, int argc, char **argv)
{
    struct wish wish = {0};
    int64_t times[2] = {0, 0};
    int count = read_options(cli, argc, argv, &wish);
    if (count < 0) {
        return CLI_USAGE;
    }
    if (count > 0 || wish.block || wish.allow || wish.from) {
        return cli_usage(cli, "pause", "only --group, --for, --until and --note go with it");
    }
    int code = read_times(cli, "pause", &wish, times);
    return code == CLI_DONE ? say_window(cli, make_request(&wish, "pause", times)) : code;
}

int cmd_resume(struct cli *cli, int argc, char **argv)
{
    struct wish wish = {0};
    int count = read_options(cli, argc, argv, &wish);
    if (count != 0) {
        return count < 0 ? CLI_USAGE : cli_usage(cli, "resume", "only --group goes with it");
    }
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "kind", "pause");
    add_text(request, "group", wish.group);
    return close_windows(cli, request);
}
