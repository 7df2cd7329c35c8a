// SPDX-License-Identifier: Apache-2.0
#include "web/apitable.h"

#include <string.h>

const struct api_row api_rows[] = {
#define API(method, path, command, members, how, summary)                                          \
    {REQUEST_##method, path, command, members, API_##how, summary},
#include "web/api.def"
#undef API
};
const size_t api_row_count = sizeof(api_rows) / sizeof(api_rows[0]);

/* All others are texts. */
static const struct {
    const char *name;
    enum api_kind kind;
} kinds[] = {
    {"since", API_NUMBER}, {"until", API_NUMBER},   {"at", API_NUMBER},  {"from", API_NUMBER},
    {"for_s", API_NUMBER}, {"offset", API_NUMBER},  {"exact", API_FLAG}, {"generation", API_NUMBER},
    {"all", API_FLAG},     {"everybody", API_FLAG}, {"put", API_OBJECT}, {"remove", API_LIST},
    {"lists", API_LIST},
};

size_t apitable_next(const char **members, const char **ret_name)
{
    const char *at = *members + strspn(*members, " ");
    size_t len = strcspn(at, " ");
    *ret_name = at;
    *members = at + len;
    return len;
}

bool apitable_takes(const struct api_row *row, const char *name)
{
    const char *members = row->members, *member;
    size_t len = strlen(name), size;
    while ((size = apitable_next(&members, &member)) > 0) {
        if (size == len && strncmp(member, name, len) == 0) {
            return true;
        }
    }
    return false;
}

enum api_kind apitable_kind(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strlen(kinds[i].name) == len && strncmp(kinds[i].name, name, len) == 0) {
            return kinds[i].kind;
        }
    }
    return API_TEXT;
}
