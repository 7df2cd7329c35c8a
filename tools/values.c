// SPDX-License-Identifier: Apache-2.0
#include "tools/values.h"

#include <net/if.h>
#include <string.h>
#include <time.h>

#include "blocklists/generation.h"
#include "config/known.h"
#include "config/listcatalog.h"
#include "config/setting.h"

struct giving {
    struct cli *cli;
    const struct values_taker *taker;
    const struct config *config;
};

static void give(const struct giving *to, const char *candidate, const char *about)
{
    to->taker->take(to->taker->owner, candidate, about);
}

static void give_nothing(const struct giving *to)
{
    (void)to;
}

static void give_words(const struct giving *to, const char *words)
{
    char word[32];
    for (size_t len; *words; words += len + (words[len] == ' ')) {
        len = strcspn(words, " ");
        snprintf(word, sizeof(word), "%.*s", (int)len, words);
        give(to, word, "");
    }
}

#define WORDS(name, words)                                                                         \
    static void give_##name(const struct giving *to)                                               \
    {                                                                                              \
        give_words(to, words);                                                                     \
    }
#include "tools/values.def"
#undef WORDS

static void give_set(const struct giving *to, const char *set)
{
    for (const char *const *word = setting_words(set); word && *word; word++) {
        give(to, *word, "");
    }
}

static void give_formats(const struct giving *to)
{
    give_set(to, "list_format");
}

static void give_matches(const struct giving *to)
{
    give_set(to, "list_match");
}

static void give_groups(const struct giving *to)
{
    for (size_t i = 0; i < to->config->group_count; i++) {
        give(to, to->config->groups[i].name, "");
    }
}

static void give_sources(const struct giving *to)
{
    for (size_t i = 0; i < to->config->source_count; i++) {
        give(to, to->config->sources[i].id, to->config->sources[i].category);
    }
}

static void give_categories(const struct giving *to)
{
    struct catalog *catalog = NULL;
    if (catalog_load(to->config->server.data_dir, &catalog, NULL) < 0) {
        return;
    }
    for (size_t i = 0; i < catalog->category_count; i++) {
        const struct catalog_category *category = &catalog->categories[i];
        give(to, category->id, catalog_text_in(category->names, category->name_count, "en"));
    }
    catalog_free(catalog);
}

static void give_services(const struct giving *to)
{
    struct known *known = NULL;
    if (known_load(to->config->server.data_dir, &known) < 0) {
        return;
    }
    for (size_t i = known->first[KNOWN_SERVICE]; i < known->first[KNOWN_SERVICE + 1]; i++) {
        const struct known_item *item = &known->items[i];
        give(to, item->id, catalog_text_in(item->labels, item->label_count, "en"));
    }
    known_free(known);
}

/* What a window of time is about. */
static void give_subjects(const struct giving *to)
{
    give(to, "all", "");
    give_categories(to);
    give_services(to);
}

static void give_catalogue(const struct giving *to)
{
    struct listcatalog *catalog = NULL;
    if (listcatalog_load(to->config->server.data_dir, &catalog, NULL) < 0) {
        return;
    }
    for (size_t i = 0; i < catalog->list_count; i++) {
        give(to, catalog->lists[i].id, catalog->lists[i].title);
    }
    listcatalog_free(catalog);
}

static void give_presets(const struct giving *to)
{
    struct listcatalog *catalog = NULL;
    if (listcatalog_load(to->config->server.data_dir, &catalog, NULL) < 0) {
        return;
    }
    for (size_t i = 0; i < catalog->preset_count; i++) {
        const struct listcatalog_preset *preset = &catalog->presets[i];
        give(to, preset->id, catalog_text_in(preset->texts, preset->text_count, "en"));
    }
    listcatalog_free(catalog);
}

static void give_generations(const struct giving *to)
{
    struct generation list[GENERATIONS_MAX];
    size_t count = generation_list(to->config->server.state_dir, list);
    for (size_t i = 0; i < count; i++) {
        char number[16];
        snprintf(number, sizeof(number), "%u", list[i].number);
        give(to, number, "");
    }
}

static void give_interfaces(const struct giving *to)
{
    struct if_nameindex *names = if_nameindex();
    for (struct if_nameindex *name = names; name && name->if_name; name++) {
        give(to, name->if_name, "");
    }
    if_freenameindex(names);
}

/* An array of a daemon's reply: of each item the text of one key, and that of another as what it
 * is. */
struct asking {
    const char *command, *array, *key, *about;
};

static void ask(const struct giving *to, const struct asking *asking)
{
    cJSON *reply = NULL;
    const cJSON *item;
    struct diag diag = {0};
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", asking->command);
    if (cli_try_ask(to->cli, request, &reply, &diag) < 0) {
        return;
    }
    int number = 0;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(reply, asking->array))
    {
        char text[16];
        snprintf(text, sizeof(text), "%d", ++number);
        give(to, asking->key ? cli_text(item, asking->key) : text, cli_text(item, asking->about));
    }
    cJSON_Delete(reply);
}

static void give_accounts(const struct giving *to)
{
    ask(to, &(struct asking){"accounts", "accounts", "account", "role"});
}

static void give_rules(const struct giving *to)
{
    ask(to, &(struct asking){"rules", "rules", "name", "action"});
}

static void give_windows(const struct giving *to)
{
    ask(to, &(struct asking){"schedule", "windows", NULL, "what"});
}

static void give_requests(const struct giving *to)
{
    ask(to, &(struct asking){"reviews", "reviews", "code", "name"});
}

static const struct {
    const char *command, *sub, *name;
    enum values_kind kind;
    void (*give)(const struct giving *to);
} rows[] = {
#define VALUES(command, sub, name, kind, source) {command, sub, name, VALUES_##kind, give_##source},
#include "tools/values.def"
#undef VALUES
};

static bool fits(const char *row, const char *text)
{
    return row[0] == '\0' || strcmp(row, text) == 0;
}

static enum values_kind give_choice(const struct giving *to, const char *choice)
{
    char word[32];
    for (size_t len; *choice; choice += len + (choice[len] == '|')) {
        len = strcspn(choice, "|");
        snprintf(word, sizeof(word), "%.*s", (int)len, choice);
        give(to, word, "");
    }
    return VALUES_GIVEN;
}

enum values_kind values_give(struct cli *cli, const struct values_place *place,
                             const struct values_taker *taker)
{
    struct giving to = {cli, taker, NULL};
    struct config *config = NULL;
    if (strchr(place->value, '|')) {
        return give_choice(&to, place->value);
    }
    size_t row = 0;
    while (row < sizeof(rows) / sizeof(rows[0]) &&
           !(fits(rows[row].command, place->command) && fits(rows[row].sub, place->sub) &&
             fits(rows[row].name, place->name))) {
        row++;
    }
    if (row == sizeof(rows) / sizeof(rows[0])) {
        return VALUES_NONE;
    }
    /* With a mistake in the configuration the catalogue is still where it is by default. */
    if (config_load(cli->config_path, &config, NULL) < 0) {
        config = config_new();
    }
    to.config = config;
    if (config) {
        rows[row].give(&to);
    }
    config_free(config);
    return rows[row].kind;
}
