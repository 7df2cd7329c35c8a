// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store/rulefile.h"
#include "tools/rules.h"

struct outcome {
    unsigned added, refused, over;
    cJSON *refusals; /* {name, why} */
};

static cJSON *make_request(const struct rule *rule, int64_t now)
{
    char name[DNAME_TEXT_MAX];
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", rule->allow ? "allow" : "block");
    cJSON_AddStringToObject(request, *rule->pattern ? "pattern" : "name",
                            *rule->pattern ? rule->pattern : dname_print(&rule->name, name));
    cJSON_AddBoolToObject(request, "exact", rule->exact);
    if (*rule->group) {
        cJSON_AddStringToObject(request, "group", rule->group);
    }
    if (*rule->note) {
        cJSON_AddStringToObject(request, "note", rule->note);
    }
    if (rule->expires_at) {
        cJSON_AddNumberToObject(request, "for_s", (double)(rule->expires_at - now));
    }
    return request;
}

static void refuse(struct outcome *outcome, const struct rule *rule, const char *why)
{
    char name[DNAME_TEXT_MAX];
    cJSON *refusal = cJSON_CreateObject();
    cJSON_AddStringToObject(refusal, "name",
                            *rule->pattern ? rule->pattern : dname_print(&rule->name, name));
    cJSON_AddStringToObject(refusal, "why", why);
    cJSON_AddItemToArray(outcome->refusals, refusal);
    outcome->refused++;
}

/* CLI_DONE also when the daemon refuses this one rule: that is told at the end. */
static int add(struct cli *cli, const struct rule *rule, struct outcome *outcome)
{
    cJSON *reply = NULL;
    struct diag diag = {0};
    int64_t now = (int64_t)time(NULL);
    if (rule->expires_at && rule->expires_at <= now) {
        outcome->over++;
        return CLI_DONE;
    }
    if (cli_try_ask(cli, make_request(rule, now), &reply, &diag) < 0) {
        return cli_fail_diag(cli, CLI_NO_DAEMON, &diag);
    }
    if (cli_flag(reply, "ok")) {
        outcome->added++;
    } else {
        refuse(outcome, rule, cli_text(reply, "error"));
    }
    cJSON_Delete(reply);
    return CLI_DONE;
}

static int report(struct cli *cli, struct outcome *outcome)
{
    const cJSON *refusal;
    int code = outcome->refused ? CLI_PARTLY : CLI_DONE;
    if (cli->json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddTrueToObject(json, "ok");
        cJSON_AddNumberToObject(json, "added", outcome->added);
        cJSON_AddNumberToObject(json, "over", outcome->over);
        cJSON_AddItemToObject(json, "refused", outcome->refusals);
        int printed = cli_print_json(cli, json);
        return printed == CLI_DONE ? code : printed;
    }
    cJSON_ArrayForEach(refusal, outcome->refusals)
    {
        fprintf(cli->err, "refused: %s: %s\n", cli_text(refusal, "name"), cli_text(refusal, "why"));
    }
    fprintf(cli->out, "%u rule%s added, %u refused", outcome->added, cli_plural(outcome->added),
            outcome->refused);
    fprintf(cli->out, outcome->over ? ", %u left out: their time is over\n" : "\n", outcome->over);
    cJSON_Delete(outcome->refusals);
    return code;
}

int rules_import(struct cli *cli, const char *path)
{
    struct rule_list list = {0};
    struct diag diag = {0};
    struct outcome outcome = {.refusals = cJSON_CreateArray()};
    /* To the daemon a missing file is an empty one; here it is a mistake. */
    if (access(path, R_OK) < 0) {
        cJSON_Delete(outcome.refusals);
        return cli_fail(cli, CLI_FAILED, "%s: %s", path, strerror(errno));
    }
    if (rulefile_read(path, &list, &diag) < 0) {
        cJSON_Delete(outcome.refusals);
        return cli_fail_diag(cli, CLI_FAILED, &diag);
    }
    int code = CLI_DONE;
    for (size_t i = 0; code == CLI_DONE && i < list.count; i++) {
        code = add(cli, &list.items[i], &outcome);
    }
    if (code == CLI_DONE) {
        code = report(cli, &outcome);
    } else {
        cJSON_Delete(outcome.refusals);
    }
    rule_list_clear(&list);
    return code;
}
