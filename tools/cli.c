// SPDX-License-Identifier: Apache-2.0
#include "tools/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "config/yaml.h"
#include "control/client.h"

enum { ASK_MS = 15 * 1000, RELOAD_MS = 120 * 1000 };

static const struct command {
    const char *name, *arguments;
} usages[] = {
#define COMMAND(name, function, arguments, help) {name, arguments},
#include "tools/commands.def"
#undef COMMAND
};

bool cli_is_terminal(const struct cli *cli)
{
    return isatty(fileno(cli->out));
}

const char *cli_color(const struct cli *cli, enum cli_color color)
{
    static const char *const codes[] = {"\033[0m", "\033[1m", "\033[31m", "\033[32m", "\033[33m"};
    const char *off = getenv("NO_COLOR");
    return cli_is_terminal(cli) && !(off && *off) ? codes[color] : "";
}

static int fail_text(struct cli *cli, int code, const char *text)
{
    if (!cli->json) {
        fprintf(cli->err, "greengate: %s\n", text);
        return code;
    }
    cJSON *error = cJSON_CreateObject();
    cJSON_AddFalseToObject(error, "ok");
    cJSON_AddStringToObject(error, "error", text);
    cJSON_AddNumberToObject(error, "exit", code);
    cli_print_json(cli, error);
    return code;
}

/* By the words of strerror(): the code is lost where a text was made of it. */
static void add_remedy(const struct cli *cli, char *text, size_t cap)
{
    bool denied = strstr(text, strerror(EACCES)) || strstr(text, strerror(EPERM));
    size_t len = strlen(text);
    if (denied && !cli->root && !strstr(text, "sudo")) {
        snprintf(text + len, cap - len, "; use sudo");
    }
}

int cli_fail(struct cli *cli, int code, const char *format, ...)
{
    char text[DIAG_FILE_MAX + DIAG_TEXT_MAX + 256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    add_remedy(cli, text, sizeof(text));
    return fail_text(cli, code, text);
}

int cli_fail_diag(struct cli *cli, int code, const struct diag *diag)
{
    char text[DIAG_FILE_MAX + DIAG_TEXT_MAX + 64];
    diag_print(diag, text, sizeof(text));
    add_remedy(cli, text, sizeof(text));
    return fail_text(cli, code, text);
}

/* As far as no line may be broken: to a blank outside brackets. */
static size_t piece_of(const char *text)
{
    size_t len = 0;
    int depth = 0;
    for (; text[len] && (depth > 0 || text[len] != ' '); len++) {
        depth += (text[len] == '[') - (text[len] == ']');
    }
    return len;
}

void cli_print_usage(FILE *out, const char *head, const char *arguments)
{
    enum { WIDTH = 100, INDENT = 8 };
    int column = fprintf(out, "usage: greengate %s", head);
    for (const char *at = arguments; *at; at += *at == ' ') {
        int len = (int)piece_of(at);
        if (column + 1 + len > WIDTH) {
            column = fprintf(out, "\n%*s", INDENT - 1, "") - 1;
        }
        column += fprintf(out, " %.*s", len, at);
        at += len;
    }
    fputc('\n', out);
}

int cli_usage(struct cli *cli, const char *command, const char *what)
{
    const char *arguments = "";
    for (size_t i = 0; i < sizeof(usages) / sizeof(usages[0]); i++) {
        arguments = strcmp(usages[i].name, command) ? arguments : usages[i].arguments;
    }
    fail_text(cli, CLI_USAGE, what);
    if (!cli->json) {
        cli_print_usage(cli->err, command, arguments);
    }
    return CLI_USAGE;
}

int cli_print_json(struct cli *cli, cJSON *value)
{
    char *text = value ? cJSON_Print(value) : NULL;
    cJSON_Delete(value);
    if (!text) {
        fprintf(cli->err, "greengate: no memory\n");
        return CLI_FAILED;
    }
    fprintf(cli->out, "%s\n", text);
    cJSON_free(text);
    return CLI_DONE;
}

/* Lists and notes are strangers' texts: a control character in them could steer the
 * terminal. C1 controls are two octets in UTF-8. */
/* Controls, ends of lines, and marks that turn the direction of writing, as question marks. */
void cli_make_plain_text(char *text)
{
    for (unsigned char *at = (unsigned char *)text; *at; at++) {
        bool turns = at[0] == 0xe2 && ((at[1] == 0x80 && at[2] >= 0xa8 && at[2] <= 0xae) ||
                                       (at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9));
        if (turns) {
            at[0] = at[1] = at[2] = '?';
        }
        if (*at < 0x20 || *at == 0x7f) {
            *at = '?';
        } else if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0) {
            at[0] = at[1] = '?';
        }
    }
}

void cli_make_plain(cJSON *value)
{
    if (cJSON_IsString(value)) {
        cli_make_plain_text(value->valuestring);
    }
    for (cJSON *item = value ? value->child : NULL; item; item = item->next) {
        cli_make_plain(item);
    }
}

static int call_at(const char *socket_path, const cJSON *request, cJSON **ret_reply,
                   struct diag *diag)
{
    const char *command = cli_text(request, "command");
    unsigned wait_ms = strcmp(command, "reload") ? ASK_MS : RELOAD_MS;
    const struct client_target target = {socket_path, wait_ms};
    diag_at(diag, "", 0, 0); /* the configuration was not to blame */
    return client_call(&target, request, ret_reply, diag);
}

/* A mistake in the file must not take the daemon out of reach, which runs on the
 * configuration before: the socket alone is read, else it is where it is by default. */
static int call_despite(struct cli *cli, const cJSON *request, cJSON **ret_reply)
{
    struct yaml_node *root = NULL;
    struct config *defaults = config_new();
    const char *path = NULL;
    int err = defaults ? yaml_read(cli->config_path, &root, NULL) : -ENOMEM;
    if (err == 0) {
        const struct yaml_node *server = yaml_get(root, "server");
        path = server ? yaml_get_text(server, "control_socket") : NULL;
    }
    if (err == 0 || err == -EINVAL) {
        path = path ? path : defaults->server.control_socket;
        err = call_at(path, request, ret_reply, NULL);
    }
    yaml_free(root);
    config_free(defaults);
    return err;
}

static void warn(struct cli *cli, const struct diag *diag, cJSON *reply)
{
    char text[DIAG_FILE_MAX + DIAG_TEXT_MAX + 64];
    diag_print(diag, text, sizeof(text));
    if (cli->json) {
        cJSON_AddStringToObject(reply, "warning", text);
    } else if (!cli->quiet) {
        fprintf(cli->err, "greengate: %s\nThe daemon still runs on the configuration before.\n",
                text);
    }
}

int cli_try_ask(struct cli *cli, cJSON *request, cJSON **ret_reply, struct diag *diag)
{
    struct config *config = NULL;
    int err = config_load(cli->config_path, &config, diag);
    if (err == 0) {
        err = call_at(config->server.control_socket, request, ret_reply, diag);
    } else if (err == -EINVAL && call_despite(cli, request, ret_reply) == 0) {
        warn(cli, diag, *ret_reply);
        err = 0;
    } else {
        err = err == -ENOMEM ? err : -EINVAL;
    }
    if (err == 0 && !cli->json) {
        cli_make_plain(*ret_reply);
    }
    config_free(config);
    cJSON_Delete(request);
    return err;
}

static int say_unreachable(struct cli *cli, int err, const struct diag *diag)
{
    int code = cli_fail_diag(cli, CLI_NO_DAEMON, diag);
    if (!cli->json && err == -ECONNREFUSED) {
        fprintf(cli->err, "`greengated -c %s` starts it.\n", cli->config_path);
    }
    return code;
}

/* Was that printed already, when the file was read here? */
static bool is_said(const struct cli *cli, const char *text, const struct diag *mistake)
{
    return !cli->json && !cli->quiet && *mistake->text && strstr(text, mistake->text);
}

int cli_ask(struct cli *cli, cJSON *request, cJSON **ret_reply)
{
    struct diag diag = {0};
    cJSON *reply = NULL;
    int err = cli_try_ask(cli, request, &reply, &diag);
    if (err == -EINVAL) {
        return cli_fail_diag(cli, CLI_BAD_CONFIG, &diag);
    }
    if (err < 0) {
        return say_unreachable(cli, err, &diag);
    }
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reply, "ok"))) {
        *ret_reply = reply;
        return CLI_DONE;
    }
    int code = (int)cli_number(reply, "exit");
    code = code > 0 ? code : CLI_FAILED;
    if (!is_said(cli, cli_text(reply, "error"), &diag)) {
        fail_text(cli, code, cli_text(reply, "error"));
    }
    cJSON_Delete(reply);
    return code;
}

const char *cli_text(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    return text ? text : "";
}

double cli_number(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

bool cli_flag(const cJSON *object, const char *key)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, key));
}

bool cli_is_link(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
}
