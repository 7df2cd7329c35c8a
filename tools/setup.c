// SPDX-License-Identifier: Apache-2.0
#include "tools/setup.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/wholefile.h"
#include "config/referral.h"
#include "config/yaml.h"

enum { FILE_MAX = 4 << 20 };

struct options {
    bool yes, force, no_start, print;
    const char *place, *ages, *language, *upstream, *address, *organisation;
};

static bool is_file(const char *path)
{
    return access(path, F_OK) == 0;
}

static int save_text(struct setup *setup, const char *path, const char *text)
{
    int err = wholefile_save(path, text, strlen(text));
    if (err == 0 && chmod(path, 0644) < 0) { /* the daemon's user reads it on each reload */
        err = -errno;
    }
    return err < 0 ? cli_fail(setup->cli, CLI_FAILED, "%s: %s", path, strerror(-err)) : CLI_DONE;
}

/* Read a text as the configuration, with what lies in conf.d beside it; by itself where nothing
 * can be written, as when it is only printed. */
static int load_as(struct cli *cli, const char *text, struct config **ret_config)
{
    char path[PATH_MAX];
    struct diag diag = {0};
    int len = snprintf(path, sizeof(path), "%s.trying", cli->config_path);
    if (len < 0 || (size_t)len >= sizeof(path)) {
        return cli_fail(cli, CLI_USAGE, "the path of the configuration is too long");
    }
    int err = wholefile_save(path, text, strlen(text));
    if (err < 0) {
        const struct yaml_text whole = {text, strlen(text), path};
        err = config_parse(&whole, ret_config, &diag);
    } else {
        err = config_load(path, ret_config, &diag);
        unlink(path);
    }
    return err < 0 ? cli_fail_diag(cli, CLI_BAD_CONFIG, &diag) : CLI_DONE;
}

static int make_folder(struct cli *cli)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(cli->config_path, '/');
    if (!slash || slash == cli->config_path) {
        return CLI_DONE;
    }
    snprintf(folder, sizeof(folder), "%.*s", (int)(slash - cli->config_path), cli->config_path);
    if (mkdir(folder, 0755) < 0 && errno != EEXIST) {
        return cli_fail(cli, CLI_FAILED, "%s: %s", folder, strerror(errno));
    }
    return CLI_DONE;
}

/* The configuration that is made, checked as `config check` does. */
static int compose(struct setup *setup, char **ret_text)
{
    size_t len = 0;
    struct config *config = NULL;
    struct diag diag = {0};
    FILE *memory = open_memstream(ret_text, &len);
    if (!memory || setup_write(setup, memory) < 0 || fclose(memory) != 0) {
        return cli_fail(setup->cli, CLI_FAILED, "no memory");
    }
    int code = load_as(setup->cli, *ret_text, &config);
    if (code == CLI_DONE && referral_check_own(config, &diag) < 0) {
        code = cli_fail_diag(setup->cli, CLI_BAD_CONFIG, &diag);
    }
    config_free(config);
    return code;
}

/* A copy of what is there; "" when there is nothing. */
static int keep_old(struct setup *setup, char out[PATH_MAX])
{
    const char *path = setup->cli->config_path;
    char when[32], *text = NULL;
    size_t len;
    time_t now = time(NULL);
    struct tm tm;
    out[0] = '\0';
    if (!is_file(path)) {
        return CLI_DONE;
    }
    localtime_r(&now, &tm);
    strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm);
    snprintf(out, PATH_MAX, "%.*s.before-%s", PATH_MAX - 40, path, when);
    for (unsigned again = 2; is_file(out); again++) {
        snprintf(out, PATH_MAX, "%.*s.before-%s-%u", PATH_MAX - 60, path, when, again);
    }
    int err = wholefile_read(path, FILE_MAX, &text, &len);
    err = err < 0 ? err : wholefile_save(out, text, len);
    free(text);
    return err < 0 ? cli_fail(setup->cli, CLI_FAILED, "%s: %s", out, strerror(-err)) : CLI_DONE;
}

static void tell_policy(const struct setup *setup)
{
    char names[2048] = "";
    const struct text_list *block = &setup->preset->block;
    for (size_t i = 0; i < block->count; i++) {
        const struct catalog_category *category = catalog_find(setup->catalog, block->items[i]);
        size_t used = strlen(names);
        snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "",
                 category ? catalog_text_in(category->names, category->name_count, setup->language)
                          : block->items[i]);
    }
    setup_say(setup, "policy", NULL);
    if (!setup->cli->json && !setup->cli->quiet) {
        fprintf(setup->cli->out, "  %s\n",
                catalog_text_in(setup->preset->texts, setup->preset->text_count, setup->language));
    }
    setup_say(setup, "blocked", (const char *const[]){"{categories}", names, NULL});
    setup_say(setup, setup_is_safe(setup) ? "safe_search" : "open_search",
              (const char *const[]){"{youtube}", setup_youtube(setup), NULL});
    setup_say(setup, "counted", NULL);
}

static int install(struct setup *setup, const char *text, const struct options *options)
{
    char kept[PATH_MAX];
    const char *path = setup->cli->config_path;
    int code = keep_old(setup, kept);
    code = code == CLI_DONE ? save_text(setup, path, text) : code;
    if (code != CLI_DONE) {
        return code;
    }
    cJSON_AddStringToObject(setup->report, "file", path);
    cJSON_AddStringToObject(setup->report, "copy", kept);
    cJSON_AddStringToObject(setup->report, "preset", setup->preset->id);
    tell_policy(setup);
    setup_say(setup, "written", (const char *const[]){"{file}", path, NULL});
    if (*kept) {
        setup_say(setup, "kept", (const char *const[]){"{file}", kept, NULL});
    }
    setup_start(setup, !options->no_start);
    if (!setup->cli->json) {
        return CLI_DONE;
    }
    cJSON *report = setup->report;
    setup->report = NULL;
    return cli_print_json(setup->cli, report);
}

static int go(struct setup *setup, const struct options *options)
{
    char *text = NULL;
    struct cli *cli = setup->cli, talking = *cli;
    talking.out = options->print ? cli->err : cli->out; /* what is printed is the file alone */
    setup->cli = &talking;
    int code = setup_ask(setup, options->yes);
    if (code == CLI_DONE) {
        code = compose(setup, &text);
    }
    if (code == CLI_DONE && options->print) {
        fputs(text, cli->out);
    } else if (code == CLI_DONE) {
        code = install(setup, text, options);
    }
    setup->cli = cli;
    free(text);
    return code;
}

static void take_options(struct setup *setup, const struct options *options)
{
    const struct {
        char *to;
        const char *from;
    } pairs[] = {{setup->answers.place, options->place},
                 {setup->answers.ages, options->ages},
                 {setup->answers.language, options->language},
                 {setup->answers.upstream, options->upstream},
                 {setup->answers.address, options->address}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        snprintf(pairs[i].to, SETUP_TEXT_MAX, "%s", pairs[i].from ? pairs[i].from : "");
    }
    setup->organisation = options->organisation ? options->organisation : "";
}

/* Of the dialogue: that of the page if it is one of the two, else what the terminal speaks. */
static const char *language_of(const struct options *options)
{
    const char *env = getenv("LC_ALL");
    env = env && *env ? env : getenv("LC_MESSAGES");
    env = env && *env ? env : getenv("LANG");
    if (options->language && strcmp(options->language, "ko") == 0) {
        return "ko";
    }
    return !options->language && env && strncmp(env, "ko", 2) == 0 ? "ko" : "en";
}

static int run(struct cli *cli, const struct options *options)
{
    struct config *base = NULL;
    struct listcatalog *lists = NULL;
    struct catalog *catalog = NULL;
    struct wordbook *book = NULL;
    struct diag diag = {0};
    struct setup setup = {.cli = cli, .language = language_of(options), .printing = options->print};
    int code = options->print ? CLI_DONE : make_folder(cli);
    /* Groups in conf.d need one that catches the rest. */
    code = code == CLI_DONE ? load_as(cli, "groups: [{name: everyone}]\n", &base) : code;
    if (code == CLI_DONE && base &&
        (listcatalog_load(base->server.data_dir, &lists, &diag) < 0 ||
         catalog_load(base->server.data_dir, &catalog, &diag) < 0 ||
         wordbook_load(base->server.data_dir, "setup.yaml", &book, &diag) < 0)) {
        code = cli_fail_diag(cli, CLI_FAILED, &diag);
    }
    if (code == CLI_DONE) {
        setup.base = base;
        setup.lists = lists;
        setup.catalog = catalog;
        setup.book = book;
        setup.report = cJSON_CreateObject();
        cJSON_AddTrueToObject(setup.report, "ok");
        take_options(&setup, options);
        setup_find_addresses(setup.found);
        code = go(&setup, options);
    }
    cJSON_Delete(setup.report);
    setup_forget(&setup);
    wordbook_free(book);
    catalog_free(catalog);
    listcatalog_free(lists);
    config_free(base);
    return code;
}

int cmd_setup(struct cli *cli, int argc, char **argv)
{
    struct options options = {0};
    const struct cli_option known[] = {
        {"--place", NULL, &options.place},
        {"--ages", NULL, &options.ages},
        {"--language", NULL, &options.language},
        {"--upstream", NULL, &options.upstream},
        {"--address", NULL, &options.address},
        {"--organisation", NULL, &options.organisation},
        {"--yes", &options.yes, NULL},
        {"--force", &options.force, NULL},
        {"--no-start", &options.no_start, NULL},
        {"--print", &options.print, NULL},
        {NULL, NULL, NULL},
    };
    int count = cli_options(cli, argc, argv, known);
    if (count != 0) {
        return count < 0 ? CLI_USAGE : cli_usage(cli, "setup", "no argument is expected");
    }
    if (options.print && cli->json) {
        return cli_usage(cli, "setup", "--print is text alone");
    }
    options.yes = options.yes || cli->json;
    if (!options.print && cli_is_link(cli->config_path)) {
        return cli_fail(cli, CLI_FAILED, CLI_LINK_TEXT, cli->config_path);
    }
    if (!options.force && !options.print && is_file(cli->config_path)) {
        return cli_fail(cli, CLI_FAILED,
                        "%s is there already: --force replaces it and keeps a copy beside it",
                        cli->config_path);
    }
    return run(cli, &options);
}
