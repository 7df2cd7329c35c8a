// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"
#include "dns/name.h"
#include "tools/cli.h"

enum { WORDS_MAX = 16 };

/* A command's outcome. */
struct run {
    int code;
    char *out, *err;
};

struct bench {
    struct test_server served;
    struct run last;
};

typedef int (*command_fn)(struct cli *cli, int argc, char **argv);

static void clear(struct run *run)
{
    free(run->out);
    free(run->err);
    *run = (struct run){0};
}

static struct run call_with(const char *config_path, command_fn command, const char *line)
{
    struct run run = {0};
    size_t out_len = 0, err_len = 0;
    char words[512];
    char *argv[WORDS_MAX] = {0};
    int argc = 0;
    struct cli cli = {.config_path = config_path};
    cli.out = open_memstream(&run.out, &out_len);
    cli.err = open_memstream(&run.err, &err_len);
    snprintf(words, sizeof(words), "%s", line);
    char *rest = words;
    for (char *word = strsep(&rest, " "); word; word = strsep(&rest, " ")) {
        cli.json |= strcmp(word, "--json") == 0;
        cli.quiet |= strcmp(word, "--quiet") == 0;
        if (strcmp(word, "--json") != 0 && strcmp(word, "--quiet") != 0) {
            argv[argc++] = word;
        }
    }
    run.code = command(&cli, argc, argv);
    fclose(cli.out);
    fclose(cli.err);
    return run;
}

static const struct run *call(struct bench *bench, command_fn command, const char *line)
{
    clear(&bench->last);
    bench->last = call_with(bench->served.backend->config_path, command, line);
    return &bench->last;
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    test_server_start(&bench->served, 0);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    test_server_stop(&bench->served);
    test_backend_free(bench->served.backend);
    clear(&bench->last);
    free(bench);
    return 0;
}

struct row {
    const char *name;
    command_fn command;
    const char *line;
    int code;
    const char *says; /* in out on success, else in err */
};

static void run_rows(struct bench *bench, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct run *run = call(bench, rows[i].command, rows[i].line);
        const char *text = run->code == CLI_DONE ? run->out : run->err;
        if (run->code != rows[i].code || !strstr(text, rows[i].says)) {
            fail_msg("%s: %d\n%s%s", rows[i].name, run->code, run->out, run->err);
        }
    }
}
#define RUN_ROWS(bench, rows) run_rows(bench, rows, sizeof(rows) / sizeof((rows)[0]))

static void commands_speak_with_the_daemon(void **state)
{
    static const struct row rows[] = {
        {"status tells the state", cmd_status, "status", 0, "degraded"},
        {"and why", cmd_status, "status", 0, "because no upstream answers"},
        {"quiet status says it by its code", cmd_status, "status --quiet", 10, ""},
        {"nothing is ruled yet", cmd_rules, "rules", 0, "no local rules"},
        {"the group for the rest", cmd_check, "check a.example", 0, "the group for everyone else"},
        {"a pasted web address", cmd_check, "check https://u@Site.example:8443/x?y=//z", 0,
         "site.example is not blocked"},
        {"a known type", cmd_check, "check a.example --type https", 0, "not blocked"},
        {"block", cmd_block, "block Games.Example --group pupils --for 2h --note exam", 0,
         "blocked: games.example and all below it, for group pupils, until"},
        {"the rule is listed", cmd_rules, "rules", 0, "games.example"},
        {"the check explains", cmd_check, "check www.games.example --client 10.0.0.9", 0,
         "block games.example for group pupils"},
        {"and names the group", cmd_check, "check www.games.example --client 10.0.0.9", 0,
         "10.0.0.9, which is in group pupils"},
        {"blocked is 10 when quiet", cmd_check, "check games.example --group pupils --quiet", 10,
         ""},
        {"not blocked is 0 when quiet", cmd_check, "check games.example --quiet", 0, ""},
        {"allow takes no block back", cmd_allow, "allow games.example --group pupils --remove", 1,
         "no such rule"},
        {"rules remove does", cmd_rules, "rules remove games.example --group pupils", 0,
         "no longer blocked"},
        {"the check agrees", cmd_check, "check games.example --group pupils --quiet", 0, ""},
        {"sums", cmd_stats, "stats --since 24h --by group", 0, "0 queries"},
        {"sums as CSV", cmd_stats, "stats --csv", 0, "category,queries,answered,blocked"},
        {"reload", cmd_reload, "reload", 0, "reloaded"},
    };
    RUN_ROWS(*state, rows);
}

static void wrong_use_ends_with_2(void **state)
{
    static const struct row rows[] = {
        {"no name", cmd_block, "block", 2, "one name is needed"},
        {"two names", cmd_allow, "allow a.example b.example", 2, "one name is needed"},
        {"an address is no name", cmd_block, "block 192.0.2.1", 2, "not a domain name"},
        {"an empty label", cmd_block, "block a..example", 2, "not a domain name"},
        {"a public suffix", cmd_block, "block co.kr", 2, "public suffix"},
        {"a top-level name", cmd_allow, "allow com", 2, "public suffix"},
        {"unknown option names the nearest", cmd_block, "block a.example --goup x", 2, "--group?"},
        {"option without its value", cmd_block, "block a.example --group", 2, "needs a value"},
        {"value for a flag", cmd_block, "block a.example --exact=yes", 2, "takes no value"},
        {"nonsense time", cmd_block, "block a.example --for soon", 2, "30m, 2h, 7d"},
        {"unknown group", cmd_block, "block a.example --group nobody", 2, "no group"},
        {"note while removing", cmd_block, "block a.example --remove --note x", 2, "--remove"},
        {"check of nothing", cmd_check, "check", 2, "one name"},
        {"check for a client and a group", cmd_check, "check a.b --client 10.0.0.1 --group rest", 2,
         "either"},
        {"check for no address", cmd_check, "check a.b --client tablet", 2, "IP address"},
        {"check of no type", cmd_check, "check a.b --type FOO", 2, "A, AAAA or HTTPS"},
        {"an address by its page", cmd_block, "block http://192.0.2.1/x", 2, "name of the site"},
        {"a remedy is named", cmd_block, "block games!.example", 2, "https://games.example/x"},
        {"stats until before since", cmd_stats, "stats --since 7d --until 8d", 2, "not after"},
        {"stats until before the usual", cmd_stats, "stats --until 30d", 2, "not after"},
        {"a list without its ID", cmd_lists, "lists show", 2, "needs the ID"},
        {"stats since never", cmd_stats, "stats --since yesterday", 2, "2026-11-01"},
        {"stats by client", cmd_stats, "stats --by client", 2, "one of hour"},
        {"status takes nothing", cmd_status, "status now", 2, "no argument"},
        {"rules dance", cmd_rules, "rules dance", 2, "remove NAME"},
    };
    RUN_ROWS(*state, rows);
}

static void json_is_one_value_errors_too(void **state)
{
    static const struct {
        command_fn command;
        const char *line;
        int code;
    } rows[] = {
        {cmd_status, "status --json", 0},
        {cmd_check, "check a.example --json", 0},
        {cmd_block, "block a.example --json", 0},
        {cmd_rules, "rules --json", 0},
        {cmd_stats, "stats --by hour --json", 0},
        {cmd_reload, "reload --json", 0},
        {cmd_allow, "allow a.example --remove --json", 1},
        {cmd_allow, "allow a..b --json", 2},
        {cmd_stats, "stats --nonsense --json", 2},
    };
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct run *run = call(bench, rows[i].command, rows[i].line);
        const char *end = NULL;
        cJSON *json = cJSON_ParseWithOpts(run->out, &end, false);
        if (run->code != rows[i].code || !json || strcmp(end, "\n") != 0 || *run->err ||
            cli_flag(json, "ok") != (run->code == 0)) {
            fail_msg("%s: %d\n%s%s", rows[i].line, run->code, run->out, run->err);
        }
        cJSON_Delete(json);
    }
}

static void without_a_daemon_the_files_are_asked(void **state)
{
    struct bench *bench = *state;
    call(bench, cmd_block, "block games.example");
    assert_int_equal(bench->last.code, 0);
    call(bench, cmd_check, "check www.games.example");
    assert_non_null(strstr(bench->last.out, "The daemon says so"));
    cJSON *said = NULL, *read = NULL;
    call(bench, cmd_check, "check www.games.example --json");
    said = cJSON_Parse(bench->last.out);
    test_server_stop(&bench->served);

    const struct row rows[] = {
        {"check", cmd_check, "check www.games.example", 0, "what the files say"},
        {"check explains the same", cmd_check, "check www.games.example", 0, "block games.example"},
        {"check is quiet", cmd_check, "check www.games.example --quiet", 10, ""},
        {"check knows the groups", cmd_check, "check a.example --group nobody", 2, "no group"},
        {"status needs it", cmd_status, "status", 3,
         "greengated is not running: no daemon answers"},
        {"rules need it", cmd_allow, "allow games.example", 3, "greengated -c"},
        {"sums need it", cmd_stats, "stats", 3, "no daemon answers"},
    };
    RUN_ROWS(bench, rows);
    call(bench, cmd_check, "check www.games.example --json");
    read = cJSON_Parse(bench->last.out);
    cJSON_DeleteItemFromObject(said, "asked");
    cJSON_DeleteItemFromObject(read, "asked");
    assert_true(cJSON_Compare(said, read, true));
    cJSON_Delete(said);
    cJSON_Delete(read);
    struct run run = call_with("/nonexistent.yaml", cmd_status, "status");
    assert_int_equal(run.code, CLI_BAD_CONFIG);
    clear(&run);

    /* tear_down stops a server once more. */
    test_backend_free(bench->served.backend);
    test_server_start(&bench->served, 0);
}

static void names_are_taken_as_they_are_pasted(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name; /* NULL: refused */
    } rows[] = {
        {"games.example", "games.example"},
        {"Games.Example.", "games.example"},
        {"http://games.example/x", "games.example"},
        {"https://games.example:8443/a?b#c", "games.example"},
        {"HTTPS://u:p@games.example", "games.example"},
        {"//games.example/x", "games.example"},
        {"games.example/x?u=http://other.example/", "games.example"},
        {"games.example?x", "games.example"},
        {"games.example:443", "games.example"},
        {"u@games.example", "games.example"},
        {"*.games.example", "games.example"},
        {" games.example \n", "games.example"},
        {"_dmarc.a-b.example", "_dmarc.a-b.example"},
        {"http://m\xc3\xbcller.example/", "xn--mller-kva.example"},
        {"localhost", "localhost"},
        {"b b", NULL},
        {"a.*.example", NULL},
        {"http://", NULL},
        {"http:///x", NULL},
        {"http://192.0.2.1/", NULL},
        {"http://[2001:db8::1]/", NULL},
        {"2001:db8::1", NULL},
        {"a.example:port", NULL},
        {"a\\.b", NULL},
        {"a,b.example", NULL},
        {"*.", NULL},
        {".", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[DNAME_TEXT_MAX] = "";
        struct dname name;
        int err = cli_parse_name(rows[i].text, &name);
        if (err == 0) {
            dname_print(&name, text);
        }
        if (rows[i].name ? strcmp(text, rows[i].name) != 0 : err == 0) {
            fail_msg("%s: %d %s", rows[i].text, err, text);
        }
    }
}

/* The daemon runs on the configuration before; the CLI must still reach it. */
static void a_mistake_in_the_file_is_warned_of(void **state)
{
    struct bench *bench = *state;
    FILE *file = fopen(bench->served.backend->config_path, "a");
    fputs("lists:\n  kep_generations: 3\n", file);
    fclose(file);
    const struct run *run = call(bench, cmd_stats, "stats");
    assert_int_equal(run->code, CLI_DONE);
    assert_non_null(strstr(run->err, "unknown key 'kep_generations'"));
    assert_non_null(strstr(run->err, "still runs on the configuration before"));
    run = call(bench, cmd_status, "status --json");
    cJSON *json = cJSON_Parse(run->out);
    assert_non_null(strstr(cli_text(json, "warning"), "unknown key"));
    assert_true(cli_flag(json, "ok"));
    assert_string_equal(run->err, "");
    cJSON_Delete(json);
}

static void spans_are_read_and_told(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } rows[] = {
        {"90s", 90},    {"30m", 1800}, {"2h", 7200}, {"7d", 604800},
        {"1w", 604800}, {"2", -22},    {"h", -22},   {"-1h", -22},
        {"0d", -22},    {"2hh", -22},  {"", -22},    {"99999999999999999999d", -22},
    };
    char out[CLI_SPAN_MAX];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (cli_parse_span(rows[i].text) != rows[i].seconds) {
            fail_msg("%s", rows[i].text);
        }
    }
    assert_string_equal(cli_span(1, out), "1 second");
    assert_string_equal(cli_span(119, out), "119 seconds");
    assert_string_equal(cli_span(7200, out), "2 hours");
    assert_string_equal(cli_span(86400 * 3, out), "3 days");
    assert_string_equal(cli_span(-5, out), "0 seconds");
}

static void columns_line_up_with_wide_letters_too(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    struct cli cli = {.out = open_memstream(&text, &len), .err = stderr};
    struct cli_table table = {.headings = {"name", ">count", "note"}};
    const bool utf8 = setlocale(LC_CTYPE, "C.UTF-8") != NULL;
    cli_table_add(&table, utf8 ? "\xed\x95\x9c\xea\xb5\xad" : "abcd");
    cli_table_add(&table, "%d", 7);
    cli_table_add(&table, "x");
    cli_table_add(&table, "abcdef");
    cli_table_add(&table, "%d", 12345678);
    cli_table_add(&table, "y");
    assert_int_equal(cli_table_print(&cli, &table), CLI_DONE);
    fclose(cli.out);
    char expected[200];
    snprintf(expected, sizeof(expected),
             "name       count  note\n%s           7  x\nabcdef  12345678  y\n",
             utf8 ? "\xed\x95\x9c\xea\xb5\xad" : "abcd");
    assert_string_equal(text, expected);
    free(text);
}

static void control_characters_never_reach_the_terminal(void **state)
{
    (void)state;
    cJSON *json = cJSON_Parse("{\"a\": [\"x\\u001b[2Jy\", {\"b\": \"\\u009b1m\\u007f\"}]}");
    cli_make_plain(json);
    char *text = cJSON_PrintUnformatted(json);
    assert_string_equal(text, "{\"a\":[\"x?[2Jy\",{\"b\":\"??1m?\"}]}");
    cJSON_free(text);
    cJSON_Delete(json);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(commands_speak_with_the_daemon),
        ROW(wrong_use_ends_with_2),
        ROW(json_is_one_value_errors_too),
        ROW(without_a_daemon_the_files_are_asked),
        ROW(a_mistake_in_the_file_is_warned_of),
        cmocka_unit_test(names_are_taken_as_they_are_pasted),
        cmocka_unit_test(spans_are_read_and_told),
        cmocka_unit_test(columns_line_up_with_wide_letters_too),
        cmocka_unit_test(control_characters_never_reach_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
