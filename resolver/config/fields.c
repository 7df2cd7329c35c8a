// SPDX-License-Identifier: Apache-2.0
#include "config/fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/check.h"

enum { LANGUAGES_MAX = 32, TEXT_MAX = 400, ITEMS_MAX = 300, NUMBER_MAX = 1000000000 };

/* Check and copy a scalar. */
static int take_text(const struct yaml_node *node, setting_check check, char **ret_text,
                     const struct complaint *to)
{
    if (node->kind != YAML_SCALAR) {
        return complain(to, node, "expected text");
    }
    if (strlen(node->text) > TEXT_MAX) {
        return complain(to, node, "longer than %d octets", TEXT_MAX);
    }
    const char *why = check(node->text);
    if (why) {
        return complain(to, node, "'%.60s' is %s", node->text, why);
    }
    *ret_text = strdup(node->text);
    return *ret_text ? 0 : -ENOMEM;
}

static int take_translation(const struct yaml_node *node, struct catalog_text *text,
                            const struct complaint *to)
{
    const char *why = check_language(node->key);
    if (why) {
        return complain(to, node, "'%.40s' is %s", node->key, why);
    }
    text->language = strdup(node->key);
    return text->language ? take_text(node, check_any, &text->text, to) : -ENOMEM;
}

/* {ko: ..., en: ...}; the count is right even when it fails half-way. */
static int take_texts(const struct yaml_node *node, struct catalog_text **ret_texts,
                      size_t *ret_count, const struct complaint *to)
{
    if (node->kind != YAML_MAP || node->count == 0 || node->count > LANGUAGES_MAX) {
        return complain(to, node, "%s: expected texts by language ({ko: ..., en: ...})", node->key);
    }
    struct catalog_text *texts = calloc(node->count, sizeof(*texts));
    if (!texts) {
        return -ENOMEM;
    }
    *ret_texts = texts;
    *ret_count = node->count;
    int err = 0;
    for (const struct yaml_node *at = node->first; at && err == 0; at = at->next) {
        err = take_translation(at, texts++, to);
    }
    return err;
}

static int take_mode(const struct yaml_node *node, int *ret_mode, const struct complaint *to)
{
    *ret_mode = node->kind == YAML_SCALAR ? setting_find_word("block_mode", node->text) : -1;
    return *ret_mode < 0 ? complain(to, node, "mode: expected a block mode") : 0;
}

static int take_list(const struct yaml_node *node, setting_check check, struct text_list *list,
                     const struct complaint *to)
{
    if (node->kind != YAML_LIST || node->count > ITEMS_MAX) {
        return complain(to, node, "%s: expected a list of at most %d", node->key, ITEMS_MAX);
    }
    for (const struct yaml_node *at = node->first; at; at = at->next) {
        const char *why = at->kind == YAML_SCALAR ? check(at->text) : "no single value";
        if (why) {
            return complain(to, at, "%s: '%.40s' is %s", node->key, at->text ? at->text : "", why);
        }
        if (text_list_add(list, at->text, strlen(at->text)) < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

/* A setting's row reads numbers with their bounds already. */
static int take_number(const struct yaml_node *node, int64_t *ret_number,
                       const struct complaint *to)
{
    const struct setting row = {.kind = SETTING_INT, .key = node->key, .max = NUMBER_MAX};
    return value_set(&row, ret_number, node, to);
}

static int take_flag(const struct yaml_node *node, bool *ret_flag, const struct complaint *to)
{
    bool plain = node->kind == YAML_SCALAR && !node->quoted;
    *ret_flag = plain && strcmp(node->text, "true") == 0;
    bool no = plain && strcmp(node->text, "false") == 0;
    return *ret_flag || no ? 0 : complain(to, node, "expected true or false");
}

static int take_value(const struct field *key, char *object, const struct yaml_node *node,
                      const struct complaint *to)
{
    void *field = object + key->offset;
    switch (key->kind) {
    case FIELD_TEXT: return take_text(node, key->check, field, to);
    case FIELD_TEXTS: return take_texts(node, field, (size_t *)(object + key->count_offset), to);
    case FIELD_MODE: return take_mode(node, field, to);
    case FIELD_LIST: return take_list(node, key->check, field, to);
    case FIELD_NUMBER: return take_number(node, field, to);
    default: return take_flag(node, field, to);
    }
}

int fields_take(const struct field *fields, void *object, const struct yaml_node *item,
                const struct complaint *to)
{
    if (item->kind != YAML_MAP) {
        return complain(to, item, "expected a map of keys");
    }
    for (const struct yaml_node *node = item->first; node; node = node->next) {
        const struct field *key = fields;
        while (key->name && strcmp(key->name, node->key) != 0) {
            key++;
        }
        if (!key->name) {
            diag_at(to->diag, to->file, node->key_line, node->key_column);
            return diag_set(to->diag, -EINVAL, "unknown key '%.40s'", node->key);
        }
        int err = take_value(key, object, node, to);
        if (err < 0) {
            return err;
        }
    }
    for (const struct field *key = fields; key->name; key++) {
        if (key->needed && !yaml_get(item, key->name)) {
            return complain(to, item, "'%s' is missing", key->name);
        }
    }
    return 0;
}

void fields_clear_texts(struct catalog_text *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(texts[i].language);
        free(texts[i].text);
    }
    free(texts);
}
