// SPDX-License-Identifier: Apache-2.0
#include "web/catalogjson.h"

#include <errno.h>

#include "config/known.h"
#include "config/listcatalog.h"

static void add_texts(cJSON *item, const struct catalog_text *texts, size_t count)
{
    cJSON *names = cJSON_AddObjectToObject(item, "names");
    for (size_t i = 0; i < count; i++) {
        cJSON_AddStringToObject(names, texts[i].language, texts[i].text);
    }
}

static cJSON *add_item(cJSON *array, const char *id)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddItemToArray(array, item);
    cJSON_AddStringToObject(item, "id", id);
    return item;
}

static void add_categories(cJSON *json, const struct catalog *catalog)
{
    cJSON *array = cJSON_AddArrayToObject(json, "categories");
    for (size_t i = 0; i < catalog->category_count; i++) {
        const struct catalog_category *category = &catalog->categories[i];
        add_texts(add_item(array, category->id), category->names, category->name_count);
    }
}

static void add_services(cJSON *json, const struct known *known)
{
    cJSON *array = cJSON_AddArrayToObject(json, "services");
    size_t first = known->first[KNOWN_SERVICE], end = known->first[KNOWN_SERVICE + 1];
    for (size_t i = first; i < end; i++) {
        const struct known_item *service = &known->items[i];
        add_texts(add_item(array, service->id), service->labels, service->label_count);
    }
}

static void add_text(cJSON *item, const char *key, const char *text)
{
    cJSON_AddStringToObject(item, key, text ? text : "");
}

static void add_lists(cJSON *json, const struct listcatalog *lists)
{
    cJSON *array = cJSON_AddArrayToObject(json, "lists");
    for (size_t i = 0; i < lists->list_count; i++) {
        const struct listcatalog_list *list = &lists->lists[i];
        cJSON *item = add_item(array, list->id);
        add_text(item, "title", list->title);
        add_text(item, "url", list->url);
        add_text(item, "category", list->category);
        add_text(item, "publisher", list->publisher);
        add_text(item, "licence", list->licence);
        add_text(item, "homepage", list->homepage);
        add_text(item, "format", list->format);
        add_text(item, "match", list->match);
        add_text(item, "rules", list->rules);
        add_text(item, "window", list->window);
        add_text(item, "date", list->date);
        cJSON_AddNumberToObject(item, "every_h", (double)list->every_h);
        cJSON_AddNumberToObject(item, "names", (double)list->names);
    }
}

int catalogjson_make(const struct site *site, char **ret_text, struct diag *diag)
{
    const char *data_dir = site->config->server.data_dir;
    struct listcatalog *lists = NULL;
    struct known *known = NULL;
    int err = listcatalog_load(data_dir, &lists, diag);
    if (err == 0) {
        err = known_load(data_dir, &known);
    }
    if (err == 0) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddTrueToObject(json, "ok");
        add_categories(json, site->catalog);
        add_services(json, known);
        add_lists(json, lists);
        *ret_text = cJSON_PrintUnformatted(json);
        cJSON_Delete(json);
        err = *ret_text ? 0 : -ENOMEM;
    }
    known_free(known);
    listcatalog_free(lists);
    return err;
}
