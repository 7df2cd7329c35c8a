// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/config.h"
#include "store/audit.h"
#include "tools/cli.h"
#include "tools/when.h"

struct reading {
    struct cli *cli;
    int64_t since;
    const char *expected; /* a hash that must stand in the chain, NULL = none */
    bool found;           /* it does */
    unsigned lines, bad;
    char last[AUDIT_HASH_TEXT];
    struct cli_table table;
    cJSON *entries; /* for --json */
};

static const char *const state_words[] = {
    [AUDIT_GOOD] = "good",
    [AUDIT_CHANGED] = "was changed",
    [AUDIT_UNLINKED] = "does not follow the line before it",
    [AUDIT_CUT] = "is cut short",
};

static void verify_line(void *context, const struct audit_line *line)
{
    struct reading *reading = context;
    reading->lines++;
    reading->bad += line->state != AUDIT_GOOD;
    reading->found |= reading->expected && strcmp(line->hash, reading->expected) == 0;
    if (*line->hash) {
        memcpy(reading->last, line->hash, sizeof(reading->last));
    }
    if (line->state == AUDIT_GOOD) {
        return;
    }
    if (reading->cli->json) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "file", line->file);
        cJSON_AddNumberToObject(item, "line", line->number);
        cJSON_AddStringToObject(item, "why", state_words[line->state]);
        cJSON_AddItemToArray(reading->entries, item);
    } else {
        fprintf(reading->cli->out, "%s:%u: the line %s\n", line->file, line->number,
                state_words[line->state]);
    }
}

#define NO_SUCH_HASH "no line has the hash %.64s: the log was cut or written anew"

static int report_json(struct reading *reading, bool good)
{
    char text[128];
    cJSON *json = cJSON_CreateObject();
    cJSON_AddBoolToObject(json, "ok", good);
    if (!good) {
        snprintf(text, sizeof(text), reading->bad ? "the chain is broken" : NO_SUCH_HASH,
                 reading->expected);
        cJSON_AddStringToObject(json, "error", text);
        cJSON_AddNumberToObject(json, "exit", CLI_UNVERIFIED);
    }
    cJSON_AddNumberToObject(json, "lines", reading->lines);
    cJSON_AddItemToObject(json, "broken", reading->entries);
    cJSON_AddStringToObject(json, "last_hash", reading->last);
    return cli_print_json(reading->cli, json);
}

static int verify(struct reading *reading, const char *path)
{
    struct cli *cli = reading->cli;
    struct diag diag = {0};
    int err = audit_walk(path, verify_line, reading, &diag);
    if (err == -ENOENT && reading->lines == 0) {
        cJSON_Delete(reading->entries);
        return cli_fail(cli, CLI_FAILED, "%s: there is no log: nothing was changed yet", path);
    }
    if (err < 0 && err != -ENOENT) {
        cJSON_Delete(reading->entries);
        return cli_fail_diag(cli, CLI_FAILED, &diag);
    }
    bool good = !reading->bad && (!reading->expected || reading->found);
    if (cli->json) {
        int code = report_json(reading, good);
        return code == CLI_DONE && !good ? CLI_UNVERIFIED : code;
    }
    if (reading->expected && !reading->found) {
        fprintf(cli->out, NO_SUCH_HASH "\n", reading->expected);
    }
    fprintf(cli->out, "%u line%s, %u broken; last hash %s\n", reading->lines,
            cli_plural(reading->lines), reading->bad, reading->last);
    return good ? CLI_DONE : CLI_UNVERIFIED;
}

static const char *user_of(double uid, char out[32])
{
    const struct passwd *user = uid >= 0 ? getpwuid((uid_t)uid) : NULL;
    if (user) {
        snprintf(out, 32, "%.31s", user->pw_name);
    } else if (uid >= 0) {
        snprintf(out, 32, "uid %.0f", uid);
    } else {
        snprintf(out, 32, "a signal");
    }
    return out;
}

/* Whoever signed in to the dashboard, or the user of this machine. */
static const char *actor_of(const cJSON *json, char out[32])
{
    const cJSON *details = cJSON_GetObjectItemCaseSensitive(json, "details");
    const char *command = cli_text(json, "command");
    bool signs_in = strcmp(command, "sign-in") == 0 || strcmp(command, "set-up") == 0;
    const char *account = cli_text(details, signs_in ? "account" : "by");
    if (!*account) {
        return user_of(cli_number(json, "uid"), out);
    }
    snprintf(out, 32, "%.31s", account);
    return out;
}

/* "name games.example, for_s 7200": members that say what was done; not the note. */
static void describe(const cJSON *details, char *out, size_t cap)
{
    const cJSON *item;
    size_t len = 0;
    out[0] = '\0';
    cJSON_ArrayForEach(item, details)
    {
        bool skip = strcmp(item->string, "note") == 0 || strcmp(item->string, "generation") == 0 ||
                    strcmp(item->string, "by") == 0 || cJSON_IsFalse(item);
        char *text = skip || cJSON_IsTrue(item) || cJSON_IsString(item)
                         ? NULL
                         : cJSON_PrintUnformatted(item);
        const char *value = cJSON_IsString(item) ? item->valuestring : text ? text : "";
        if (!skip && len < cap) {
            int more = snprintf(out + len, cap - len, "%s%s%s%s", len ? ", " : "", item->string,
                                *value ? " " : "", value);
            len += more > 0 ? (size_t)more : 0;
        }
        cJSON_free(text);
    }
}

static void show_line(void *context, const struct audit_line *line)
{
    struct reading *reading = context;
    cJSON *json = cJSON_Parse(line->text);
    char when[WHEN_TEXT_MAX], who[32], what[160];
    reading->lines++;
    reading->bad += line->state != AUDIT_GOOD;
    if (!cJSON_IsObject(json) || cli_number(json, "at") < (double)reading->since) {
        cJSON_Delete(json);
        return;
    }
    cli_make_plain(json);
    if (reading->cli->json) {
        cJSON_AddBoolToObject(json, "good", line->state == AUDIT_GOOD);
        cJSON_AddItemToArray(reading->entries, json);
        return;
    }
    const cJSON *details = cJSON_GetObjectItemCaseSensitive(json, "details");
    describe(details, what, sizeof(what));
    cli_table_add(&reading->table, "%s", when_print((int64_t)cli_number(json, "at"), when));
    cli_table_add(&reading->table, "%s", actor_of(json, who));
    cli_table_add(&reading->table, "%s", cli_text(json, "command"));
    cli_table_add(&reading->table, "%s", what);
    cli_table_add(&reading->table, "%s", cli_text(details, "note"));
    cJSON_Delete(json);
}

static int show(struct reading *reading, const char *path)
{
    struct cli *cli = reading->cli;
    struct diag diag = {0};
    reading->table = (struct cli_table){.headings = {"when", "who", "did", "what", "why"}};
    int err = audit_walk(path, show_line, reading, &diag);
    if (err < 0 && err != -ENOENT) {
        cJSON_Delete(reading->entries);
        return cli_fail_diag(cli, CLI_FAILED, &diag);
    }
    if (cli->json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddTrueToObject(json, "ok");
        cJSON_AddItemToObject(json, "entries", reading->entries);
        return cli_print_json(cli, json);
    }
    int code = cli_table_print(cli, &reading->table);
    if (reading->bad) {
        fprintf(cli->out, "\n%u of the lines cannot be trusted: greengate audit verify\n",
                reading->bad);
    }
    return code;
}

static int run(struct cli *cli, const char *span, struct reading *reading, bool verifying)
{
    char path[4096];
    struct config *config = NULL;
    struct diag diag = {0};
    if (span) {
        int64_t seconds = cli_parse_span(span);
        if (seconds < 0) {
            return cli_usage(cli, "audit", "--since needs a time like 24h, 7d");
        }
        reading->since = (int64_t)time(NULL) - seconds;
    }
    if (config_load(cli->config_path, &config, &diag) < 0) {
        return cli_fail_diag(cli, CLI_BAD_CONFIG, &diag);
    }
    snprintf(path, sizeof(path), "%s/audit.log", config->server.state_dir);
    config_free(config);
    reading->entries = cli->json ? cJSON_CreateArray() : NULL;
    return verifying ? verify(reading, path) : show(reading, path);
}

int cmd_audit(struct cli *cli, int argc, char **argv)
{
    const char *span = NULL;
    struct reading reading = {.cli = cli};
    const struct cli_option options[] = {
        {"--since", NULL, &span}, {"--expect", NULL, &reading.expected}, {NULL, NULL, NULL}};
    int count = cli_options(cli, argc, argv, options);
    bool verifying = count == 1 && strcmp(argv[1], "verify") == 0;
    if (count < 0) {
        return CLI_USAGE;
    }
    if ((count > 0 && !verifying) || (verifying && span) || (!verifying && reading.expected)) {
        return cli_usage(cli, "audit", "nothing, --since 7d, or verify [--expect HASH]");
    }
    return run(cli, span, &reading, verifying);
}
