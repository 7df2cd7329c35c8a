// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "blocklists/suffix.h"
#include "tools/rules.h"
#include "tools/when.h"

/* What allow, block and rules are told. */
struct wish {
    const char *group, *span, *note; /* NULL: not given */
    bool exact, remove, regex;
    const char *pattern; /* of --regex, else NULL: by name */
    int64_t seconds;     /* 0: for good */
    struct dname name;
};

static int read_options(struct cli *cli, int argc, char **argv, struct wish *wish)
{
    const struct cli_option options[] = {
        {"--group", NULL, &wish->group},
        {"--for", NULL, &wish->span},
        {"--note", NULL, &wish->note},
        {"--exact", &wish->exact, NULL},
        {"--remove", &wish->remove, NULL},
        {"--regex", &wish->regex, NULL},
        {NULL, NULL, NULL},
    };
    return cli_options(cli, argc, argv, options);
}

static bool is_public_suffix(const struct dname *name)
{
    struct suffix_set *set = suffix_new();
    bool is_public = set ? suffix_is_public(set, name) : name->labels == 1;
    suffix_free(set);
    return is_public;
}

static int check_wish(struct cli *cli, const char *command, struct wish *wish)
{
    char name[DNAME_TEXT_MAX];
    if (wish->span) {
        wish->seconds = cli_parse_span(wish->span);
        if (wish->seconds < 0) {
            return cli_usage(cli, command, "--for needs a time like 30m, 2h, 7d");
        }
    }
    if (wish->remove && (wish->span || wish->note)) {
        return cli_usage(cli, command, "--remove goes with --group and --exact alone");
    }
    if (wish->regex && wish->exact) {
        return cli_usage(cli, command, "--exact goes with a name, not with --regex");
    }
    if (!wish->remove && !wish->exact && !wish->regex && is_public_suffix(&wish->name)) {
        return cli_fail(cli, CLI_USAGE,
                        "%s is a public suffix: the rule would cover everybody's names below it; "
                        "name one of them, or use --exact",
                        dname_print(&wish->name, name));
    }
    return CLI_DONE;
}

static cJSON *make_request(const char *command, const struct wish *wish)
{
    char name[DNAME_TEXT_MAX];
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", command);
    if (wish->regex) {
        cJSON_AddStringToObject(request, "pattern", wish->pattern);
    } else {
        cJSON_AddStringToObject(request, "name", dname_print(&wish->name, name));
    }
    cJSON_AddBoolToObject(request, "exact", wish->exact);
    if (wish->group) {
        cJSON_AddStringToObject(request, "group", wish->group);
    }
    if (wish->note) {
        cJSON_AddStringToObject(request, "note", wish->note);
    }
    if (wish->seconds) {
        cJSON_AddNumberToObject(request, "for_s", (double)wish->seconds);
    }
    return request;
}

static void print_rule(struct cli *cli, const cJSON *rule, const char *verb)
{
    char until[WHEN_TEXT_MAX];
    const char *group = cli_text(rule, "group");
    double expires = cli_number(rule, "expires_at");
    const char *pattern = cli_text(rule, "pattern");
    fprintf(cli->out, "%s: %s%s%s, for %s%s%s%s\n", verb, *pattern ? "/" : cli_text(rule, "name"),
            pattern,
            *pattern                  ? "/"
            : cli_flag(rule, "exact") ? " alone"
                                      : " and all below it",
            *group ? "group " : "everybody", group, expires > 0 ? ", until " : "",
            expires > 0 ? when_stamp((int64_t)expires, until) : "");
}

static int remove_rule(struct cli *cli, const struct wish *wish, const char *action)
{
    cJSON *reply = NULL;
    const cJSON *rule;
    cJSON *request = make_request("remove", wish);
    if (action) {
        cJSON_AddStringToObject(request, "action", action);
    }
    int code = cli_ask(cli, request, &reply);
    if (code != CLI_DONE) {
        return code;
    }
    if (cli->json) {
        return cli_print_json(cli, reply);
    }
    cJSON_ArrayForEach(rule, cJSON_GetObjectItemCaseSensitive(reply, "removed"))
    {
        print_rule(cli, rule,
                   strcmp(cli_text(rule, "action"), "allow") ? "no longer blocked by a rule"
                                                             : "no longer allowed by a rule");
    }
    cJSON_Delete(reply);
    return CLI_DONE;
}

static int put_rule(struct cli *cli, const char *action, const struct wish *wish)
{
    cJSON *reply = NULL;
    int code = cli_ask(cli, make_request(action, wish), &reply);
    if (code != CLI_DONE) {
        return code;
    }
    if (cli->json) {
        return cli_print_json(cli, reply);
    }
    if (!cli->quiet) {
        print_rule(cli, cJSON_GetObjectItemCaseSensitive(reply, "rule"),
                   strcmp(action, "allow") ? "blocked" : "allowed");
        fprintf(cli->out, "It acts now; a device may remember an older answer for a while.\n");
    }
    cJSON_Delete(reply);
    return CLI_DONE;
}

static int take_target(struct cli *cli, const char *command, const char *text, struct wish *wish)
{
    if (!wish->regex) {
        return cli_take_name(cli, command, text, &wish->name);
    }
    wish->pattern = text;
    return *text ? CLI_DONE : cli_usage(cli, command, "--regex needs a pattern");
}

static int change(struct cli *cli, int argc, char **argv)
{
    struct wish wish = {0};
    const char *action = argv[0];
    int count = read_options(cli, argc, argv, &wish);
    if (count < 0) {
        return CLI_USAGE;
    }
    if (count != 1) {
        return cli_usage(cli, action, "one name is needed");
    }
    int code = take_target(cli, action, argv[1], &wish);
    if (code == CLI_DONE) {
        code = check_wish(cli, action, &wish);
    }
    if (code != CLI_DONE) {
        return code;
    }
    return wish.remove ? remove_rule(cli, &wish, action) : put_rule(cli, action, &wish);
}

int cmd_allow(struct cli *cli, int argc, char **argv)
{
    return change(cli, argc, argv);
}

int cmd_block(struct cli *cli, int argc, char **argv)
{
    return change(cli, argc, argv);
}

/* One page of rules, from `offset`, moved into `all`; *ret_more tells whether to go on. */
static int fetch_page(struct cli *cli, int offset, cJSON *all, bool *ret_more)
{
    cJSON *reply = NULL;
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", "rules");
    cJSON_AddNumberToObject(request, "offset", offset);
    int code = cli_ask(cli, request, &reply);
    if (code != CLI_DONE) {
        return code;
    }
    cJSON *rules = cJSON_GetObjectItemCaseSensitive(reply, "rules");
    int got = cJSON_GetArraySize(rules);
    while (rules && rules->child) {
        cJSON_AddItemToArray(all, cJSON_DetachItemViaPointer(rules, rules->child));
    }
    *ret_more = got > 0 && offset + got < (int)cli_number(reply, "count");
    cJSON_Delete(reply);
    return CLI_DONE;
}

/* The list's entry that an allow rule takes back. */
static void add_overridden(struct cli_table *table, const cJSON *rule)
{
    const char *list = cli_text(rule, "overrides_list");
    if (!*list) {
        cli_table_add(table, "-");
    } else {
        cli_table_add(table, "%s of %s%s", cli_text(rule, "overrides_entry"), list,
                      cli_flag(rule, "not_needed") ? ": gone, not needed any more" : "");
    }
}

static int print_rules(struct cli *cli, const cJSON *rules)
{
    char made[WHEN_TEXT_MAX], until[WHEN_TEXT_MAX];
    const cJSON *rule;
    struct cli_table table = {
        .headings = {"rule", "name", "covers", "group", "made", "until", "note", "takes back"}};
    if (cJSON_GetArraySize(rules) == 0) {
        fprintf(cli->out, "There are no local rules. `greengate allow NAME` makes one.\n");
        return CLI_DONE;
    }
    cJSON_ArrayForEach(rule, rules)
    {
        const char *group = cli_text(rule, "group");
        cli_table_add(&table, "%s", cli_text(rule, "action"));
        const char *pattern = cli_text(rule, "pattern");
        cli_table_add(&table, "%s", *pattern ? pattern : cli_text(rule, "name"));
        cli_table_add(&table, "%s",
                      *pattern                  ? "what matches"
                      : cli_flag(rule, "exact") ? "the name"
                                                : "all below too");
        cli_table_add(&table, "%s", *group ? group : "everybody");
        cli_table_add(&table, "%s", when_stamp((int64_t)cli_number(rule, "made_at"), made));
        cli_table_add(&table, "%s", when_stamp((int64_t)cli_number(rule, "expires_at"), until));
        cli_table_add(&table, "%s", cli_text(rule, "note"));
        add_overridden(&table, rule);
    }
    return cli_table_print(cli, &table);
}

static int list_rules(struct cli *cli)
{
    cJSON *all = cJSON_CreateArray();
    bool more = true;
    int code = CLI_DONE;
    while (code == CLI_DONE && more) {
        code = fetch_page(cli, cJSON_GetArraySize(all), all, &more);
    }
    if (code == CLI_DONE && cli->json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddTrueToObject(json, "ok");
        cJSON_AddItemToObject(json, "rules", all);
        return cli_print_json(cli, json);
    }
    if (code == CLI_DONE) {
        code = print_rules(cli, all);
    }
    cJSON_Delete(all);
    return code;
}

int cmd_rules(struct cli *cli, int argc, char **argv)
{
    struct wish wish = {.remove = true};
    int count = read_options(cli, argc, argv, &wish);
    if (count < 0) {
        return CLI_USAGE;
    }
    if (count == 0 || (count == 1 && strcmp(argv[1], "list") == 0)) {
        return list_rules(cli);
    }
    if (count == 2 && strcmp(argv[1], "import") == 0) {
        return rules_import(cli, argv[2]);
    }
    if (count != 2 || strcmp(argv[1], "remove") != 0) {
        return cli_usage(cli, "rules", "nothing, remove NAME or import FILE is expected");
    }
    int code = take_target(cli, "rules", argv[2], &wish);
    if (code == CLI_DONE) {
        code = check_wish(cli, "rules", &wish);
    }
    return code == CLI_DONE ? remove_rule(cli, &wish, NULL) : code;
}
