// SPDX-License-Identifier: Apache-2.0
#include "tools/lists.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blocklists/compile.h"
#include "config/config.h"

enum { SOURCES_MAX = 256, FOLDERS_MAX = 64 };

struct compiling {
    struct build_source sources[SOURCES_MAX];
    struct source_report reports[SOURCES_MAX];
    size_t count;
    struct text_list folders[SOURCES_MAX];
    char *words[SOURCES_MAX][FOLDERS_MAX];
};

static int find_word(const char *set, const char *word)
{
    for (int i = 0; i <= FORMAT_REGEX; i++) {
        const char *known = config_word(set, i);
        if (!known || strcmp(known, word) == 0) {
            return known ? i : -EINVAL;
        }
    }
    return -EINVAL;
}

/* "a:b:c", of a UT1 archive. */
static int set_folders(struct compiling *compiling, char *value)
{
    size_t at = compiling->count;
    struct text_list *list = &compiling->folders[at];
    for (char *word = strsep(&value, ":"); word; word = strsep(&value, ":")) {
        if (list->count == FOLDERS_MAX) {
            return -EINVAL;
        }
        compiling->words[at][list->count++] = word;
    }
    list->items = compiling->words[at];
    compiling->sources[at].folders = list;
    compiling->sources[at].folders_named = compiling->sources[at].folders_white = true;
    return 0;
}

/* One key=value; the text was cut at the commas. */
static int set_key(struct compiling *compiling, char *pair)
{
    struct build_source *source = &compiling->sources[compiling->count];
    char *value = strchr(pair, '=');
    if (!value) {
        return -EINVAL;
    }
    *value++ = '\0';
    if (strcmp(pair, "id") == 0) {
        source->id = value;
    } else if (strcmp(pair, "category") == 0) {
        source->category = value;
    } else if (strcmp(pair, "file") == 0) {
        source->url = value;
    } else if (strcmp(pair, "format") == 0) {
        source->format = find_word("list_format", value);
        return source->format < 0 ? -EINVAL : 0;
    } else if (strcmp(pair, "match") == 0) {
        source->match = find_word("list_match", value);
        return source->match < 0 ? -EINVAL : 0;
    } else if (strcmp(pair, "folders") == 0) {
        return set_folders(compiling, value);
    } else if (strcmp(pair, "scope") == 0) {
        source->scope_all = strcmp(value, "all") == 0;
    } else if (strcmp(pair, "local_data") == 0) {
        source->local_data = strcmp(value, "true") == 0;
    } else {
        return -EINVAL;
    }
    return 0;
}

/* "id=ID,category=CAT,format=F,match=M,file=PATH": the file comes last and may hold
 * commas. */
static int add_source(struct compiling *compiling, char *text)
{
    struct build_source *source = &compiling->sources[compiling->count];
    *source = (struct build_source){.fd = -1};
    if (compiling->count == SOURCES_MAX) {
        return -E2BIG;
    }
    for (char *pair = text; pair;) {
        char *next = strncmp(pair, "file=", 5) == 0 ? NULL : strchr(pair, ',');
        if (next) {
            *next++ = '\0';
        }
        if (set_key(compiling, pair) < 0) {
            return -EINVAL;
        }
        pair = next;
    }
    if (!source->id || !source->category || !source->url) {
        return -EINVAL;
    }
    source->fd = open(source->url, O_RDONLY | O_CLOEXEC);
    if (source->fd < 0) {
        return -errno;
    }
    struct stat st;
    if (fstat(source->fd, &st) == 0) {
        source->fetched_at = st.st_mtime;
    }
    compiling->count++;
    return 0;
}

static cJSON *reports_json(const struct compiling *compiling)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < compiling->count; i++) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "id", compiling->sources[i].id);
        cJSON_AddNumberToObject(json, "entries", (double)compiling->reports[i].entries);
        cJSON_AddNumberToObject(json, "duplicates", (double)compiling->reports[i].duplicates);
        cJSON_AddNumberToObject(json, "addresses", (double)compiling->reports[i].addresses);
        cJSON_AddNumberToObject(json, "patterns", (double)compiling->reports[i].patterns);
        cJSON_AddNumberToObject(json, "folded", (double)compiling->reports[i].folded);
        cJSON_AddStringToObject(json, "error", compiling->reports[i].error_text);
        cJSON_AddItemToArray(array, json);
    }
    return array;
}

static int say_reports(struct cli *cli, const struct compiling *compiling)
{
    int code = CLI_DONE;
    for (size_t i = 0; i < compiling->count; i++) {
        const struct source_report *report = &compiling->reports[i];
        code = report->error < 0 ? CLI_PARTLY : code;
        if (!cli->json && !cli->quiet) {
            fprintf(cli->out, "%s: %" PRIu64 " name%s%s%s\n", compiling->sources[i].id,
                    report->entries, cli_plural(report->entries), report->error < 0 ? ", " : "",
                    report->error_text);
        }
    }
    if (cli->json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddBoolToObject(json, "ok", code == CLI_DONE);
        cJSON_AddItemToObject(json, "sources", reports_json(compiling));
        return cli_print_json(cli, json) == CLI_DONE ? code : CLI_FAILED;
    }
    return code;
}

static int compile_sources(struct cli *cli, struct compiling *compiling, const char *out)
{
    struct diag diag = {0};
    struct build_job job = {.sources = compiling->sources, .source_count = compiling->count};
    if (compile_file(&job, out, compiling->reports, &diag) < 0) {
        return cli_fail_diag(cli, CLI_FAILED, &diag);
    }
    return say_reports(cli, compiling);
}

/* GREENGATE_DATA names the catalogue while building; else the configuration does. */
static int compile_own(struct cli *cli, const char *out)
{
    struct diag diag = {0};
    struct config *config = NULL;
    const char *folder = getenv("GREENGATE_DATA");
    if (!folder && config_load(cli->config_path, &config, &diag) < 0) {
        return cli_fail_diag(cli, CLI_BAD_CONFIG, &diag);
    }
    int err = compile_starter(folder ? folder : config->server.data_dir, out, &diag);
    config_free(config);
    if (err < 0) {
        return cli_fail_diag(cli, CLI_FAILED, &diag);
    }
    if (!cli->json) {
        return CLI_DONE;
    }
    cJSON *json = cJSON_CreateObject();
    cJSON_AddTrueToObject(json, "ok");
    return cli_print_json(cli, json);
}

int lists_compile(struct cli *cli, int argc, char **argv)
{
    int code = CLI_DONE;
    const char *out = argc > 1 && argv[1][0] != '-' ? argv[1] : NULL;
    if (!out) {
        return cli_usage(cli, "lists", "lists compile needs the file to write");
    }
    if (argc == 2) {
        return compile_own(cli, out);
    }
    struct compiling *compiling = calloc(1, sizeof(*compiling));
    if (!compiling) {
        return cli_fail(cli, CLI_FAILED, "out of memory");
    }
    for (int i = 2; i < argc && code == CLI_DONE; i += 2) {
        int err = -EINVAL;
        if (strcmp(argv[i], "--source") == 0 && i + 1 < argc) {
            err = add_source(compiling, argv[i + 1]);
        }
        if (err < 0) {
            const char *why = err == -EINVAL ? "id=ID,category=CAT,format=F,file=PATH is expected"
                                             : strerror(-err);
            code = cli_fail(cli, CLI_USAGE, "--source: %s", why);
        }
    }
    code = code == CLI_DONE ? compile_sources(cli, compiling, out) : code;
    for (size_t i = 0; i < compiling->count; i++) {
        close(compiling->sources[i].fd);
    }
    free(compiling);
    return code;
}
