// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/clock.h"
#include "blocklists/blockdb.h"
#include "blocklists/generation.h"
#include "tools/lists.h"

enum { CHANGES_SHOWN = 3 };

/* A list that has more or fewer entries than in the generation before. */
struct change {
    const char *list; /* lives as long as the databases */
    int64_t entries;
    bool comes, goes;
};

static struct blockdb *open_generation(const struct config *config, const struct generation *it)
{
    char path[PATH_MAX];
    struct blockdb *db = NULL;
    snprintf(path, sizeof(path), "%s/generations/%06u.ggdb", config->server.state_dir, it->number);
    return blockdb_open(path, &db, NULL) < 0 ? NULL : db;
}

static const struct blockdb_source *find_source(const struct blockdb *db, const char *id)
{
    for (unsigned i = 0; i < blockdb_info(db)->sources; i++) {
        if (strcmp(blockdb_source(db, i)->id, id) == 0) {
            return blockdb_source(db, i);
        }
    }
    return NULL;
}

/* Source `index` of both together: first those of `now`, then those that went. False
 * when it did not change. */
static bool find_change(const struct blockdb *before, const struct blockdb *now, unsigned index,
                        struct change *ret_change)
{
    unsigned count = blockdb_info(now)->sources;
    bool is = index < count;
    const struct blockdb_source *source =
        is ? blockdb_source(now, index) : blockdb_source(before, index - count);
    const struct blockdb_source *other = find_source(is ? before : now, source->id);
    int64_t entries = (int64_t)source->entries - (is && other ? (int64_t)other->entries : 0);
    *ret_change = (struct change){
        .list = source->id, .entries = is ? entries : -entries, .comes = is && !other, .goes = !is};
    return is ? entries != 0 || !other : !other;
}

static void add_changes(cJSON *json, const struct blockdb *before, const struct blockdb *now)
{
    cJSON *array = cJSON_AddArrayToObject(json, "changes");
    unsigned count = before && now ? blockdb_info(before)->sources + blockdb_info(now)->sources : 0;
    for (unsigned i = 0; i < count; i++) {
        struct change change;
        if (find_change(before, now, i, &change)) {
            cJSON *item = cJSON_CreateObject();
            cJSON_AddStringToObject(item, "list", change.list);
            cJSON_AddNumberToObject(item, "entries", (double)change.entries);
            cJSON_AddStringToObject(item, "change",
                                    change.comes  ? "added"
                                    : change.goes ? "removed"
                                                  : "changed");
            cJSON_AddItemToArray(array, item);
        }
    }
}

/* "hosts +12, ads new, and 2 more". The same counts may still hide other names. */
static void print_changes(const cJSON *json, char *out, size_t cap)
{
    const cJSON *item;
    const cJSON *changes = cJSON_GetObjectItemCaseSensitive(json, "changes");
    int count = cJSON_GetArraySize(changes), shown = 0;
    size_t used = (size_t)snprintf(out, cap, "%s", count ? "" : "-");
    cJSON_ArrayForEach(item, changes)
    {
        const char *word = cli_text(item, "change");
        if (shown++ == CHANGES_SHOWN) {
            break;
        }
        used += (size_t)snprintf(out + used, cap - used, "%s%s ", shown > 1 ? ", " : "",
                                 cli_text(item, "list"));
        used += strcmp(word, "changed") == 0
                    ? (size_t)snprintf(out + used, cap - used, "%+.0f", cli_number(item, "entries"))
                    : (size_t)snprintf(out + used, cap - used, "%s", word);
    }
    if (count > CHANGES_SHOWN) {
        snprintf(out + used, cap - used, ", and %d more", count - CHANGES_SHOWN);
    }
}

static cJSON *generation_json(const struct generation *generation, int pinned)
{
    char content[17];
    cJSON *json = cJSON_CreateObject();
    snprintf(content, sizeof(content), "%016" PRIx64, generation->content);
    cJSON_AddNumberToObject(json, "generation", generation->number);
    cJSON_AddBoolToObject(json, "in_force", generation->in_force && !generation->damaged);
    cJSON_AddBoolToObject(json, "pinned", (int)generation->number == pinned);
    cJSON_AddBoolToObject(json, "damaged", generation->damaged);
    cJSON_AddNumberToObject(json, "installed_at", (double)generation->installed_at);
    cJSON_AddNumberToObject(json, "names", (double)generation->names);
    cJSON_AddNumberToObject(json, "bytes", (double)generation->bytes);
    cJSON_AddNumberToObject(json, "lists", generation->sources);
    cJSON_AddStringToObject(json, "content", content);
    return json;
}

/* A damaged one is not in force, wherever the link leads. */
static const char *generation_state(const struct generation *generation, int pinned)
{
    if (generation->damaged) {
        return "damaged";
    }
    if (!generation->in_force) {
        return "kept";
    }
    return (int)generation->number == pinned ? "in force, pinned" : "in force";
}

/* All of them as the objects that --json prints. */
static cJSON *describe_all(const struct config *config, const struct generation *all, size_t count)
{
    int pinned = generation_pinned(config->server.state_dir);
    cJSON *array = cJSON_CreateArray();
    struct blockdb *before = NULL;
    for (size_t i = 0; i < count; i++) {
        struct blockdb *now = open_generation(config, &all[i]);
        cJSON *item = generation_json(&all[i], pinned);
        add_changes(item, before, now);
        cJSON_AddItemToArray(array, item);
        blockdb_close(before);
        before = now;
    }
    blockdb_close(before);
    return array;
}

static void print_row(struct cli_table *table, const cJSON *item, const struct generation *it,
                      int pinned)
{
    char span[CLI_SPAN_MAX], changes[512];
    print_changes(item, changes, sizeof(changes));
    cli_table_add(table, "%u", it->number);
    cli_table_add(table, "%s", cli_span(clock_wall_s(&clock_system) - it->installed_at, span));
    cli_table_add(table, "%u", it->sources);
    cli_table_add(table, "%" PRIu64, it->names);
    cli_table_add(table, "%" PRIu64, it->bytes);
    cli_table_add(table, "%s", generation_state(it, pinned));
    cli_table_add(table, "%s", changes);
}

int lists_generations(struct cli *cli, const struct config *config)
{
    struct generation all[GENERATIONS_MAX];
    size_t count = generation_list(config->server.state_dir, all);
    int pinned = generation_pinned(config->server.state_dir);
    cJSON *array = describe_all(config, all, count);
    if (cli->json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddTrueToObject(json, "ok");
        cJSON_AddItemToObject(json, "generations", array);
        return cli_print_json(cli, json);
    }
    struct cli_table table = {
        .headings = {">generation", ">age", ">lists", ">names", ">bytes", "state", "counts"}};
    for (size_t i = 0; i < count; i++) {
        print_row(&table, cJSON_GetArrayItem(array, (int)i), &all[i], pinned);
    }
    cJSON_Delete(array);
    if (count == 0) {
        fprintf(cli->out, "there is no generation yet: run `greengate update`\n");
        return CLI_DONE;
    }
    return cli_table_print(cli, &table);
}
