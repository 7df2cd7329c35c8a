// SPDX-License-Identifier: Apache-2.0
#include "tools/ruletext.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blocklists/listtext.h"
#include "tools/inforce.h"

enum { LISTED_MAX = 64 };

/* Listings of one list, and what to look for in its text. */
struct search {
    struct listtext_want wants[LISTED_MAX];
    cJSON *listings[LISTED_MAX];
    size_t count;
};

static bool read_want(const cJSON *listing, const char *name, struct listtext_want *want)
{
    const char *entry = cli_text(listing, "entry");
    *want = (struct listtext_want){.exception = cli_flag(listing, "exception")};
    want->covers = strcmp(entry, name) == 0 ? BLOCKDB_SELF : BLOCKDB_BELOW;
    size_t len = strlen(entry);
    if (strcmp(cli_text(listing, "covers"), "pattern") == 0 && len > 2) { /* between slashes */
        want->kind = SCAN_PATTERN;
        return snprintf(want->pattern, sizeof(want->pattern), "%.*s", (int)len - 2, entry + 1) <
               (int)sizeof(want->pattern);
    }
    if (strcmp(cli_text(listing, "covers"), "address") == 0) {
        want->kind = SCAN_ADDRESS;
        return prefix_parse(entry, &want->prefix) == 0;
    }
    return dname_parse(entry, &want->name) == 0;
}

static void collect(const cJSON *why, const char *list, struct search *search)
{
    cJSON *listing;
    const cJSON *listed = cJSON_GetObjectItemCaseSensitive(why, "listed");
    /* the name behind an alias is what the lists were asked for */
    const char *alias = cli_text(why, "alias");
    const char *name = *alias ? alias : cli_text(why, "name");
    search->count = 0;
    cJSON_ArrayForEach(listing, listed)
    {
        if (strcmp(cli_text(listing, "list"), list) == 0 && search->count < LISTED_MAX &&
            read_want(listing, name, &search->wants[search->count])) {
            search->listings[search->count++] = listing;
        }
    }
}

static void add_text(cJSON *listing, const struct listtext_want *want,
                     const struct build_source *source)
{
    cJSON_AddStringToObject(listing, "rule_text", want->text);
    cJSON_AddNumberToObject(listing, "line", (double)want->line);
    cJSON_AddStringToObject(listing, "file", want->file);
    cJSON_AddStringToObject(listing, "format", format_name(source->format));
}

/* Returns 0, or why its text cannot be read. */
static int search_list(struct textstore *store, const struct blockdb_source *source,
                       struct search *search)
{
    struct build_source text;
    struct diag diag = {0};
    int err = textstore_open(store, source, &text);
    if (err < 0) {
        return err;
    }
    err = listtext_find(&text, search->wants, search->count, &diag);
    close(text.fd);
    for (size_t i = 0; err == 0 && i < search->count; i++) {
        if (search->wants[i].line) {
            add_text(search->listings[i], &search->wants[i], &text);
        }
    }
    return err;
}

/* The deciding listing's words are the reply's too. */
static void add_deciding(cJSON *why, const cJSON *listed)
{
    const cJSON *listing;
    cJSON_ArrayForEach(listing, listed)
    {
        bool decides = strcmp(cli_text(listing, "list"), cli_text(why, "list")) == 0 &&
                       strcmp(cli_text(listing, "entry"), cli_text(why, "entry")) == 0 &&
                       *cli_text(listing, "rule_text");
        if (decides && !cJSON_HasObjectItem(why, "rule_text")) {
            cJSON_AddStringToObject(why, "rule_text", cli_text(listing, "rule_text"));
            cJSON_AddNumberToObject(why, "line", cli_number(listing, "line"));
            cJSON_AddStringToObject(why, "file", cli_text(listing, "file"));
            cJSON_AddStringToObject(why, "format", cli_text(listing, "format"));
        }
    }
}

static const char *reason_of(int err)
{
    return err == -EACCES   ? "the lists' texts cannot be read: ask as root or as server.user"
           : err == -ENOENT ? "the text of a list is not kept: see lists.names"
                            : "the text of a list is damaged: run `greengate update --force`";
}

static void search_all(cJSON *why, struct textstore *store, const struct blockdb *db)
{
    int worst = 0;
    cJSON *listed = cJSON_GetObjectItemCaseSensitive(why, "listed");
    struct search *search = calloc(1, sizeof(*search));
    for (unsigned i = 0; search && i < blockdb_info(db)->sources; i++) {
        collect(why, blockdb_source(db, i)->id, search);
        int err = search->count ? search_list(store, blockdb_source(db, i), search) : 0;
        worst = err < 0 ? err : worst;
    }
    free(search);
    add_deciding(why, listed);
    if (worst < 0) {
        cJSON_AddStringToObject(why, "texts", reason_of(worst));
    }
}

void ruletext_add(struct cli *cli, cJSON *why)
{
    struct diag diag = {0};
    struct inforce lists = {0};
    if (cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(why, "listed")) == 0) {
        return;
    }
    int err = inforce_open(cli->config_path, 0, &lists, &diag);
    if (err < 0) {
        cJSON_AddStringToObject(why, "texts", err == -EACCES ? reason_of(err) : diag.text);
    } else {
        search_all(why, &lists.store, lists.db);
    }
    inforce_close(&lists);
}
