// SPDX-License-Identifier: Apache-2.0
#include "tools/lists.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "blocklists/format.h"
#include "blocklists/generation.h"
#include "policy/snapshot.h"
#include "tools/catalog.h"
#include "tools/inforce.h"
#include "tools/pattern.h"

/* Columns of a last error in the table; `lists show ID` has all of it. */
enum { ERROR_SHOWN = 60 };

static void load_meta(const struct config *config, const char *id, struct source_meta *meta)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/sources/%s.json", config->server.state_dir, id);
    if (meta_load(path, meta) < 0) {
        meta->fetched_at = 0;
    }
}

static const char *state_of(const struct config_source *source, const struct source_meta *meta)
{
    if (!source->enabled) {
        return "disabled";
    }
    if (meta->failing_since) {
        return meta->fetched_at ? "failing" : "failed";
    }
    return meta->fetched_at ? "good" : "never fetched";
}

/* One in shadow is told from one that acts. */
static const char *shadow_of(const struct config_source *source)
{
    return source->shadow && source->enabled ? ", shadow" : "";
}

static void print_date(struct cli *cli, const char *what, int64_t at)
{
    char text[WHEN_TEXT_MAX], span[CLI_SPAN_MAX];
    if (at > 0) {
        fprintf(cli->out, "%-12s %s, %s ago\n", what, when_stamp(at, text),
                cli_span(clock_wall_s(&clock_system) - at, span));
    } else {
        fprintf(cli->out, "%-12s never\n", what);
    }
}

static cJSON *summary_json(const struct config_source *source, const struct source_meta *meta)
{
    cJSON *json = meta_json(meta);
    cJSON_AddStringToObject(json, "id", source->id);
    cJSON_AddStringToObject(json, "category", source->category);
    cJSON_AddStringToObject(json, "state", state_of(source, meta));
    cJSON_AddBoolToObject(json, "enabled", source->enabled);
    cJSON_AddBoolToObject(json, "shadow", source->shadow);
    cJSON_ReplaceItemInObjectCaseSensitive(json, "url", cJSON_CreateString(source->url));
    return json;
}

static void print_generation(struct cli *cli, const struct blockdb_info *info, int generation)
{
    char span[CLI_SPAN_MAX];
    if (generation <= 0) {
        fprintf(cli->out,
                "the small starter list that ships with greengate is in force: %" PRIu64
                " name%s\n",
                info->names, cli_plural(info->names));
        return;
    }
    fprintf(cli->out, "generation %d is in force: %" PRIu64 " name%s", generation, info->names,
            cli_plural(info->names));
    if (info->built_at > 0) {
        fprintf(cli->out, ", newest list %s old",
                cli_span(clock_wall_s(&clock_system) - info->built_at, span));
    }
    fputc('\n', cli->out);
}

/* The database that a daemon of this configuration uses. */
static void print_in_force(struct cli *cli, const struct config *config)
{
    char path[PATH_MAX];
    struct blockdb *db = NULL;
    int generation = generation_in_force(config->server.state_dir);
    snapshot_lists_path(config, path, sizeof(path));
    if (path[0] && blockdb_open(path, &db, NULL) == 0) {
        print_generation(cli, blockdb_info(db), generation);
    } else if (path[0] && generation > 0) {
        fprintf(
            cli->out,
            "generation %d is damaged: run `greengate update --force` or `greengate rollback`\n",
            generation);
    } else {
        fprintf(cli->out, "no list database is in force: run `greengate update`\n");
    }
    blockdb_close(db);
    if (generation_pinned(config->server.state_dir) > 0) {
        fprintf(cli->out, "it is pinned by rollback; `greengate update --force` ends that\n");
    }
}

/* Without a catalogue nothing has moved. */
static struct listcatalog *catalog_of(const struct config *config)
{
    struct listcatalog *catalog = NULL;
    int err = listcatalog_load(config->server.data_dir, &catalog, NULL);
    return err < 0 ? NULL : catalog;
}

static void print_moved(struct cli *cli, const struct config *config)
{
    struct listcatalog *catalog = catalog_of(config);
    for (size_t i = 0; i < config->source_count; i++) {
        const char *url = lists_moved(catalog, config, i);
        if (url) {
            fprintf(cli->out,
                    "%s: the catalogue has another address for it now, %s; `greengate lists add %s "
                    "--replace` takes it\n",
                    config->sources[i].id, url, config->sources[i].id);
        }
    }
    listcatalog_free(catalog);
}

static int list_json(struct cli *cli, const struct config *config, struct source_meta *meta)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddTrueToObject(json, "ok");
    cJSON *array = cJSON_AddArrayToObject(json, "lists");
    int generation = generation_in_force(config->server.state_dir);
    int pinned = generation_pinned(config->server.state_dir);
    struct listcatalog *catalog = catalog_of(config);
    for (size_t i = 0; i < config->source_count; i++) {
        load_meta(config, config->sources[i].id, meta);
        const char *url = lists_moved(catalog, config, i);
        cJSON *item = summary_json(&config->sources[i], meta);
        cJSON_AddStringToObject(item, "catalog_url", url ? url : "");
        cJSON_AddItemToArray(array, item);
    }
    listcatalog_free(catalog);
    cJSON_AddNumberToObject(json, "generation", generation > 0 ? generation : 0);
    cJSON_AddNumberToObject(json, "pinned", pinned > 0 ? pinned : 0);
    return cli_print_json(cli, json);
}

static int list_sources(struct cli *cli, const struct config *config, struct source_meta *meta)
{
    struct cli_table table = {
        .headings = {"list", "category", ">names", ">fetched", "state", "version", "last error"}};
    if (cli->json) {
        return list_json(cli, config, meta);
    }
    if (config->source_count == 0) {
        fprintf(cli->out, "no lists are configured: `greengate lists presets` and `greengate lists "
                          "catalog` show some to add\n");
    }
    for (size_t i = 0; i < config->source_count; i++) {
        const struct config_source *source = &config->sources[i];
        char span[CLI_SPAN_MAX];
        load_meta(config, source->id, meta);
        int64_t age = clock_wall_s(&clock_system) - meta->fetched_at;
        cli_table_add(&table, "%s", source->id);
        cli_table_add(&table, "%s", source->category);
        cli_table_add(&table, "%" PRIu64, meta->report.entries);
        cli_table_add(&table, "%s", meta->fetched_at ? cli_span(age, span) : "-");
        cli_table_add(&table, "%s%s", state_of(source, meta), shadow_of(source));
        cli_table_add(&table, "%s", meta->report.version[0] ? meta->report.version : "-");
        cli_table_add(&table, "%.*s", ERROR_SHOWN,
                      meta->report.error_text[0] ? meta->report.error_text : "-");
    }
    int code = config->source_count ? cli_table_print(cli, &table) : CLI_DONE;
    print_moved(cli, config);
    print_in_force(cli, config);
    return code;
}

static void print_skipped(struct cli *cli, const struct source_report *report)
{
    for (unsigned i = 1; i < SKIP_COUNT; i++) {
        if (report->skipped[i]) {
            fprintf(cli->out, "%-12s %" PRIu64 " line%s: %s\n", "skipped", report->skipped[i],
                    cli_plural(report->skipped[i]), skip_text(i));
        }
    }
    for (unsigned i = 0; i < report->quote_count; i++) {
        const struct quote *quote = &report->quotes[i];
        fprintf(cli->out, "%-12s %s%s%u: %s (%s)\n", "for example", quote->file,
                quote->file[0] ? ":" : "line ", quote->line, quote->text, skip_text(quote->reason));
    }
}

static void print_count(struct cli *cli, const char *what, uint64_t count, const char *meaning)
{
    if (count) {
        fprintf(cli->out, "%-12s %" PRIu64 "%s%s\n", what, count, *meaning ? ": " : "", meaning);
    }
}

/* What the lines gave, and what became of it; what is none is not said. */
static void print_entries(struct cli *cli, const struct source_report *report)
{
    fprintf(cli->out, "%-12s %" PRIu64 " of %" PRIu64 " line%s\n", "entries", report->entries,
            report->lines, cli_plural(report->lines));
    print_count(cli, "names", report->names, "");
    print_count(cli, "addresses", report->addresses, "answers that hold them are blocked");
    print_count(cli, "patterns", report->patterns, "regular expressions");
    print_count(cli, "exceptions", report->exceptions, "of the names");
    print_count(cli, "folded", report->folded, "a parent in the list covers them");
    print_count(cli, "duplicates", report->duplicates, "");
    print_count(cli, "cancelled", report->cancelled, "by $badfilter");
    print_count(cli, "narrowed", report->narrowed, "public suffixes kept as the name alone");
    print_count(cli, "too wide", report->skipped[SKIP_WIDE], "refused");
}

static void print_source(struct cli *cli, const struct config_source *source,
                         const struct source_meta *meta)
{
    const struct source_report *report = &meta->report;
    fprintf(cli->out, "%-12s %s\n%-12s %s\n%-12s %s\n%-12s %s\n", "list", source->id, "category",
            source->category, "url", source->url, "state", state_of(source, meta));
    if (source->shadow) {
        fprintf(cli->out, "%-12s it blocks nothing; what it would block is counted\n", "shadow");
    }
    if (report->error_text[0]) {
        fprintf(cli->out, "%-12s %s\n", "last error", report->error_text);
    }
    if (meta->failing_since) {
        print_date(cli, "failing", meta->failing_since);
    }
    print_date(cli, "fetched", meta->fetched_at);
    print_date(cli, "checked", meta->checked_at);
    lists_print_state(cli, meta);
    if (!meta->fetched_at) {
        return;
    }
    fprintf(cli->out, "%-12s %s\n%-12s %s\n", "version", report->version[0] ? report->version : "-",
            "format", format_name(report->format));
    print_entries(cli, report);
    fprintf(cli->out, "%-12s %u %% of its lines are valid", "yield", report_yield(report));
    if (meta->previous_names) {
        fprintf(cli->out, "; the version before: %u %%, %" PRIu64 " name%s", meta->previous_yield,
                meta->previous_names, cli_plural(meta->previous_names));
    }
    fputc('\n', cli->out);
    print_skipped(cli, report);
}

static int show_source(struct cli *cli, const struct config *config, const char *id,
                       struct source_meta *meta)
{
    for (size_t i = 0; i < config->source_count; i++) {
        const struct config_source *source = &config->sources[i];
        if (strcmp(source->id, id) != 0) {
            continue;
        }
        load_meta(config, id, meta);
        if (cli->json) {
            cJSON *json = summary_json(source, meta);
            pattern_add_cost(json, config, id);
            cJSON_AddTrueToObject(json, "ok");
            return cli_print_json(cli, json);
        }
        print_source(cli, source, meta);
        pattern_print_cost(cli, config, id);
        return CLI_DONE;
    }
    return cli_fail(cli, CLI_FAILED, "no list is called %s: `greengate lists` shows them", id);
}

static int run(struct cli *cli, const struct config *config, int count, char **argv)
{
    struct source_meta meta;
    if (count == 0) {
        return list_sources(cli, config, &meta);
    }
    if (count == 2 && strcmp(argv[1], "show") == 0) {
        return show_source(cli, config, argv[2], &meta);
    }
    if (count == 1 && strcmp(argv[1], "show") == 0) {
        return cli_usage(cli, "lists", "lists show needs the ID of a list: `greengate lists`");
    }
    if (count == 1 && strcmp(argv[1], "generations") == 0) {
        return lists_generations(cli, config);
    }
    return cli_usage(cli, "lists", "an unknown way to ask for lists");
}

/* Ways with options of their own. */
static const struct {
    const char *word;
    int (*function)(struct cli *cli, int argc, char **argv);
} ways[] = {
    {"add", lists_add},         {"catalog", lists_catalog}, {"compile", lists_compile},
    {"diff", lists_diff},       {"disable", lists_disable}, {"enable", lists_enable},
    {"presets", lists_presets}, {"remove", lists_remove},   {"search", lists_search},
};

int cmd_lists(struct cli *cli, int argc, char **argv)
{
    const struct cli_option table[] = {{NULL, NULL, NULL}};
    struct diag diag = {0};
    struct config *config = NULL;
    for (size_t i = 0; argc > 1 && i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (strcmp(argv[1], ways[i].word) == 0) {
            return ways[i].function(cli, argc - 1, argv + 1);
        }
    }
    int count = cli_options(cli, argc, argv, table);
    if (count < 0) {
        return CLI_USAGE;
    }
    if (config_load(cli->config_path, &config, &diag) < 0) {
        return cli_fail_diag(cli, CLI_BAD_CONFIG, &diag);
    }
    if (identity_lower(config, &diag) < 0) { /* patterns of lists are tried */
        config_free(config);
        return cli_fail_diag(cli, CLI_FAILED, &diag);
    }
    int code;
    if (inforce_may_read(config, &diag) < 0) {
        code = cli_fail_diag(cli, CLI_FAILED, &diag);
    } else {
        lists_warn_hidden(cli, config);
        code = run(cli, config, count, argv);
    }
    config_free(config);
    return code;
}
