// SPDX-License-Identifier: Apache-2.0
/* The API's description, made from its table. */
#include <stdio.h>
#include <string.h>

#include "base/version.h"
#include "web/api.h"
#include "web/apitable.h"

static cJSON *schema_of(enum api_kind kind)
{
    static const char *const types[] = {"string", "integer", "boolean", "object", "array"};
    cJSON *schema = cJSON_CreateObject();
    cJSON_AddStringToObject(schema, "type", types[kind]);
    if (kind == API_LIST) {
        cJSON_AddItemToObject(schema, "items", schema_of(API_TEXT));
    }
    return schema;
}

static void add_query(cJSON *operation, const struct api_row *row)
{
    const char *members = row->members, *name;
    cJSON *parameters = cJSON_AddArrayToObject(operation, "parameters");
    for (size_t len; (len = apitable_next(&members, &name)) > 0;) {
        char word[32];
        cJSON *item = cJSON_CreateObject();
        snprintf(word, sizeof(word), "%.*s", (int)len, name);
        cJSON_AddItemToArray(parameters, item);
        cJSON_AddStringToObject(item, "name", word);
        cJSON_AddStringToObject(item, "in", "query");
        cJSON_AddItemToObject(item, "schema", schema_of(apitable_kind(name, len)));
    }
}

static void add_body(cJSON *operation, const struct api_row *row)
{
    const char *members = row->members, *name;
    cJSON *body = cJSON_AddObjectToObject(operation, "requestBody");
    cJSON *content = cJSON_AddObjectToObject(body, "content");
    cJSON *media = cJSON_AddObjectToObject(content, "application/json");
    cJSON *schema = schema_of(API_OBJECT);
    cJSON *properties = cJSON_AddObjectToObject(schema, "properties");
    cJSON_AddItemToObject(media, "schema", schema);
    cJSON_AddFalseToObject(schema, "additionalProperties");
    for (size_t len; (len = apitable_next(&members, &name)) > 0;) {
        char word[32];
        snprintf(word, sizeof(word), "%.*s", (int)len, name);
        cJSON_AddItemToObject(properties, word, schema_of(apitable_kind(name, len)));
    }
}

static void add_responses(cJSON *operation)
{
    static const struct {
        const char *status, *means, *schema;
    } rows[] = {
        {"200", "Done; the members are those of the command in docs/control.md", "Reply"},
        {"400", "The request is not understood", "Error"},
        {"401", "Nobody is signed in", "Error"},
        {"403", "The role may not do that, or the request came from elsewhere", "Error"},
        {"409", "It cannot be done now", "Error"},
        {"422", "The configuration would not be valid", "Error"},
        {"503", "The daemon does not answer", "Error"},
    };
    cJSON *responses = cJSON_AddObjectToObject(operation, "responses");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char where[64];
        cJSON *response = cJSON_AddObjectToObject(responses, rows[i].status);
        cJSON_AddStringToObject(response, "description", rows[i].means);
        cJSON *content = cJSON_AddObjectToObject(response, "content");
        cJSON *media = cJSON_AddObjectToObject(content, "application/json");
        cJSON *schema = cJSON_AddObjectToObject(media, "schema");
        snprintf(where, sizeof(where), "#/components/schemas/%s", rows[i].schema);
        cJSON_AddStringToObject(schema, "$ref", where);
    }
}

static void add_row(cJSON *paths, const struct api_row *row)
{
    char path[64];
    snprintf(path, sizeof(path), "/%s", row->path);
    cJSON *item = cJSON_GetObjectItemCaseSensitive(paths, path);
    item = item ? item : cJSON_AddObjectToObject(paths, path);
    cJSON *operation = cJSON_AddObjectToObject(item, row->method == REQUEST_GET ? "get" : "post");
    cJSON_AddStringToObject(operation, "summary", row->summary);
    if (row->method == REQUEST_GET) {
        add_query(operation, row);
    } else {
        add_body(operation, row);
    }
    add_responses(operation);
}

static const char components[] =
    "{\"securitySchemes\":{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"},"
    "\"cookie\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"greengate_session\"}},"
    "\"schemas\":{\"Reply\":{\"type\":\"object\",\"required\":[\"ok\"],\"properties\":"
    "{\"ok\":{\"type\":\"boolean\",\"enum\":[true]}}},"
    "\"Error\":{\"type\":\"object\",\"required\":[\"ok\",\"error\"],\"properties\":"
    "{\"ok\":{\"type\":\"boolean\",\"enum\":[false]},\"error\":{\"type\":\"string\"},"
    "\"why\":{\"type\":\"string\"},\"exit\":{\"type\":\"integer\"}}}}}";

cJSON *api_describe(void)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "openapi", "3.0.3");
    cJSON *info = cJSON_AddObjectToObject(root, "info");
    cJSON_AddStringToObject(info, "title", "greengate");
    cJSON_AddStringToObject(info, "version", GREENGATE_VERSION);
    cJSON *server = cJSON_CreateObject();
    cJSON_AddStringToObject(server, "url", "/api/v1");
    cJSON_AddItemToArray(cJSON_AddArrayToObject(root, "servers"), server);
    cJSON *security = cJSON_AddArrayToObject(root, "security");
    for (int i = 0; i < 2; i++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddArrayToObject(item, i ? "cookie" : "token");
        cJSON_AddItemToArray(security, item);
    }
    cJSON *paths = cJSON_AddObjectToObject(root, "paths");
    for (size_t i = 0; i < api_row_count; i++) {
        add_row(paths, &api_rows[i]);
    }
    cJSON_AddItemToObject(root, "components", cJSON_Parse(components));
    return root;
}
