// SPDX-License-Identifier: Apache-2.0
/* Groups and lists as they are configured, in the words of the configuration file, so that what
 * is read here can be sent back by `change`. */
#include <stdio.h>
#include <string.h>

#include "config/keyed.h"
#include "config/origins.h"
#include "config/setting.h"
#include "control/commands.h"
#include "policy/snapshot.h"

enum { WORD_MAX = 256 };

struct view {
    const struct config *config;
    bool whole; /* an admin asks */
};

static cJSON *make_text(const char *text, size_t len)
{
    char word[WORD_MAX];
    snprintf(word, sizeof(word), "%.*s", (int)len, text);
    return cJSON_CreateString(word);
}

/* "key=value key=a,b" as the map that it was. */
static cJSON *make_map(const struct setting *row, const char *text)
{
    struct keyed_part part;
    cJSON *map = cJSON_CreateObject();
    while (keyed_next(row->set, &text, &part)) {
        char key[WORD_MAX];
        const char *item;
        cJSON *value = part.list ? cJSON_CreateArray() : make_text(part.value, part.len);
        for (size_t len; part.list && (len = keyed_item(&part, &item)) > 0;) {
            cJSON_AddItemToArray(value, make_text(item, len));
        }
        snprintf(key, sizeof(key), "%.*s", (int)part.key_len, part.key);
        cJSON_AddItemToObject(map, key, value);
    }
    return map;
}

/* "value value" as the map that it was, by the keys of the row. */
static cJSON *make_pair(const struct setting *row, const char *text)
{
    char key[WORD_MAX];
    size_t first = strcspn(row->set, " "), len = strcspn(text, " ");
    cJSON *map = cJSON_CreateObject();
    snprintf(key, sizeof(key), "%.*s", (int)first, row->set);
    cJSON_AddItemToObject(map, key, make_text(text, len));
    text += len + (text[len] == ' ');
    snprintf(key, sizeof(key), "%s", row->set + first + 1);
    cJSON_AddItemToObject(map, key, make_text(text, strlen(text)));
    return map;
}

static cJSON *make_list(const struct setting *row, const void *object)
{
    const struct text_list *list = setting_list(row, object);
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < list->count; i++) {
        cJSON_AddItemToArray(array, row->keyed ? make_map(row, list->items[i])
                                    : row->set ? make_pair(row, list->items[i])
                                               : cJSON_CreateString(list->items[i]));
    }
    return array;
}

static cJSON *make_value(const struct setting *row, const void *object)
{
    switch (row->kind) {
    case SETTING_INT: return cJSON_CreateNumber((double)*setting_int(row, object));
    case SETTING_FLAG: return cJSON_CreateBool(*setting_flag(row, object));
    case SETTING_TEXT: return cJSON_CreateString(*setting_text(row, object));
    case SETTING_CHOICE: {
        int choice = *setting_choice(row, object);
        return cJSON_CreateString(choice >= 0 ? setting_words(row->set)[choice] : "");
    }
    case SETTING_LIST: return make_list(row, object);
    default: return cJSON_CreateNull();
    }
}

/* What a list's URL holds may be a secret of the admin's. */
static void hide_url(cJSON *map)
{
    char bare[CONTROL_URL_MAX];
    const char *url = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(map, "url"));
    if (url) {
        cJSON_ReplaceItemInObjectCaseSensitive(map, "url",
                                               cJSON_CreateString(control_bare_url(url, bare)));
    }
}

static void add_item(cJSON *array, const struct view *view, const struct setting_table *table,
                     size_t item)
{
    const struct config *config = view->config;
    const void *object = table == &setting_group ? (const void *)&config->groups[item]
                                                 : (const void *)&config->sources[item];
    const struct origin *origin = origins_find(config, table, item, &table->rows[0]);
    cJSON *map = cJSON_CreateObject();
    for (size_t i = 0; i < table->count; i++) {
        cJSON_AddItemToObject(map, table->rows[i].key, make_value(&table->rows[i], object));
    }
    if (!view->whole) {
        hide_url(map);
    }
    cJSON *entry = cJSON_CreateObject();
    cJSON_AddItemToObject(entry, "settings", map);
    cJSON_AddStringToObject(entry, "file", origin && origin->file ? origin->file : "");
    cJSON_AddItemToArray(array, entry);
}

int control_do_settings(struct control_call *call)
{
    const struct snapshot *snapshot = call->backend->snapshot(call->backend->owner);
    if (!snapshot) {
        return diag_set(call->diag, CONTROL_FAILED, "not ready yet");
    }
    const struct config *config = snapshot->config;
    const struct view view = {config, call->asker->role == ROLE_ADMIN};
    cJSON *groups = cJSON_AddArrayToObject(call->reply, "groups");
    for (size_t i = 0; i < config->group_count; i++) {
        add_item(groups, &view, &setting_group, i);
    }
    cJSON *sources = cJSON_AddArrayToObject(call->reply, "sources");
    for (size_t i = 0; i < config->source_count; i++) {
        add_item(sources, &view, &setting_source, i);
    }
    cJSON_AddBoolToObject(call->reply, "domains", config->stats.privacy == PRIVACY_DOMAINS);
    cJSON_AddNumberToObject(call->reply, "min_clients", (double)config->stats.min_clients);
    cJSON_AddStringToObject(call->reply, "organisation", config->web.organisation);
    cJSON_AddStringToObject(call->reply, "timezone", config->server.timezone);
    return CONTROL_DONE;
}
