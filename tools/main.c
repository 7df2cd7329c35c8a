// SPDX-License-Identifier: Apache-2.0
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/version.h"
#include "config/nearest.h"
#include "tools/command.h"
#include "tools/complete.h"
#include "tools/manual.h"
#include "tools/when.h"

static const char intro[] =
    "greengate filters DNS for a home or a school: names of harmful sites, taken from public\n"
    "lists, are answered with the address of a page that says what was blocked, why, and who can\n"
    "help. This program asks and steers the resolver, greengated.\n"
    "\n"
    "What one does first:\n"
    "  greengate status                                    is it protecting?\n"
    "  greengate check games.example --client 10.1.0.7     what would this device be answered?\n"
    "  greengate allow school.example --note \"Ms Kim\"      let a site through, at once\n"
    "  greengate block games.example --group pupils --for 2h\n"
    "  greengate stats --since 7d --by category            what was blocked, in sums\n"
    "\n"
    "Commands:\n";

static const char outro[] =
    "\n"
    "Options, for every command:\n"
    "  -c FILE   the configuration, /etc/greengate/greengate.yaml without it\n"
    "  --json    one JSON value as the result, errors too\n"
    "  --help    `greengate COMMAND --help` tells more about a command\n"
    "  --version print the version and end\n"
    "\n"
    "Exit codes: 0 done, 1 failed, 2 usage, 3 daemon not reachable, 4 configuration invalid,\n"
    "5 verification of a list failed, 6 partly done, 10 `--quiet`: blocked or not protected.\n";

static int print_help(const struct cli *cli)
{
    fputs(intro, cli->out);
    for (size_t i = 0; i < command_count; i++) {
        fprintf(cli->out, "  %-9s %.*s\n", commands[i].name, (int)strcspn(commands[i].help, "\n"),
                commands[i].help);
    }
    fputs(outro, cli->out);
    return CLI_DONE;
}

static int print_command_help(const struct cli *cli, const struct command *command)
{
    char head[64];
    snprintf(head, sizeof(head), "[-c FILE] [--json] %s", command->name);
    cli_print_usage(cli->out, head, command->arguments);
    fprintf(cli->out, "\n%s", command->help);
    return CLI_DONE;
}

static int unknown_command(struct cli *cli, const char *name)
{
    struct nearest nearest;
    nearest_init(&nearest, name);
    for (size_t i = 0; i < command_count; i++) {
        nearest_offer(&nearest, commands[i].name);
    }
    if (nearest.best) {
        return cli_fail(cli, CLI_USAGE, "unknown command %.64s; did you mean %s?", name,
                        nearest.best);
    }
    return cli_fail(cli, CLI_USAGE, "unknown command %.64s; `greengate --help` lists them", name);
}

/* Take out what every command knows, wherever it stands; returns what is left of
 * argc, or -1 after saying what is wrong. */
static int take_options(struct cli *cli, int argc, char **argv, bool *ret_help)
{
    int left = 1;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            while (i < argc) {
                argv[left++] = argv[i++];
            }
        } else if (strcmp(argv[i], "--json") == 0) {
            cli->json = true;
        } else if (strcmp(argv[i], "--quiet") == 0) {
            cli->quiet = true;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            *ret_help = true;
        } else if (strcmp(argv[i], "-c") == 0) {
            if (i + 1 == argc) {
                cli_fail(cli, CLI_USAGE, "-c needs a file");
                return -1;
            }
            cli->config_path = argv[++i];
        } else {
            argv[left++] = argv[i];
        }
    }
    argv[left] = NULL;
    return left;
}

/* The command that is meant by what is left of the words. */
static int run(struct cli *cli, int argc, char **argv, bool help)
{
    if (argc == 1 || (argc == 2 && strcmp(argv[1], "help") == 0)) {
        return print_help(cli);
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        fprintf(cli->out, "greengate %s\n", GREENGATE_VERSION);
        return CLI_DONE;
    }
    if (argc == 3 && strcmp(argv[1], "help") == 0 && strcmp(argv[2], "manual") == 0) {
        manual_print(cli->out);
        return CLI_DONE;
    }
    if (strcmp(argv[1], "complete") == 0) { /* for shells */
        return complete(cli, argc - 2, argv + 2);
    }
    const struct command *command = command_find(argv[1]);
    if (!command) {
        return unknown_command(cli, argv[1]);
    }
    if (help) {
        return print_command_help(cli, command);
    }
    when_use_timezone(cli);
    return command->function(cli, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    struct cli cli = {
        "/etc/greengate/greengate.yaml", false, false, stdout, stderr, geteuid() == 0};
    bool help = false;
    setlocale(LC_CTYPE, "");
    int left = argc > 0 ? take_options(&cli, argc, argv, &help) : -1;
    if (left < 0) {
        return CLI_USAGE;
    }
    int code = run(&cli, left, argv, help);
    /* A full disk or a closed pipe must not look like success. */
    return fflush(stdout) == 0 || code != CLI_DONE ? code : CLI_FAILED;
}
