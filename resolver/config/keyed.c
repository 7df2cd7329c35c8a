// SPDX-License-Identifier: Apache-2.0
#include "config/keyed.h"

#include <string.h>

bool keyed_knows(const char *spec, const char *key, bool *ret_list)
{
    size_t len = strlen(key);
    for (const char *at = spec; *at; at += strcspn(at, " "), at += *at == ' ') {
        if (strncmp(at, key, len) == 0 && (!at[len] || strchr(" [", at[len]))) {
            *ret_list = at[len] == '[';
            return true;
        }
    }
    return false;
}

bool keyed_next(const char *spec, const char **text, struct keyed_part *ret_part)
{
    const char *at = *text;
    char key[64];
    if (!*at) {
        return false;
    }
    size_t key_len = strcspn(at, "= "), whole = strcspn(at, " ");
    *ret_part = (struct keyed_part){.key = at, .key_len = key_len};
    if (at[key_len] == '=') {
        ret_part->value = at + key_len + 1;
        ret_part->len = whole - key_len - 1;
    } else {
        ret_part->value = at + key_len;
    }
    if (key_len < sizeof(key)) {
        memcpy(key, at, key_len);
        key[key_len] = '\0';
        (void)keyed_knows(spec, key, &ret_part->list);
    }
    *text = at + whole + (at[whole] == ' ');
    return true;
}

size_t keyed_item(struct keyed_part *rest, const char **ret_item)
{
    size_t len = 0;
    while (len < rest->len && rest->value[len] != ',') {
        len++;
    }
    size_t used = len + (len < rest->len);
    *ret_item = rest->value;
    rest->value += used;
    rest->len -= used;
    return len;
}

bool keyed_get(const char *text, const char *key, char *out, size_t cap)
{
    struct keyed_part part;
    out[0] = '\0';
    while (keyed_next("", &text, &part)) {
        if (part.key_len == strlen(key) && strncmp(part.key, key, part.key_len) == 0) {
            if (part.len >= cap) {
                return false;
            }
            memcpy(out, part.value, part.len);
            out[part.len] = '\0';
            return true;
        }
    }
    return false;
}
