// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "config/member.h"
#include "control/client.h"
#include "dns/rr.h"
#include "policy/explain.h"
#include "tools/offline.h"
#include "tools/ref.h"
#include "tools/ruletext.h"
#include "tools/when.h"

struct question {
    const char *client, *group, *type, *when, *ref; /* NULL: not given */
    int64_t at;                                     /* of `when`, else 0: now */
    struct dname name;
    struct addr judged;  /* an address instead of a name, else family 0 */
    struct addr address; /* of the client, family 0: */
    struct member device;
};

static cJSON *explain(const struct snapshot *snapshot, const struct question *question,
                      uint16_t group)
{
    const struct addr *client = question->address.family ? &question->address : NULL;
    bool device = question->client && !client;
    const struct asker asker = {
        client, device ? snapshot_group_of_member(snapshot, &question->device) : group};
    struct explanation *why = malloc(sizeof(*why));
    if (!why) {
        return NULL;
    }
    if (question->judged.family) {
        const struct held_address held = {&question->judged, NULL};
        policy_explain_address(snapshot, &held, &asker, why);
    } else {
        policy_explain(snapshot, &question->name, &asker, why);
    }
    if (device) {
        snprintf(why->client, sizeof(why->client), "%s", question->client);
    }
    cJSON *json = client_explain_json(why);
    free(why);
    cJSON_AddBoolToObject(json, "admitted", !client || snapshot_admits(snapshot, client));
    cJSON_AddFalseToObject(json, "watched"); /* by whom: no daemon runs */
    cJSON_AddBoolToObject(json, "forwarder", client && snapshot_is_forwarder(snapshot, client));
    cJSON_AddBoolToObject(json, "ok", true);
    return json;
}

static int ask_files(struct cli *cli, const struct question *question, cJSON **ret_why)
{
    struct offline files = {.at = question->at ? question->at : time(NULL)};
    struct diag diag = {0};
    int code = CLI_DONE;
    int err = offline_load(cli, &files, &diag);
    if (err < 0) {
        code = cli_fail_diag(cli, files.parts.config ? CLI_FAILED : CLI_BAD_CONFIG, &diag);
        goto out;
    }
    int group = (int)files.snapshot->group_count - 1;
    if (question->group) {
        group = snapshot_find_group(files.snapshot, question->group);
    }
    if (group < 0) {
        code = cli_fail(cli, CLI_USAGE, "no group is named %.64s", question->group);
        goto out;
    }
    *ret_why = explain(files.snapshot, question, (uint16_t)group);
    if (!*ret_why) {
        code = cli_fail(cli, CLI_FAILED, "no memory");
    } else if (!cli->json) {
        cli_make_plain(*ret_why);
    }
out:
    offline_unload(&files);
    return code;
}

/* The daemon's word, else that of the files. */
static int ask(struct cli *cli, const struct question *question, cJSON **ret_why)
{
    char name[DNAME_TEXT_MAX], address[ADDR_TEXT_MAX];
    struct diag diag = {0};
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", "check");
    cJSON_AddStringToObject(request, "name",
                            question->judged.family ? addr_print(&question->judged, address)
                                                    : dname_print(&question->name, name));
    if (question->client) {
        cJSON_AddStringToObject(request, "client", question->client);
    }
    if (question->group) {
        cJSON_AddStringToObject(request, "group", question->group);
    }
    if (question->at) {
        cJSON_AddNumberToObject(request, "at", (double)question->at);
    }
    int err = cli_try_ask(cli, request, ret_why, &diag);
    if (err == -EINVAL) {
        return cli_fail_diag(cli, CLI_BAD_CONFIG, &diag);
    }
    if (err < 0) {
        int code = ask_files(cli, question, ret_why);
        if (code == CLI_DONE) {
            cJSON_AddStringToObject(*ret_why, "asked", "files");
        }
        return code;
    }
    if (!cli_flag(*ret_why, "ok")) {
        int code =
            cli_fail(cli, (int)cli_number(*ret_why, "exit"), "%s", cli_text(*ret_why, "error"));
        cJSON_Delete(*ret_why);
        return code;
    }
    cJSON_AddStringToObject(*ret_why, "asked", "daemon");
    return CLI_DONE;
}

/* What a blocked question gets; interfaces of the answers. */
static const char *answer_of(const char *mode, const char *action, const char *type)
{
    static const struct {
        const char *action, *text;
    } actions[] = {
        {"drop", "none: the list wants silence"},
        {"local", "the records that the list gives"},
    };
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(actions[i].action, action) == 0) {
            return actions[i].text;
        }
    }
    static const struct {
        const char *mode, *address, *other;
    } rows[] = {
        {"page", "the address of the warning page", "no data"},
        {"nxdomain", "NXDOMAIN: no such name", "NXDOMAIN: no such name"},
        {"nodata", "no data", "no data"},
        {"zero", "0.0.0.0 or ::", "no data"},
        {"refused", "REFUSED", "REFUSED"},
    };
    bool address = strcasecmp(type, "A") == 0 || strcasecmp(type, "AAAA") == 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].mode, mode) == 0) {
            return address ? rows[i].address : rows[i].other;
        }
    }
    return mode;
}

static void print_line(struct cli *cli, const char *label, const char *text)
{
    if (*text) {
        fprintf(cli->out, "  %-9s %s\n", label, text);
    }
}

static void print_answer(struct cli *cli, const cJSON *why, const char *type)
{
    const char *mode = cli_text(why, "mode"), *action = cli_text(why, "action");
    bool plain = strcmp(action, "block") == 0;
    fprintf(cli->out, "  %-9s %s: %s (%s %s", "answer", type, answer_of(mode, action, type),
            plain ? "mode" : "action", plain ? mode : action);
    if (cli_number(why, "ede") >= 0) {
        fprintf(cli->out, ", extended error %.0f", cli_number(why, "ede"));
    }
    fprintf(cli->out, ")\n");
}

static void print_verdict(struct cli *cli, const cJSON *why, const struct question *question)
{
    const char *type = question->type ? question->type : "A";
    bool blocked = cli_flag(why, "blocked");
    const char *client = cli_text(why, "client");
    fprintf(cli->out, "%s is %s%s%s for ", cli_text(why, "name"),
            cli_color(cli, blocked ? CLI_RED : CLI_GREEN), blocked ? "blocked" : "not blocked",
            cli_color(cli, CLI_PLAIN));
    if (*client) {
        fprintf(cli->out, "%s, which is in group %s\n", client, cli_text(why, "group"));
    } else {
        fprintf(cli->out, "group %s%s\n", cli_text(why, "group"),
                question->group ? "" : ", the group for everyone else");
    }
    print_line(cli, "why", cli_text(why, "text"));
    print_line(cli, "leads to", cli_text(why, "alias"));
    print_line(cli, "address", cli_text(why, "address"));
    print_line(cli, "place", cli_text(why, "place"));
    print_line(cli, "rule", cli_text(why, "rule"));
    if (*cli_text(why, "list")) {
        fprintf(cli->out, "  %-9s %s, version %s\n", "list", cli_text(why, "list"),
                cli_text(why, "list_version"));
        print_line(cli, "from", cli_text(why, "list_url"));
    }
    print_line(cli, "entry", cli_text(why, "entry"));
    if (*cli_text(why, "known")) {
        fprintf(cli->out, "  %-9s %s of %s: %s (%s)\n", "known as", cli_text(why, "known"),
                cli_text(why, "known_file"), cli_text(why, "known_source"),
                cli_text(why, "known_date"));
    }
    print_line(cli, "answers", cli_text(why, "target"));
    if (cli_number(why, "until") > 0) {
        char until[WHEN_TEXT_MAX];
        fprintf(cli->out, "  %-9s %s%s\n", "until",
                when_print((int64_t)cli_number(why, "until"), until),
                cli_number(why, "opens_at") > 0 ? ", then it is open" : "");
    }
    if (*cli_text(why, "rule_text")) {
        fprintf(cli->out, "  %-9s %s%sline %.0f (%s): %s\n", "listed as", cli_text(why, "file"),
                *cli_text(why, "file") ? ", " : "", cli_number(why, "line"),
                cli_text(why, "format"), cli_text(why, "rule_text"));
    }
    print_line(cli, "category", cli_text(why, "category"));
    if (blocked) {
        print_answer(cli, why, type);
        print_line(cli, "code", cli_text(why, "ref"));
    } else if (*cli_text(why, "shadow_list")) {
        fprintf(cli->out, "  %-9s would be blocked by %s (shadow), category %s\n", "shadow",
                cli_text(why, "shadow_list"), cli_text(why, "shadow_category"));
    }
    if (!cli_flag(why, "admitted")) {
        fprintf(cli->out, "  But this client may not ask here at all (dns.allow_clients).\n");
    }
}

static void add_rule(struct cli_table *table, const cJSON *listing)
{
    bool known = *cli_text(listing, "rule_text");
    if (known) {
        cli_table_add(table, "%.0f", cli_number(listing, "line"));
    } else {
        cli_table_add(table, "-");
    }
    cli_table_add(table, "%s", known ? cli_text(listing, "rule_text") : "-");
}

/* What an entry means for this group. */
static const char *here_of(const cJSON *item)
{
    static const struct {
        const char *action, *text;
    } actions[] = {
        {"nxdomain", "blocked: NXDOMAIN"}, {"nodata", "blocked: no data"},
        {"drop", "blocked: silence"},      {"tcp-only", "TCP only"},
        {"local", "own records"},
    };
    if (cli_flag(item, "exception")) {
        return cli_flag(item, "shadow") ? "exception, counts only (shadow)" : "exception";
    }
    if (!cli_flag(item, "blocked_here")) {
        return "category is not blocked";
    }
    if (cli_flag(item, "shadow")) {
        return "counts only (shadow)";
    }
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(actions[i].action, cli_text(item, "action")) == 0) {
            return actions[i].text;
        }
    }
    return "category is blocked";
}

static int print_listed(struct cli *cli, const cJSON *listed)
{
    const cJSON *item;
    struct cli_table table = {.headings = {"listed by", "category", "entry", "covers", "version",
                                           ">line", "text", "here"}};
    if (cJSON_GetArraySize(listed) == 0) {
        return CLI_DONE;
    }
    cJSON_ArrayForEach(item, listed)
    {
        cli_table_add(&table, "%s", cli_text(item, "list"));
        cli_table_add(&table, "%s", cli_text(item, "category"));
        cli_table_add(&table, "%s", cli_text(item, "entry"));
        cli_table_add(&table, "%s", cli_text(item, "covers"));
        cli_table_add(&table, "%s", cli_text(item, "version"));
        add_rule(&table, item);
        cli_table_add(&table, "%s", here_of(item));
    }
    fputc('\n', cli->out);
    return cli_table_print(cli, &table);
}

static int print_all(struct cli *cli, const cJSON *why, const struct question *question)
{
    print_verdict(cli, why, question);
    int code = print_listed(cli, cJSON_GetObjectItemCaseSensitive(why, "listed"));
    bool files = strcmp(cli_text(why, "asked"), "files") == 0;
    if (*cli_text(why, "texts")) {
        fprintf(cli->out, "\nNo line is shown: %s.\n", cli_text(why, "texts"));
    }
    fprintf(cli->out, "\n%s\n",
            files ? "No daemon answers: this is what the files say." : "The daemon says so.");
    return code;
}

static int read_question(struct cli *cli, int argc, char **argv, struct question *question)
{
    const struct cli_option options[] = {
        {"--client", NULL, &question->client}, {"--group", NULL, &question->group},
        {"--type", NULL, &question->type},     {"--at", NULL, &question->when},
        {"--ref", NULL, &question->ref},       {NULL, NULL, NULL},
    };
    uint16_t type;
    int count = cli_options(cli, argc, argv, options);
    if (count < 0) {
        return CLI_USAGE;
    }
    if (question->ref && count == 0) {
        return CLI_DONE;
    }
    if (count != 1 || question->ref) {
        return cli_usage(cli, "check", "one name is needed, or --ref CODE alone");
    }
    if (addr_parse(argv[1], &question->judged) < 0 &&
        cli_take_name(cli, "check", argv[1], &question->name) != CLI_DONE) {
        return CLI_USAGE;
    }
    if (question->client && question->group) {
        return cli_usage(cli, "check", "either --client or --group");
    }
    if (question->type && type_parse(question->type, &type) < 0) {
        return cli_usage(cli, "check", "--type needs a type of records like A, AAAA or HTTPS");
    }
    when_use_timezone(cli);
    if (question->when) {
        question->at = when_parse(question->when, time(NULL), false);
        if (question->at <= 0) {
            return cli_usage(cli, "check", "--at needs a time: " WHEN_FORMS);
        }
    }
    if (question->client && addr_parse(question->client, &question->address) < 0 &&
        (member_parse(question->client, &question->device) < 0 ||
         question->device.kind == MEMBER_PREFIX)) {
        return cli_usage(cli, "check", "--client needs an IP address, a MAC, host:NAME or id:NAME");
    }
    return CLI_DONE;
}

int cmd_check(struct cli *cli, int argc, char **argv)
{
    struct question question = {0};
    cJSON *why = NULL;
    int code = read_question(cli, argc, argv, &question);
    if (code == CLI_DONE && question.ref) {
        return ref_explain(cli, question.ref);
    }
    if (code == CLI_DONE) {
        code = ask(cli, &question, &why);
    }
    if (code != CLI_DONE) {
        return code;
    }
    if (cli->quiet) {
        code = cli_flag(why, "blocked") ? CLI_QUIET_NO : CLI_DONE;
    } else if (cli->json) {
        ruletext_add(cli, why);
        return cli_print_json(cli, why);
    } else {
        ruletext_add(cli, why);
        cli_make_plain(why);
        code = print_all(cli, why, &question);
    }
    cJSON_Delete(why);
    return code;
}
