// SPDX-License-Identifier: Apache-2.0
#include "tools/ref.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "blocklists/listtext.h"
#include "config/known.h"
#include "config/protected.h"
#include "policy/decide.h"
#include "store/rulefile.h"
#include "tools/inforce.h"

enum { NAMES_MAX = 16, TEXT_MAX = 256 };

/* Entries of one list that fit, in memory shared with the child that reads it. */
struct fitting {
    unsigned count;
    char names[NAMES_MAX][TEXT_MAX];
};

struct search {
    struct cli *cli;
    struct ref ref;
    struct inforce lists;
    struct fitting *shared;
    struct cli_table table;
    cJSON *found; /* for --json, else NULL */
    unsigned count, unread;
};

static void add(struct search *search, const char *name, const char *by, const char *what)
{
    search->count++;
    if (search->found) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "name", name);
        cJSON_AddStringToObject(item, "by", by);
        cJSON_AddStringToObject(item, "what", what);
        cJSON_AddItemToArray(search->found, item);
    } else {
        cli_table_add(&search->table, "%s", *name ? name : "-");
        cli_table_add(&search->table, "%s", by);
        cli_table_add(&search->table, "%s", what);
    }
}

static int compare(void *arg, const struct scan_entry *entry, const struct line_sink *sink)
{
    struct search *search = arg;
    (void)sink;
    bool fits = entry->kind == SCAN_NAME && !(entry->flags & BLOCKDB_EXCEPTION) &&
                ref_fits(&search->ref, &entry->name);
    if (fits && search->shared->count < NAMES_MAX) {
        char text[DNAME_TEXT_MAX];
        snprintf(search->shared->names[search->shared->count++], TEXT_MAX, "%.255s",
                 dname_print(&entry->name, text));
    }
    return 0;
}

/* What of a list's text fits; when nothing does, the list alone is told. */
static void search_list(struct search *search, const struct blockdb_source *source)
{
    struct build_source text;
    struct diag diag = {0};
    const struct listtext_visit visit = {.on_entry = compare, .arg = search};
    search->shared->count = 0;
    int err = textstore_open(&search->lists.store, source, &text);
    if (err == 0) {
        err = listtext_visit(&text, &visit, &diag);
        close(text.fd);
    }
    search->unread += err < 0;
    unsigned count = search->shared->count < NAMES_MAX ? search->shared->count : NAMES_MAX;
    for (unsigned i = 0; i < count; i++) {
        search->shared->names[i][TEXT_MAX - 1] = '\0';
        cli_make_plain_text(search->shared->names[i]);
        add(search, search->shared->names[i], source->id, source->category);
    }
    if (count == 0) {
        add(search, "", source->id, source->category);
    }
}

static void search_lists(struct search *search)
{
    const struct blockdb_info *info = blockdb_info(search->lists.db);
    size_t count = 0;
    const struct blockdb_item *items =
        search->ref.which <= info->classes
            ? blockdb_class(search->lists.db, (uint16_t)search->ref.which, &count)
            : NULL;
    for (size_t i = 0; items && i < count; i++) {
        bool again = i > 0 && items[i].source == items[i - 1].source;
        if (!again && !(items[i].flags & BLOCKDB_EXCEPTION)) {
            search_list(search, blockdb_source(search->lists.db, items[i].source));
        }
    }
    if (search->ref.which <= info->patterns) {
        const struct blockdb_pattern *pattern =
            blockdb_pattern(search->lists.db, search->ref.which - 1);
        const struct blockdb_source *source = blockdb_source(search->lists.db, pattern->source);
        char text[TEXT_MAX];
        snprintf(text, sizeof(text), "perhaps /%.200s/", pattern->text);
        cli_make_plain_text(text);
        add(search, text, source->id, source->category);
    }
}

static void try_name(struct search *search, const char *text, const char *by, const char *what)
{
    struct dname name;
    if (dname_parse(text, &name) == 0 && ref_fits(&search->ref, &name)) {
        add(search, text, by, what);
    }
}

static void search_known(struct search *search, const struct config *config)
{
    struct known *known = NULL;
    if (known_load(config->server.data_dir, &known) < 0) {
        return;
    }
    for (size_t i = 0; i < known->count; i++) {
        const struct known_item *item = &known->items[i];
        for (size_t k = 0; k < item->domains.count; k++) {
            try_name(search, item->domains.items[k], item->id, known_file(item->kind));
        }
        for (size_t k = 0; k < item->hosts.count; k++) {
            char www[DNAME_TEXT_MAX];
            snprintf(www, sizeof(www), "www.%s", item->hosts.items[k]);
            try_name(search, item->hosts.items[k], item->id, known_file(item->kind));
            if (item->www) {
                try_name(search, www, item->id, known_file(item->kind));
            }
        }
    }
    known_free(known);
}

static void search_rules(struct search *search, const struct config *config)
{
    char path[4096], text[DNAME_TEXT_MAX];
    struct rule_list rules = {0};
    struct protected_list canaries = {0};
    snprintf(path, sizeof(path), "%s/rules.yaml", config->server.state_dir);
    if (rulefile_load(path, &rules, NULL) == 0) {
        for (size_t i = 0; i < rules.count; i++) {
            if (!*rules.items[i].pattern && ref_fits(&search->ref, &rules.items[i].name)) {
                add(search, dname_print(&rules.items[i].name, text), "local rule",
                    rules.items[i].note);
            }
        }
        rule_list_clear(&rules);
    }
    if (protected_load(config->server.data_dir, "canaries", &canaries, NULL) == 0) {
        for (size_t i = 0; i < canaries.count; i++) {
            if (ref_fits(&search->ref, &canaries.items[i].name)) {
                add(search, dname_print(&canaries.items[i].name, text), "canary", "canaries.yaml");
            }
        }
        protected_clear(&canaries);
    }
}

static int report(struct search *search, const char *code)
{
    struct cli *cli = search->cli;
    if (search->found) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddTrueToObject(json, "ok");
        cJSON_AddStringToObject(json, "ref", code);
        cJSON_AddItemToObject(json, "found", search->found);
        cJSON_AddNumberToObject(json, "unread_lists", search->unread);
        return cli_print_json(cli, json);
    }
    int printed = search->count ? cli_table_print(cli, &search->table) : CLI_DONE;
    if (search->count == 0) {
        fprintf(
            cli->out,
            "nothing that is in force now fits this code: it is of earlier lists, of a pattern, or "
            "of a time or choice that blocked the whole name\n");
    } else if (printed == CLI_DONE) {
        fprintf(cli->out,
                "\nThe code says nothing of who asked. `greengate check NAME` tells more.\n");
    }
    if (search->unread) {
        fprintf(cli->out, "the text of %u list%s is not kept and was not searched\n",
                search->unread, cli_plural(search->unread));
    }
    return printed;
}

static int run(struct search *search, const char *code)
{
    search->shared = mmap(NULL, sizeof(*search->shared), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (search->shared == MAP_FAILED) {
        return cli_fail(search->cli, CLI_FAILED, "no memory");
    }
    if (search->ref.which) {
        search_lists(search);
    } else {
        search_rules(search, search->lists.config);
        search_known(search, search->lists.config);
    }
    munmap(search->shared, sizeof(*search->shared));
    return report(search, code);
}

int ref_explain(struct cli *cli, const char *code)
{
    struct search search = {.cli = cli, .table = {.headings = {"entry", "by", "what"}}};
    if (ref_parse(code, &search.ref) < 0) {
        return cli_usage(cli, "check",
                         "--ref takes the eight letters and digits of a warning page");
    }
    int result = inforce_take(cli, 0, &search.lists);
    if (result == CLI_DONE) {
        search.found = cli->json ? cJSON_CreateArray() : NULL;
        result = run(&search, code);
    }
    inforce_close(&search.lists);
    return result;
}
