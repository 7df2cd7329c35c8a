// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <inttypes.h>
#include <linux/ioprio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "blocklists/schedule.h"
#include "config/referral.h"
#include "tools/activate.h"
#include "tools/differing.h"
#include "tools/identity.h"
#include "tools/progress.h"
#include "tools/requested.h"
#include "tools/when.h"

static cJSON *source_json(const struct sync_source *source)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "id", source->config->id);
    cJSON_AddStringToObject(json, "category", source->config->category);
    cJSON_AddStringToObject(json, "status", sync_status_word(source->status));
    cJSON_AddNumberToObject(json, "entries", (double)source->meta.report.entries);
    cJSON_AddNumberToObject(json, "fetched_at", (double)source->meta.fetched_at);
    cJSON_AddBoolToObject(json, "in_use", source->used);
    cJSON_AddNumberToObject(json, "protected_hits", source->protected_hits);
    cJSON_AddNumberToObject(json, "popular_hits", source->popular.all);
    cJSON_AddNumberToObject(json, "serial", (double)source->meta.serial);
    cJSON_AddNumberToObject(json, "expires", (double)source->meta.expires);
    cJSON_AddStringToObject(json, "error",
                            source->status >= SYNC_FAILED ? source->meta.report.error_text : "");
    return json;
}

static cJSON *result_json(const struct sync_result *result)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *sources = cJSON_AddArrayToObject(json, "sources");
    cJSON *hits = cJSON_AddArrayToObject(json, "protected_hits");
    for (size_t i = 0; i < result->count; i++) {
        cJSON_AddItemToArray(sources, source_json(&result->sources[i]));
    }
    for (size_t i = 0; i < result->hit_count; i++) {
        cJSON *hit = cJSON_CreateObject();
        cJSON_AddStringToObject(hit, "list", result->hits[i].list);
        cJSON_AddStringToObject(hit, "name", result->hits[i].name);
        cJSON_AddStringToObject(hit, "entry", result->hits[i].entry);
        cJSON_AddBoolToObject(hit, "popular", result->hits[i].popular);
        cJSON_AddNumberToObject(hit, "line", (double)result->hits[i].line);
        cJSON_AddStringToObject(hit, "text", result->hits[i].text);
        cJSON_AddItemToArray(hits, hit);
    }
    if (result->difference) {
        differing_add(cJSON_AddObjectToObject(json, "difference"), result->difference);
        differing_add_newly(json, &result->newly);
    }
    cJSON_AddBoolToObject(json, "installed", result->installed);
    cJSON_AddNumberToObject(json, "generation", result->generation);
    cJSON_AddNumberToObject(json, "pinned", result->pinned);
    cJSON_AddNumberToObject(json, "names", (double)result->names);
    return json;
}

static void print_expired(struct cli *cli, const struct sync_source *source)
{
    char at[WHEN_TEXT_MAX];
    const int64_t end = source->meta.expires;
    if (end > 0 && end <= time(NULL)) {
        fprintf(cli->out, "; its signature expired at %s", when_stamp(end, at));
    }
}

static void print_source(struct cli *cli, const struct sync_source *source)
{
    const struct source_report *report = &source->meta.report;
    bool bad = source->status >= SYNC_FAILED;
    const char *word = sync_status_word(source->status);
    /* "held back: ..." says it already */
    size_t said = bad && strncmp(report->error_text, word, strlen(word)) == 0 ? strlen(word) : 0;
    if (source->status == SYNC_KEPT && !source->used) {
        fprintf(cli->out, "%-24s not asked; there is no copy\n", source->config->id);
        return;
    }
    fprintf(cli->out, "%-24s %s%s%s", source->config->id, cli_color(cli, bad ? CLI_RED : CLI_GREEN),
            word, cli_color(cli, CLI_PLAIN));
    if (bad) {
        fprintf(cli->out, "%s%s", said ? "" : ": ", report->error_text + said);
    }
    if (source->used) {
        fprintf(cli->out, "%s%" PRIu64 " name%s", bad ? "; the last good copy stays: " : ", ",
                report->entries, cli_plural(report->entries));
    } else if (bad && source->has_copy && !source->excluded) {
        fprintf(cli->out, "; the last good copy is kept");
    } else if (bad) {
        fprintf(cli->out, "; there is no good copy");
    }
    print_expired(cli, source);
    fputc('\n', cli->out);
}

/* Protected or best-known names that lists hold, with the line to blame. */
static void print_hits(struct cli *cli, const struct sync_result *result, bool popular)
{
    enum { SHOWN = 5 };
    size_t count = 0;
    for (size_t i = 0; i < result->hit_count; i++) {
        const struct sync_hit *hit = &result->hits[i];
        if (hit->popular != popular || count++ >= SHOWN) {
            continue;
        }
        if (count == 1) {
            fprintf(cli->out, popular ? "well-known names in lists:\n"
                                      : "protected names in lists, allowed all the same:\n");
        }
        fprintf(cli->out, "  %s, by %s in %s", hit->name, hit->entry, hit->list);
        if (hit->line) {
            fprintf(cli->out, ", line %" PRIu64 ": %s", hit->line, hit->text);
        }
        fputc('\n', cli->out);
    }
    if (count > SHOWN) {
        fprintf(cli->out, "  and %zu more: --json shows all\n", count - SHOWN);
    }
}

static void print_installed(struct cli *cli, const struct sync_result *result,
                            enum activation activation)
{
    fprintf(cli->out, "generation %u is %s: %" PRIu64 " name%s\n", result->generation,
            activation == ACTIVATION_REFUSED ? "made, but greengated did not take it" : "in force",
            result->names, cli_plural(result->names));
    if (activation == ACTIVATION_NO_DAEMON) {
        fprintf(cli->out, "no daemon is running: it reads them when it starts\n");
    }
}

static void print_outcome(struct cli *cli, const struct sync_options *options,
                          const struct sync_result *result)
{
    if (result->current && !result->generation) {
        fprintf(cli->out, "nothing is due, and no list was fetched yet\n");
    } else if (result->current) {
        fprintf(cli->out, "nothing is due; generation %u stays in force\n", result->generation);
    } else if (options->dry_run) {
        fprintf(cli->out, "dry run: %" PRIu64 " name%s would be in force\n", result->names,
                cli_plural(result->names));
    } else {
        fprintf(cli->out, "nothing changed; generation %u stays in force: %" PRIu64 " name%s\n",
                result->generation, result->names, cli_plural(result->names));
    }
}

static int say_no_sources(struct cli *cli, const struct sync_result *result)
{
    if (cli->json) {
        cJSON *json = result_json(result);
        cJSON_AddBoolToObject(json, "ok", true);
        cJSON_AddStringToObject(json, "note", "no sources are configured");
        return cli_print_json(cli, json);
    }
    if (!cli->quiet && result->generation) {
        fprintf(cli->out, "no sources are configured: generation %u stays in force\n",
                result->generation);
    } else if (!cli->quiet) {
        fprintf(cli->out, "no sources are configured: the small starter list that ships with "
                          "greengate stays in force\nadd some under lists.sources\n");
    }
    return CLI_DONE;
}

/* What the sources that were asked came to. */
static int code_of(const struct sync_result *result)
{
    if (result->bad == 0) {
        return CLI_DONE;
    }
    return result->unverified == result->tried ? CLI_UNVERIFIED : CLI_PARTLY;
}

static int say_pinned(struct cli *cli, const struct sync_result *result)
{
    if (cli->json) {
        cJSON *json = result_json(result);
        cJSON_AddBoolToObject(json, "ok", true);
        return cli_print_json(cli, json);
    }
    if (!cli->quiet) {
        fprintf(cli->out,
                "generation %u is pinned by rollback; `greengate update --force` ends that\n",
                result->pinned);
    }
    return CLI_DONE;
}

static int say_failed_json(struct cli *cli, int code, const struct sync_result *result,
                           const struct diag *diag)
{
    char text[DIAG_FILE_MAX + DIAG_TEXT_MAX + 64];
    cJSON *json = result_json(result);
    diag_print(diag, text, sizeof(text));
    cJSON_AddBoolToObject(json, "ok", false);
    cJSON_AddStringToObject(json, "error", text);
    cJSON_AddNumberToObject(json, "exit", code);
    return cli_print_json(cli, json) == CLI_DONE ? code : CLI_FAILED;
}

/* Code of a run that could not finish; what is known of the sources is told too. */
static int say_failed(struct cli *cli, int err, const struct sync_result *result,
                      const struct diag *diag)
{
    bool refused = err == -ENODATA && code_of(result) == CLI_UNVERIFIED;
    int code = err == -EINVAL ? CLI_USAGE : refused ? CLI_UNVERIFIED : CLI_FAILED;
    if (result->count == 0 || err == -EINVAL) {
        return cli_fail_diag(cli, code, diag);
    }
    if (cli->json) {
        return say_failed_json(cli, code, result, diag);
    }
    for (size_t i = 0; i < result->count && !cli->quiet; i++) {
        print_source(cli, &result->sources[i]);
    }
    return cli_fail_diag(cli, code, diag);
}

static int say_done(struct cli *cli, const struct sync_options *options,
                    const struct sync_result *result)
{
    struct diag diag = {0};
    enum activation activation = ACTIVATION_DONE;
    if (result->installed) {
        activation = activate_lists(cli, &diag);
    }
    int code = activation == ACTIVATION_REFUSED ? CLI_FAILED : code_of(result);
    if (cli->json) {
        cJSON *json = result_json(result);
        cJSON_AddBoolToObject(json, "ok", code == CLI_DONE);
        if (code != CLI_DONE) {
            cJSON_AddStringToObject(json, "error",
                                    *diag.text ? diag.text : "a list was refused or not fetched");
            cJSON_AddNumberToObject(json, "exit", code);
        }
        cJSON_AddStringToObject(json, "daemon",
                                result->installed ? activation_word(activation) : "not asked");
        return cli_print_json(cli, json) == CLI_DONE ? code : CLI_FAILED;
    }
    if (cli->quiet) {
        return code;
    }
    for (size_t i = 0; i < result->count; i++) {
        print_source(cli, &result->sources[i]);
    }
    print_hits(cli, result, false);
    print_hits(cli, result, true);
    if (result->difference) {
        differing_print(cli, result->difference);
        differing_print_newly(cli, &result->newly);
    }
    if (result->installed) {
        print_installed(cli, result, activation);
    } else {
        print_outcome(cli, options, result);
    }
    return activation == ACTIVATION_REFUSED ? cli_fail_diag(cli, code, &diag) : code;
}

/* DNS and whoever works on the machine come first. Where a kernel refuses, it runs as
 * it is. */
static void step_back(void)
{
    (void)setpriority(PRIO_PROCESS, 0, 19);
    (void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
}

static int run(struct cli *cli, struct sync_options *options)
{
    struct diag diag = {0};
    struct config *config = NULL;
    struct sync_result result = {0};
    struct progress progress;
    if (config_load(cli->config_path, &config, &diag) < 0 ||
        referral_check_own(config, &diag) < 0) {
        config_free(config);
        return cli_fail_diag(cli, CLI_BAD_CONFIG, &diag);
    }
    if (identity_take(config, &diag) < 0) {
        config_free(config);
        return cli_fail_diag(cli, CLI_FAILED, &diag);
    }
    options->config = config;
    options->now = time(NULL);
    options->salt = schedule_salt();
    if (options->if_due) {
        step_back();
    }
    progress_begin(&progress, cli, options);
    int err = sync_run(options, &result, &diag);
    progress_end(&progress);
    int code = err < 0             ? say_failed(cli, err, &result, &diag)
               : result.count == 0 ? say_no_sources(cli, &result)
               : result.pinned     ? say_pinned(cli, &result)
                                   : say_done(cli, options, &result);
    sync_clear(&result);
    config_free(config);
    return code;
}

int cmd_update(struct cli *cli, int argc, char **argv)
{
    struct sync_options options = {0};
    bool requested = false;
    const struct cli_option table[] = {
        {"--force", &options.force, NULL},
        {"--dry-run", &options.dry_run, NULL},
        {"--if-due", &options.if_due, NULL},
        {"--requested", &requested, NULL},
        {NULL, NULL, NULL},
    };
    int count = cli_options(cli, argc, argv, table);
    if (count < 0) {
        return CLI_USAGE;
    }
    if (requested) {
        return requested_run(cli);
    }
    options.ids = (const char *const *)(argv + 1);
    options.id_count = (size_t)count;
    return run(cli, &options);
}
