// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "blocklists/entry.h"
#include "blocklists/listtext.h"
#include "dns/name.h"
#include "tools/inforce.h"
#include "tools/lists.h"

enum { LIMIT = 50, LIMIT_MAX = 10000, TEXT_MAX = 256 };

/* A line that was found; the child that reads a list writes it to shared memory. */
struct found {
    char name[TEXT_MAX];
    uint64_t line;
    char file[QUOTE_FILE_MAX];
    char text[LISTTEXT_MAX];
    bool exception;
};

struct searching {
    const char *pattern; /* lower case */
    char glob[TEXT_MAX]; /* "" when the pattern is a part of a name */
    bool unicode;        /* the pattern is: names are compared as people write them */
    struct found *found; /* shared with the child */
    uint64_t *count;     /* likewise: of this list, also past the limit */
    size_t limit, rooms; /* all together; left */
};

static const char *entry_text(const struct scan_entry *entry, char out[DNAME_TEXT_MAX])
{
    char address[ADDR_TEXT_MAX];
    if (entry->kind == SCAN_NAME) {
        return dname_print(&entry->name, out);
    }
    if (entry->kind == SCAN_ADDRESS) {
        snprintf(out, DNAME_TEXT_MAX, "%s/%u", addr_print(&entry->prefix.addr, address),
                 entry->prefix.bits);
        return out;
    }
    snprintf(out, DNAME_TEXT_MAX, "%.*s", (int)entry->pattern.len, entry->pattern.text);
    return out;
}

static bool fits(const struct searching *searching, const struct scan_entry *entry,
                 const char *text)
{
    char unicode[ENTRY_UNICODE_MAX];
    if (searching->unicode && entry->kind == SCAN_NAME && strstr(text, "xn--")) {
        text = entry_print_unicode(&entry->name, unicode);
    }
    return searching->glob[0] ? fnmatch(searching->glob, text, 0) == 0
                              : strstr(text, searching->pattern) != NULL;
}

static int compare(void *arg, const struct scan_entry *entry, const struct line_sink *sink)
{
    struct searching *searching = arg;
    char text[DNAME_TEXT_MAX];
    entry_text(entry, text);
    if (!fits(searching, entry, text) || entry->flags & ENTRY_CANCELS) {
        return 0;
    }
    if (*searching->count < searching->rooms) {
        struct found *found = &searching->found[*searching->count];
        snprintf(found->name, sizeof(found->name), "%.255s", text);
        found->line = listtext_place(sink, found->file);
        found->exception = entry->flags & BLOCKDB_EXCEPTION;
        listtext_print(&sink->line, found->text);
    }
    ++*searching->count;
    return 0;
}

/* What the child left: bounded and terminated whatever it wrote. */
static void take_found(struct cli_table *table, cJSON *array, struct found *found,
                       const struct blockdb_source *source)
{
    found->name[TEXT_MAX - 1] = found->text[LISTTEXT_MAX - 1] = '\0';
    found->file[QUOTE_FILE_MAX - 1] = '\0';
    cli_make_plain_text(found->name);
    cli_make_plain_text(found->text);
    cli_make_plain_text(found->file);
    if (array) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "name", found->name);
        cJSON_AddStringToObject(item, "list", source->id);
        cJSON_AddStringToObject(item, "category", source->category);
        cJSON_AddNumberToObject(item, "line", (double)found->line);
        cJSON_AddStringToObject(item, "file", found->file);
        cJSON_AddStringToObject(item, "text", found->text);
        cJSON_AddBoolToObject(item, "exception", found->exception);
        cJSON_AddItemToArray(array, item);
        return;
    }
    cli_table_add(table, "%s", found->name);
    cli_table_add(table, "%s", source->id);
    cli_table_add(table, "%s", source->category);
    cli_table_add(table, "%s%s%llu", found->file, found->file[0] ? ":" : "",
                  (unsigned long long)found->line);
    cli_table_add(table, "%s", found->text);
}

/* Negative when the list's text cannot be read. */
static int search_source(struct inforce *lists, const struct blockdb_source *source,
                         struct searching *searching, uint64_t *ret_count)
{
    struct build_source text;
    struct diag diag = {0};
    const struct listtext_visit visit = {.on_entry = compare, .arg = searching};
    *searching->count = 0;
    int err = textstore_open(&lists->store, source, &text);
    if (err == 0) {
        err = listtext_visit(&text, &visit, &diag);
        close(text.fd);
    }
    *ret_count = *searching->count;
    return err;
}

struct wish {
    const char *list, *category, *limit; /* NULL: not given */
};

static bool is_wanted(const struct wish *wish, const struct blockdb_source *source)
{
    return (!wish->list || strcmp(wish->list, source->id) == 0) &&
           (!wish->category || strcmp(wish->category, source->category) == 0);
}

/* Of a list or category that is not in force nothing would be found, and why not said. */
static int check_wish(struct cli *cli, const struct inforce *lists, const struct wish *wish)
{
    bool list = !wish->list, category = !wish->category;
    for (unsigned i = 0; i < blockdb_info(lists->db)->sources; i++) {
        const struct blockdb_source *source = blockdb_source(lists->db, i);
        list |= wish->list && strcmp(wish->list, source->id) == 0;
        category |= wish->category && strcmp(wish->category, source->category) == 0;
    }
    if (!list) {
        return cli_fail(cli, CLI_FAILED,
                        "no list called %s is in force: `greengate lists` shows them", wish->list);
    }
    return category
               ? CLI_DONE
               : cli_fail(cli, CLI_FAILED, "no list of category %s is in force", wish->category);
}

static int say_end(struct cli *cli, uint64_t total, const struct searching *searching)
{
    if (total == 0) {
        fprintf(cli->out, "nothing listed fits %s\n", searching->pattern);
    } else if (total > searching->limit) {
        fprintf(cli->out, "%zu of %llu are shown: --limit shows more\n", searching->limit,
                (unsigned long long)total);
    }
    return CLI_DONE;
}

static int search_all(struct cli *cli, struct inforce *lists, const struct wish *wish,
                      struct searching *searching)
{
    struct cli_table table = {.headings = {"name", "list", "category", ">line", "text"}};
    cJSON *json = cli->json ? cJSON_CreateObject() : NULL;
    cJSON *array = json ? cJSON_AddArrayToObject(json, "found") : NULL;
    uint64_t total = 0;
    unsigned unread = 0;
    for (unsigned i = 0; i < blockdb_info(lists->db)->sources; i++) {
        const struct blockdb_source *source = blockdb_source(lists->db, i);
        uint64_t count = 0;
        if (!is_wanted(wish, source)) {
            continue;
        }
        unread += search_source(lists, source, searching, &count) < 0;
        size_t kept = count < searching->rooms ? (size_t)count : searching->rooms;
        for (size_t f = 0; f < kept; f++) {
            take_found(&table, array, &searching->found[f], source);
        }
        searching->rooms -= kept;
        total += count;
    }
    if (json) {
        cJSON_AddTrueToObject(json, "ok");
        cJSON_AddNumberToObject(json, "total", (double)total);
        cJSON_AddNumberToObject(json, "unread_lists", unread);
        return cli_print_json(cli, json);
    }
    int code = total ? cli_table_print(cli, &table) : CLI_DONE;
    if (unread) {
        fprintf(cli->out, "the text of %u list%s is not kept and was not searched\n", unread,
                cli_plural(unread));
    }
    return code == CLI_DONE ? say_end(cli, total, searching) : code;
}

static int prepare(struct searching *searching, char *pattern)
{
    size_t bytes = searching->limit * sizeof(struct found) + sizeof(uint64_t);
    for (char *at = pattern; *at; at++) {
        *at = (char)octet_fold((uint8_t)*at);
        searching->unicode |= (uint8_t)*at >= 0x80;
    }
    searching->pattern = pattern;
    if (strpbrk(pattern, "*?[")) {
        snprintf(searching->glob, sizeof(searching->glob), "%s", pattern);
    }
    void *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        return -ENOMEM;
    }
    searching->count = shared;
    searching->found = (struct found *)(searching->count + 1);
    searching->rooms = searching->limit;
    return 0;
}

int lists_search(struct cli *cli, int argc, char **argv)
{
    struct wish wish = {NULL, NULL, NULL};
    const struct cli_option options[] = {{"--list", NULL, &wish.list},
                                         {"--category", NULL, &wish.category},
                                         {"--limit", NULL, &wish.limit},
                                         {NULL, NULL, NULL}};
    struct searching searching = {.limit = LIMIT};
    struct inforce lists = {0};
    int count = cli_options(cli, argc, argv, options);
    if (count != 1 || !*argv[1] || strlen(argv[1]) >= TEXT_MAX) {
        return count < 0 ? CLI_USAGE
                         : cli_usage(cli, "lists", "search needs a part of a name, or a glob");
    }
    if (wish.limit) {
        char *end;
        searching.limit = strtoul(wish.limit, &end, 10);
        if (*end || searching.limit == 0 || searching.limit > LIMIT_MAX) {
            return cli_usage(cli, "lists", "--limit is a number from 1 to 10000");
        }
    }
    int code = inforce_take(cli, 0, &lists);
    code = code == CLI_DONE ? check_wish(cli, &lists, &wish) : code;
    if (code == CLI_DONE && prepare(&searching, argv[1]) < 0) {
        code = cli_fail(cli, CLI_FAILED, "no memory");
    }
    if (code == CLI_DONE && searching.count) {
        code = search_all(cli, &lists, &wish, &searching);
    }
    inforce_close(&lists);
    return code;
}
