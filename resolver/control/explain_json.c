// SPDX-License-Identifier: Apache-2.0
#include <errno.h>

#include "control/commands.h"
#include "policy/explain.h"

static int add_listing(cJSON *array, const struct explanation_listing *listing)
{
    cJSON *item = cJSON_CreateObject();
    if (!item || !cJSON_AddItemToArray(array, item)) {
        cJSON_Delete(item);
        return -ENOMEM;
    }
    bool added = cJSON_AddStringToObject(item, "list", listing->list) &&
                 cJSON_AddStringToObject(item, "category", listing->category) &&
                 cJSON_AddStringToObject(item, "entry", listing->entry) &&
                 cJSON_AddStringToObject(item, "version", listing->version) &&
                 cJSON_AddStringToObject(item, "covers", listing->covers) &&
                 cJSON_AddStringToObject(item, "action", listing->action) &&
                 cJSON_AddBoolToObject(item, "shadow", listing->shadow) &&
                 cJSON_AddBoolToObject(item, "exception", listing->exception) &&
                 cJSON_AddBoolToObject(item, "blocked_here", listing->blocked_here);
    return added ? 0 : -ENOMEM;
}

int control_add_why(cJSON *object, const struct explanation *why)
{
    const struct {
        const char *key, *text;
    } texts[] = {
        {"name", why->name},
        {"address", why->address},
        {"client", why->client},
        {"group", why->group},
        {"reason", why->reason},
        {"text", why->reason_text},
        {"mode", why->mode},
        {"action", why->action},
        {"category", why->category},
        {"list", why->list},
        {"entry", why->entry},
        {"list_version", why->list_version},
        {"rule", why->rule},
        {"list_url", why->list_url},
        {"ref", why->ref},
        {"alias", why->alias},
        {"shadow_list", why->shadow_list},
        {"shadow_category", why->shadow_category},
        {"rule_group", why->rule_group},
        {"known", why->known},
        {"known_file", why->known_file},
        {"known_source", why->known_source},
        {"known_date", why->known_date},
        {"target", why->target},
        {"place", why->place},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!cJSON_AddStringToObject(object, texts[i].key, texts[i].text)) {
            return -ENOMEM;
        }
    }
    cJSON *listed = cJSON_AddArrayToObject(object, "listed");
    if (!listed || !cJSON_AddBoolToObject(object, "blocked", why->blocked) ||
        !cJSON_AddNumberToObject(object, "ede", why->ede) ||
        !cJSON_AddNumberToObject(object, "until", (double)why->until) ||
        !cJSON_AddNumberToObject(object, "opens_at", (double)why->opens_at)) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < why->listed_count; i++) {
        int err = add_listing(listed, &why->listed[i]);
        if (err < 0) {
            return err;
        }
    }
    return 0;
}

cJSON *client_explain_json(const struct explanation *explanation)
{
    cJSON *object = cJSON_CreateObject();
    if (object && control_add_why(object, explanation) < 0) {
        cJSON_Delete(object);
        return NULL;
    }
    return object;
}
