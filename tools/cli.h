// SPDX-License-Identifier: Apache-2.0
/* cli: what every command of `greengate` is given and what it ends with.
 *
 * A command writes its result to cli->out and what went wrong to cli->err, and
 * returns an exit code. With --json, out holds exactly one JSON value, errors too. */
#pragma once
#include "base/diag.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct dname; /* dns/name.h */

enum cli_exit {
    CLI_DONE = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,
    CLI_NO_DAEMON = 3,  /* daemon not reachable */
    CLI_BAD_CONFIG = 4, /* configuration invalid */
    CLI_UNVERIFIED = 5, /* verification of a list failed, the old one stays in force */
    CLI_PARTLY = 6,     /* partly done */
    CLI_QUIET_NO = 10,  /* --quiet: blocked, or not protected */
};

struct cli {
    const char *config_path;
    bool json;
    bool quiet; /* --quiet was given: say nothing, the exit code tells */
    FILE *out;
    FILE *err;
    bool root; /* who started it: some commands go on as somebody else */
};

/* The functions of commands.def. argv[0] is the command's name; -c, --json, --quiet and --help
 * were taken out by main. */
#define COMMAND(name, function, arguments, help)                                                   \
    int function(struct cli *cli, int argc, char **argv);
#include "tools/commands.def"
#undef COMMAND

/* Is the configuration a link? Then another program makes it, as UCI does on OpenWrt. */
bool cli_is_link(const char *path);
#define CLI_LINK_TEXT                                                                              \
    "%.3000s is a link: change the configuration where it is made (OpenWrt: /etc/config/greengate)"

/* Say what went wrong ("greengate: ..."; with --json {"ok":false,"error","exit"})
 * and return `code`, so that a command can write `return cli_fail(...)`. To whom something is
 * denied that root may do, sudo is named. */
int cli_fail(struct cli *cli, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int cli_fail_diag(struct cli *cli, int code, const struct diag *diag);

/* "usage: greengate HEAD ARGUMENTS", in as many lines as it takes; a [ ] stays whole. */
void cli_print_usage(FILE *out, const char *head, const char *arguments);

/* Print the usage of a command from commands.def to err; returns CLI_USAGE. */
int cli_usage(struct cli *cli, const char *command, const char *what);

/* Print a JSON value and free it; returns CLI_DONE, or CLI_FAILED without memory. */
int cli_print_json(struct cli *cli, cJSON *value);

/* An option that a command knows, "--group": `flag` for one without a value, `value`
 * for one with ("--group G" or "--group=G"). A row with name NULL ends the table. */
struct cli_option {
    const char *name;
    bool *flag;
    const char **value;
};

/* Take the options out of argv: the arguments are then argv[1..n]. Returns n, or
 * -EINVAL after saying what is wrong. "--" ends the options. */
int cli_options(struct cli *cli, int argc, char **argv, const struct cli_option *options);

/* Ask the daemon for request->"command"; the request is freed. The socket comes from
 * the configuration; one that has a mistake is warned of, for the daemon still runs on
 * the one before. CLI_DONE with *ret_reply (ok: true) for the caller to free;
 * otherwise the exit code, and what went wrong was said. */
int cli_ask(struct cli *cli, cJSON *request, cJSON **ret_reply);

/* The same, with no word but that warning: 0 with *ret_reply, also for ok: false; negative errno. */
__attribute__((warn_unused_result)) int cli_try_ask(struct cli *cli, cJSON *request,
                                                    cJSON **ret_reply, struct diag *diag);

/* True when out is a terminal; colours also need NO_COLOR unset. */
bool cli_is_terminal(const struct cli *cli);

/* The escape sequence of a colour, "" where none is wanted. */
enum cli_color { CLI_PLAIN, CLI_BOLD, CLI_RED, CLI_GREEN, CLI_YELLOW };
const char *cli_color(const struct cli *cli, enum cli_color color);

/* Text of a key of a JSON object, "" when absent; likewise a number, 0. */
const char *cli_text(const cJSON *object, const char *key);
double cli_number(const cJSON *object, const char *key);
bool cli_flag(const cJSON *object, const char *key);

/* Replace control characters in all texts of a value, so that they cannot steer the
 * terminal. cli_ask() did that already. */
void cli_make_plain(cJSON *value);
void cli_make_plain_text(char *text);

/* A name as people type or paste it: any case, trailing dot, Unicode, "*." before it, or
 * the web address of a page there. -EINVAL for anything else, an address or the root. */
__attribute__((warn_unused_result)) int cli_parse_name(const char *text, struct dname *ret_name);

/* The same; CLI_USAGE after saying what is wrong. */
int cli_take_name(struct cli *cli, const char *command, const char *text, struct dname *ret_name);

/* The end of a plural: "s", but not for one. */
static inline const char *cli_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* "2 days", "90 minutes": a duration for people; returns out. */
enum { CLI_SPAN_MAX = 32 };
const char *cli_span(int64_t seconds, char out[CLI_SPAN_MAX]);

/* "2h", "30m", "7d", "90s", "1w" as seconds, at least 1; -EINVAL. */
__attribute__((warn_unused_result)) int64_t cli_parse_span(const char *text);

/* Columns that line up. Cells are copied; a heading that starts with '>' is aligned
 * to the right. */
enum { CLI_COLUMNS_MAX = 12 };
struct cli_table {
    const char *headings[CLI_COLUMNS_MAX]; /* set by the caller, without holes */
    char **cells;                          /* row by row */
    size_t cell_count;
    size_t cell_cap;
    bool failed; /* out of memory: printing says so */
};

/* One cell; rows follow from the number of headings. */
void cli_table_add(struct cli_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Print and clear; CLI_DONE or CLI_FAILED. */
int cli_table_print(struct cli *cli, struct cli_table *table);
