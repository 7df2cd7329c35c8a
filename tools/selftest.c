// SPDX-License-Identifier: Apache-2.0
#include "tools/selftest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/wholefile.h"
#include "config/known.h"
#include "config/schedule.h"
#include "tools/doctor.h"

enum { DNS_PORT = 53 };

struct options {
    bool html;
    const char *language, *out, *server;
};

static int choose_server(struct selftest *test, const struct options *options)
{
    const struct text_list *listen = &test->config->dns.listen;
    const char *text = options->server ? options->server : listen->count ? listen->items[0] : "";
    if (addr_parse_port(text, DNS_PORT, &test->server) < 0) {
        return options->server
                   ? cli_usage(test->cli, "selftest",
                               "--server takes an address, with a port or without")
                   : cli_fail(test->cli, CLI_FAILED, "dns.listen is empty: name one with --server");
    }
    test->server = doctor_reach(&test->server);
    return CLI_DONE;
}

static int choose_language(struct selftest *test, const struct options *options)
{
    const struct text_list *languages = &test->config->web.languages;
    const char *first = languages->count ? languages->items[0] : "en";
    test->language = options->language                    ? options->language
                     : wordbook_speaks(test->book, first) ? first
                                                          : "en";
    if (!wordbook_speaks(test->book, test->language)) {
        return cli_usage(test->cli, "selftest", "--language takes ko or en");
    }
    return CLI_DONE;
}

static cJSON *request_of(const char *command)
{
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", command);
    return request;
}

static void take_lists(struct selftest *test, const cJSON *lists)
{
    static const char starter[] = "/starter.ggdb";
    const char *path = cli_text(lists, "path");
    size_t len = strlen(path), tail = strlen(starter);
    test->names = cli_number(lists, "names");
    test->starter = len >= tail && strcmp(path + len - tail, starter) == 0;
}

/* As whom this machine is answered there: it asks its own address from that address. */
static int ask_daemon(struct selftest *test)
{
    cJSON *reply = NULL, *request = request_of("groups");
    char own[ADDR_TEXT_MAX];
    struct addr addr = test->server;
    addr.port = 0;
    cJSON_AddStringToObject(request, "client", addr_print(&addr, own));
    int code = cli_ask(test->cli, request, &reply);
    if (code != CLI_DONE) {
        return code;
    }
    snprintf(test->group, sizeof(test->group), "%s", cli_text(reply, "group"));
    cJSON_Delete(reply);
    code = cli_ask(test->cli, request_of("status"), &reply);
    if (code == CLI_DONE) {
        take_lists(test, cJSON_GetObjectItemCaseSensitive(reply, "lists"));
        cJSON_Delete(reply);
    }
    return code;
}

static int print_json(const struct selftest *test)
{
    char server[ADDR_TEXT_MAX];
    cJSON *json = cJSON_CreateObject();
    cJSON_AddBoolToObject(json, "ok", test->faults == 0);
    if (test->faults) {
        char text[64];
        snprintf(text, sizeof(text), "%zu fault%s", test->faults, cli_plural(test->faults));
        cJSON_AddStringToObject(json, "error", text);
        cJSON_AddNumberToObject(json, "exit", CLI_FAILED);
    }
    cJSON_AddStringToObject(json, "server", addr_print(&test->server, server));
    cJSON_AddStringToObject(json, "group", test->group);
    cJSON_AddBoolToObject(json, "starter", test->starter);
    cJSON_AddNumberToObject(json, "faults", (double)test->faults);
    cJSON *probes = cJSON_AddArrayToObject(json, "probes");
    for (size_t i = 0; i < test->count; i++) {
        const struct selftest_probe *probe = &test->probes[i];
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "name", probe->name);
        cJSON_AddStringToObject(one, "category", probe->category);
        cJSON_AddStringToObject(one, "by", probe->by);
        cJSON_AddBoolToObject(one, "known", probe->known);
        cJSON_AddStringToObject(one, "seen", selftest_seen_id(probe->seen) + strlen("seen_"));
        cJSON_AddStringToObject(one, "verdict", selftest_verdict_id(probe->verdict));
        cJSON_AddItemToArray(probes, one);
    }
    return cli_print_json(test->cli, json);
}

static int print_sheet(const struct selftest *test, const struct options *options)
{
    char *text = NULL;
    size_t len = 0;
    if (!options->out) {
        selftest_print(test, options->html, test->cli->out);
        return CLI_DONE;
    }
    FILE *memory = open_memstream(&text, &len);
    if (!memory) {
        return cli_fail(test->cli, CLI_FAILED, "no memory");
    }
    selftest_print(test, options->html, memory);
    int err = fclose(memory) == 0 ? wholefile_save(options->out, text, len) : -ENOMEM;
    free(text);
    if (err < 0) {
        return cli_fail(test->cli, CLI_FAILED, "%s: %s", options->out, strerror(-err));
    }
    fprintf(test->cli->out, "%s: %zu names, %zu fault%s%s\n", options->out, test->count,
            test->faults, cli_plural(test->faults),
            test->starter ? "; only the small starter list is in force" : "");
    return CLI_DONE;
}

static int run(struct selftest *test, const struct options *options)
{
    struct diag diag = {0};
    int code = choose_language(test, options);
    code = code == CLI_DONE ? choose_server(test, options) : code;
    if (code == CLI_DONE && selftest_load(test, &diag) < 0) {
        code = cli_fail_diag(test->cli, CLI_FAILED, &diag);
    }
    code = code == CLI_DONE ? ask_daemon(test) : code;
    if (code != CLI_DONE) {
        return code;
    }
    selftest_run(test);
    code = test->cli->json ? print_json(test) : print_sheet(test, options);
    return code == CLI_DONE && test->faults ? CLI_FAILED : code;
}

static int open_data(struct selftest *test, const struct options *options)
{
    struct catalog *catalog = NULL;
    struct known *known = NULL;
    struct wordbook *book = NULL;
    struct diag diag = {0};
    const char *folder = test->config->server.data_dir;
    int code = CLI_DONE;
    if (catalog_load(folder, &catalog, &diag) < 0 || known_load(folder, &known) < 0 ||
        wordbook_load(folder, "selftest.yaml", &book, &diag) < 0) {
        code = cli_fail_diag(test->cli, CLI_FAILED, &diag);
    }
    test->catalog = catalog;
    test->known = known;
    test->book = book;
    code = code == CLI_DONE ? run(test, options) : code;
    wordbook_free(book);
    known_free(known);
    catalog_free(catalog);
    return code;
}

int cmd_selftest(struct cli *cli, int argc, char **argv)
{
    struct options options = {0};
    struct config *config = NULL;
    struct diag diag = {0};
    const struct cli_option known[] = {
        {"--html", &options.html, NULL},
        {"--language", NULL, &options.language},
        {"--out", NULL, &options.out},
        {"--server", NULL, &options.server},
        {NULL, NULL, NULL},
    };
    int count = cli_options(cli, argc, argv, known);
    if (count != 0) {
        return count < 0 ? CLI_USAGE : cli_usage(cli, "selftest", "no argument is expected");
    }
    if (cli->json && (options.html || options.out)) {
        return cli_usage(cli, "selftest", "--json goes without --html and --out");
    }
    if (config_load(cli->config_path, &config, &diag) < 0) {
        return cli_fail_diag(cli, CLI_BAD_CONFIG, &diag);
    }
    schedule_set_timezone(config);
    struct selftest *test = calloc(1, sizeof(*test));
    int code = CLI_FAILED;
    if (test) {
        test->cli = cli;
        test->config = config;
        code = open_data(test, &options);
    }
    free(test);
    config_free(config);
    return code;
}
