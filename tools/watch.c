// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "tools/cli.h"
#include "tools/when.h"

struct watching {
    struct cli *cli;
    double offset;
    bool active;
    cJSON *entries; /* for --json, else NULL */
};

/* What ends it before its time; blocked, so that they are waited for. */
static void block_interrupts(sigset_t *ret_ends)
{
    sigemptyset(ret_ends);
    sigaddset(ret_ends, SIGINT);
    sigaddset(ret_ends, SIGTERM);
    sigprocmask(SIG_BLOCK, ret_ends, NULL);
}

static void print_entry(struct cli *cli, const cJSON *entry)
{
    char time_text[16] = "";
    time_t at = (time_t)cli_number(entry, "at");
    struct tm tm;
    const char *category = cli_text(entry, "category");
    bool blocked = cli_flag(entry, "blocked");
    if (localtime_r(&at, &tm)) {
        strftime(time_text, sizeof(time_text), "%H:%M:%S", &tm);
    }
    fprintf(cli->out, "%s  %s%-8s%s %-5s %-9s %s", time_text,
            cli_color(cli, blocked ? CLI_RED : CLI_PLAIN), blocked ? "blocked" : "answered",
            cli_color(cli, CLI_PLAIN), cli_text(entry, "type"), cli_text(entry, "rcode"),
            cli_text(entry, "name"));
    if (blocked) {
        fprintf(cli->out, "  (%s%s%s)", cli_text(entry, "reason"), *category ? ": " : "", category);
    }
    fputc('\n', cli->out);
    fflush(cli->out);
}

static int read_more(struct watching *watching)
{
    cJSON *reply = NULL;
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", "watch-read");
    cJSON_AddNumberToObject(request, "offset", watching->offset);
    int code = cli_ask(watching->cli, request, &reply);
    if (code != CLI_DONE) {
        return code;
    }
    cJSON *entries = cJSON_GetObjectItemCaseSensitive(reply, "entries");
    while (entries && entries->child) {
        cJSON *entry = cJSON_DetachItemViaPointer(entries, entries->child);
        if (watching->entries) {
            cJSON_AddItemToArray(watching->entries, entry);
        } else {
            print_entry(watching->cli, entry);
            cJSON_Delete(entry);
        }
    }
    watching->offset = cli_number(reply, "offset");
    watching->active = cli_flag(reply, "active");
    cJSON_Delete(reply);
    return CLI_DONE;
}

static int ask_for(struct cli *cli, cJSON *request, const char *command)
{
    cJSON *reply = NULL;
    cJSON_AddStringToObject(request, "command", command);
    int code = cli_ask(cli, request, &reply);
    cJSON_Delete(reply);
    return code;
}

/* Look again and again until the time is over or somebody ends it. */
static int follow(struct watching *watching, const sigset_t *ends)
{
    const struct timespec pause = {0, 300000000};
    int code = CLI_DONE;
    watching->active = true;
    while (code == CLI_DONE && watching->active && sigtimedwait(ends, NULL, &pause) < 0) {
        code = read_more(watching);
    }
    int ended = ask_for(watching->cli, cJSON_CreateObject(), "watch-stop");
    return code == CLI_DONE ? ended : code;
}

static int watch(struct cli *cli, cJSON *request)
{
    sigset_t ends;
    struct watching watching = {.cli = cli, .entries = cli->json ? cJSON_CreateArray() : NULL};
    int code = ask_for(cli, request, "watch");
    if (code == CLI_DONE) {
        block_interrupts(&ends);
        if (!cli->json) {
            fprintf(cli->out,
                    "Kept in memory alone, and forgotten at the end (Ctrl-C ends it). The "
                    "audit log says that somebody watched.\n");
            fflush(cli->out);
        }
        code = follow(&watching, &ends);
    }
    if (!cli->json || code != CLI_DONE) {
        cJSON_Delete(watching.entries);
        return code;
    }
    cJSON *json = cJSON_CreateObject();
    cJSON_AddTrueToObject(json, "ok");
    cJSON_AddItemToObject(json, "entries", watching.entries);
    return cli_print_json(cli, json);
}

int cmd_watch(struct cli *cli, int argc, char **argv)
{
    const char *client = NULL, *span = NULL, *note = NULL;
    struct addr addr;
    int64_t seconds = 0;
    const struct cli_option options[] = {{"--client", NULL, &client},
                                         {"--for", NULL, &span},
                                         {"--note", NULL, &note},
                                         {NULL, NULL, NULL}};
    int count = cli_options(cli, argc, argv, options);
    if (count != 0) {
        return count < 0 ? CLI_USAGE : cli_usage(cli, "watch", "options only are expected");
    }
    if (!client || addr_parse(client, &addr) < 0) {
        return cli_usage(cli, "watch", "--client needs an IP address");
    }
    if (span && (seconds = cli_parse_span(span)) < 0) {
        return cli_usage(cli, "watch", "--for needs a time like 90s, 5m");
    }
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "client", client);
    if (seconds) {
        cJSON_AddNumberToObject(request, "for_s", (double)seconds);
    }
    if (note) {
        cJSON_AddStringToObject(request, "note", note);
    }
    return watch(cli, request);
}
