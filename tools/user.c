// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "account/password.h"
#include "config/config.h"
#include "config/dashboard.h"
#include "tools/when.h"

static void set_echo(bool on)
{
    struct termios terminal;
    if (tcgetattr(STDIN_FILENO, &terminal) == 0) {
        terminal.c_lflag = on ? terminal.c_lflag | ECHO : terminal.c_lflag & ~(tcflag_t)ECHO;
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal);
    }
}

/* One line without its end; false when there is none, or it is too long. */
static bool read_line(char out[PASSWORD_MOST + 2])
{
    if (!fgets(out, PASSWORD_MOST + 2, stdin)) {
        return false;
    }
    size_t len = strcspn(out, "\n");
    bool whole = out[len] == '\n' || feof(stdin);
    out[len] = '\0';
    return whole;
}

/* Twice and unseen on a terminal, else the first line of what is piped in. */
static int read_password(struct cli *cli, char out[PASSWORD_MOST + 2])
{
    char again[PASSWORD_MOST + 2];
    bool terminal = isatty(STDIN_FILENO);
    bool same = true;
    if (terminal) {
        fprintf(cli->err, "password: ");
        set_echo(false);
    }
    bool got = read_line(out);
    if (terminal && got) {
        fprintf(cli->err, "\nagain: ");
        same = read_line(again) && strcmp(again, out) == 0;
    }
    if (terminal) {
        set_echo(true);
        fputc('\n', cli->err);
    }
    password_wipe(again, sizeof(again));
    if (!same) {
        return cli_fail(cli, CLI_USAGE, "the two are not the same");
    }
    if (!got || strlen(out) < PASSWORD_LEAST) {
        return cli_fail(cli, CLI_USAGE,
                        "a password has %d to %d octets; it is read from standard input",
                        PASSWORD_LEAST, PASSWORD_MOST);
    }
    return CLI_DONE;
}

/* What the daemon keeps of a password, into the request. */
static int add_password(struct cli *cli, cJSON *request)
{
    char text[PASSWORD_MOST + 2], digits[SECRET_DIGITS + 1];
    struct recipe recipe;
    struct secret key, verifier;
    int code = read_password(cli, text);
    if (code != CLI_DONE) {
        return code;
    }
    password_new_recipe(&recipe);
    int err = password_derive(text, &recipe, &key);
    password_wipe(text, sizeof(text));
    if (err < 0) {
        return cli_fail(cli, CLI_FAILED, "no memory for the password");
    }
    secret_hash(key.octets, SECRET_OCTETS, &verifier);
    password_wipe(&key, sizeof(key));
    secret_print(verifier.octets, SECRET_OCTETS, digits);
    cJSON_AddStringToObject(request, "verifier", digits);
    secret_print(recipe.salt, RECIPE_SALT, digits);
    cJSON_AddStringToObject(request, "salt", digits);
    cJSON_AddNumberToObject(request, "passes", recipe.passes);
    cJSON_AddNumberToObject(request, "kib", recipe.kib);
    return CLI_DONE;
}

static cJSON *make_request(const char *command, const char *account)
{
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", command);
    if (account) {
        cJSON_AddStringToObject(request, "account", account);
    }
    return request;
}

/* Ask, and say what was done. */
static int ask(struct cli *cli, cJSON *request, const char *done)
{
    cJSON *reply = NULL;
    int code = cli_ask(cli, request, &reply);
    if (code == CLI_DONE && cli->json) {
        return cli_print_json(cli, reply);
    }
    if (code == CLI_DONE && !cli->quiet) {
        fprintf(cli->out, "%s\n", done);
    }
    cJSON_Delete(reply);
    return code;
}

static bool exists(struct cli *cli, const char *account, int *ret_code)
{
    cJSON *reply = NULL, *item;
    bool found = false;
    *ret_code = cli_ask(cli, make_request("accounts", NULL), &reply);
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(reply, "accounts"))
    {
        found = found || strcmp(cli_text(item, "account"), account) == 0;
    }
    cJSON_Delete(reply);
    return found;
}

/* A new one; an old one is not changed by a slip. */
static int add(struct cli *cli, const char *account, const char *role)
{
    int code;
    if (exists(cli, account, &code)) {
        return cli_fail(cli, CLI_FAILED, "%.32s is there already: greengate user passwd|role",
                        account);
    }
    if (code != CLI_DONE) {
        return code;
    }
    cJSON *request = make_request("account-put", account);
    cJSON_AddStringToObject(request, "role", role ? role : "viewer");
    code = add_password(cli, request);
    if (code != CLI_DONE) {
        cJSON_Delete(request);
        return code;
    }
    return ask(cli, request, "may sign in now");
}

static int change(struct cli *cli, const char *account, const char *role)
{
    int code;
    if (!exists(cli, account, &code)) {
        return code == CLI_DONE ? cli_fail(cli, CLI_FAILED, "there is no account of this name")
                                : code;
    }
    cJSON *request = make_request("account-put", account);
    if (role) {
        cJSON_AddStringToObject(request, "role", role);
        return ask(cli, request, "its role is changed, and whoever was signed in with it is not");
    }
    code = add_password(cli, request);
    if (code != CLI_DONE) {
        cJSON_Delete(request);
        return code;
    }
    return ask(cli, request, "its password is changed, and whoever was signed in with it is not");
}

static int list(struct cli *cli)
{
    char when[WHEN_TEXT_MAX];
    cJSON *reply = NULL, *item;
    int code = cli_ask(cli, make_request("accounts", NULL), &reply);
    if (code != CLI_DONE || cli->json) {
        return code != CLI_DONE ? code : cli_print_json(cli, reply);
    }
    struct cli_table table = {.headings = {"account", "role", "password of"}};
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(reply, "accounts"))
    {
        cli_table_add(&table, "%s", cli_text(item, "account"));
        cli_table_add(&table, "%s", cli_text(item, "role"));
        cli_table_add(&table, "%s", when_day((int64_t)cli_number(item, "changed_at"), when));
    }
    cJSON_Delete(reply);
    return cli_table_print(cli, &table);
}

/* A link that makes one account, once. */
static int invite(struct cli *cli)
{
    cJSON *reply = NULL;
    struct diag diag = {0};
    struct config *config = NULL;
    if (config_load(cli->config_path, &config, &diag) < 0) {
        return cli_fail_diag(cli, CLI_BAD_CONFIG, &diag);
    }
    int code = cli_ask(cli, make_request("invite", NULL), &reply);
    char url[DASHBOARD_URL_MAX];
    if (code == CLI_DONE && cli->json) {
        code = cli_print_json(cli, reply);
        reply = NULL;
    } else if (code == CLI_DONE) {
        fprintf(cli->out, "%s/#/set-up/%s\n", *dashboard_url(config, url) ? url : "http://ADDRESS",
                cli_text(reply, "invitation"));
    }
    cJSON_Delete(reply);
    config_free(config);
    return code;
}

int cmd_user(struct cli *cli, int argc, char **argv)
{
    const char *role = NULL;
    const struct cli_option options[] = {{"--role", NULL, &role}, {NULL, NULL, NULL}};
    int count = cli_options(cli, argc, argv, options);
    if (count < 0) {
        return CLI_USAGE;
    }
    const char *what = count > 0 ? argv[1] : "list";
    const char *account = count > 1 ? argv[2] : NULL;
    bool changing = strcmp(what, "add") == 0 || strcmp(what, "role") == 0;
    if (count > 2 || (role && !changing)) {
        return cli_usage(cli, "user", "too much is given");
    }
    if (strcmp(what, "list") == 0 && !account) {
        return list(cli);
    }
    if (strcmp(what, "invite") == 0 && !account) {
        return invite(cli);
    }
    if (strcmp(what, "add") == 0 && account) {
        return add(cli, account, role);
    }
    if (strcmp(what, "passwd") == 0 && account) {
        return change(cli, account, NULL);
    }
    if (strcmp(what, "role") == 0 && account && role) {
        return change(cli, account, role);
    }
    if (strcmp(what, "remove") == 0 && account) {
        return ask(cli, make_request("account-remove", account), "may not sign in any more");
    }
    return cli_usage(cli, "user", "list, invite, add, passwd, role or remove is expected");
}
