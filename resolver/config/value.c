// SPDX-License-Identifier: Apache-2.0
#include "config/value.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/keyed.h"
#include "config/nearest.h"

enum { PAIR_MAX = KEYED_MAX, TEXT_MAX = 1000, ITEMS_MAX = 4096, DIGITS_MAX = 15 };

int complain(const struct complaint *to, const struct yaml_node *at, const char *format, ...)
{
    char text[DIAG_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    diag_at(to->diag, to->file, at->line, at->column);
    return diag_set(to->diag, -EINVAL, "%s", text);
}

static const char *describe(const struct yaml_node *node)
{
    switch (node->kind) {
    case YAML_LIST: return "a list";
    case YAML_MAP: return "a map of keys";
    default: return !*node->text && !node->quoted ? "nothing" : "a single value";
    }
}

static int wrong_type(const struct setting *row, const struct yaml_node *node,
                      const struct complaint *to, const char *expected)
{
    bool word = node->kind == YAML_SCALAR && *node->text;
    return complain(to, node, "%s: expected %s, found %s%.40s%s", row->key, expected,
                    word ? "'" : describe(node), word ? node->text : "", word ? "'" : "");
}

static int wrong_shape(const struct setting *row, const struct yaml_node *node,
                       const struct complaint *to, const char *why)
{
    return complain(to, node, "%s: '%.60s' is %s", row->key, node->text, why);
}

/* A plain decimal number of few enough digits that it fits. */
static bool read_number(const char *text, int64_t *ret_number)
{
    size_t start = text[0] == '-';
    size_t digits = strspn(text + start, "0123456789");
    if (digits == 0 || digits > DIGITS_MAX || text[start + digits]) {
        return false;
    }
    *ret_number = strtoll(text, NULL, 10);
    return true;
}

static int set_int(const struct setting *row, void *object, const struct yaml_node *node,
                   const struct complaint *to)
{
    int64_t number = 0;
    if (node->kind != YAML_SCALAR || node->quoted || !read_number(node->text, &number)) {
        return wrong_type(row, node, to, "a whole number");
    }
    if (number < row->min || number > row->max) {
        return complain(to, node, "%s: %lld is out of bounds, %lld to %lld are allowed", row->key,
                        (long long)number, (long long)row->min, (long long)row->max);
    }
    *setting_int(row, object) = number;
    return 0;
}

static int set_flag(const struct setting *row, void *object, const struct yaml_node *node,
                    const struct complaint *to)
{
    bool plain = node->kind == YAML_SCALAR && !node->quoted;
    bool yes = plain && strcmp(node->text, "true") == 0;
    if (!yes && !(plain && strcmp(node->text, "false") == 0)) {
        return wrong_type(row, node, to, "true or false");
    }
    *setting_flag(row, object) = yes;
    return 0;
}

static int check_text(const struct setting *row, const struct yaml_node *node,
                      const struct complaint *to)
{
    if (strlen(node->text) > TEXT_MAX) {
        return complain(to, node, "%s: longer than %d octets", row->key, TEXT_MAX);
    }
    const char *why = row->check(node->text);
    return why ? wrong_shape(row, node, to, why) : 0;
}

/* The value of the key that stands first or second in row->set; the second may be a
 * list, "key[]". */
static const struct yaml_node *part_of(const struct setting *row, const struct yaml_node *item,
                                       bool second)
{
    char key[64];
    size_t len = strcspn(row->set, " ");
    const char *from = second ? row->set + len + 1 : row->set;
    snprintf(key, sizeof(key), "%.*s", (int)strcspn(from, " ["), from);
    return yaml_get(item, key);
}

/* Append a word behind a blank. */
static int append(const struct setting *row, const struct yaml_node *word,
                  const struct complaint *to, char out[PAIR_MAX])
{
    size_t len = strlen(out);
    if (word->kind != YAML_SCALAR || strchr(word->text, ' ')) {
        return complain(to, word, "%s: '%.60s' is not one word", row->key,
                        word->kind == YAML_SCALAR ? word->text : "...");
    }
    size_t wrote = (size_t)snprintf(out + len, PAIR_MAX - len, "%s%s", len ? " " : "", word->text);
    return wrote >= PAIR_MAX - len ? complain(to, word, "%s: too long", row->key) : 0;
}

static int append_list(const struct setting *row, const struct yaml_node *list,
                       const struct complaint *to, char out[PAIR_MAX])
{
    int err = 0;
    if (list->kind != YAML_LIST) {
        return complain(to, list, "%s: expected a list ([a, b])", row->key);
    }
    for (const struct yaml_node *at = list->first; at && err == 0; at = at->next) {
        err = append(row, at, to, out);
    }
    return err;
}

/* A map of two keys as "value value". */
static int join_pair(const struct setting *row, const struct yaml_node *item,
                     const struct complaint *to, char out[PAIR_MAX])
{
    const struct yaml_node *first = item->kind == YAML_MAP ? part_of(row, item, false) : NULL;
    const struct yaml_node *second = first ? part_of(row, item, true) : NULL;
    bool many = strchr(row->set, '[') != NULL;
    out[0] = '\0';
    if (!second || item->count != 2) {
        int len = (int)strcspn(row->set, " "), rest = (int)strcspn(row->set + len + 1, "[");
        return complain(to, item, "%s: expected {%.*s: ..., %.*s: %s} and nothing else", row->key,
                        len, row->set, rest, row->set + len + 1, many ? "[...]" : "...");
    }
    int err = append(row, first, to, out);
    if (err == 0) {
        err = many ? append_list(row, second, to, out) : append(row, second, to, out);
    }
    const char *why = err == 0 ? row->check(out) : NULL;
    return why ? complain(to, item, "%s: '%.60s' is %s", row->key, out, why) : err;
}

static int unknown_map_key(const struct setting *row, const struct yaml_node *node,
                           const struct complaint *to)
{
    diag_at(to->diag, to->file, node->key_line, node->key_column);
    return diag_set(to->diag, -EINVAL, "unknown key '%.40s' in %s; known: %s", node->key, row->key,
                    row->set);
}

/* A word or a list of words behind "key="; a list is joined by commas. */
static int append_value(const struct setting *row, const struct yaml_node *node,
                        const struct complaint *to, char out[PAIR_MAX])
{
    bool list = false;
    if (!keyed_knows(row->set, node->key, &list)) {
        return unknown_map_key(row, node, to);
    }
    const struct yaml_node *at = list && node->kind == YAML_LIST ? node->first : node;
    if (list ? node->kind == YAML_MAP : node->kind != YAML_SCALAR) {
        return complain(to, node, "%s: expected %s", node->key, list ? "a list" : "one word");
    }
    const char *glue = "=";
    int err = 0;
    snprintf(out + strlen(out), PAIR_MAX - strlen(out), "%s%s", *out ? " " : "", node->key);
    for (; at && err == 0; at = node->kind == YAML_LIST ? at->next : NULL) {
        size_t len = strlen(out);
        if (at->kind != YAML_SCALAR || !*at->text || strpbrk(at->text, list ? " ,=" : " =")) {
            return complain(to, at, "%s: '%.60s' is not one word", node->key,
                            at->kind == YAML_SCALAR ? at->text : "...");
        }
        size_t wrote = (size_t)snprintf(out + len, PAIR_MAX - len, "%s%s", glue, at->text);
        err = wrote >= PAIR_MAX - len ? complain(to, at, "%s: too long", node->key) : 0;
        glue = ",";
    }
    return err;
}

/* A map of any of the row's keys as "key=value key=a,b". */
static int join_map(const struct setting *row, const struct yaml_node *item,
                    const struct complaint *to, char out[PAIR_MAX])
{
    int err = 0;
    out[0] = '\0';
    if (item->kind != YAML_MAP) {
        return complain(to, item, "%s: expected a map of keys: %s", row->key, row->set);
    }
    for (const struct yaml_node *node = item->first; node && err == 0; node = node->next) {
        err = append_value(row, node, to, out);
    }
    const char *why = err == 0 ? row->check(out) : NULL;
    return why ? complain(to, item, "%s: this is %s", row->key, why) : err;
}

static int set_text(const struct setting *row, void *object, const struct yaml_node *node,
                    const struct complaint *to)
{
    if (node->kind != YAML_SCALAR) {
        return wrong_type(row, node, to, "text");
    }
    int err = check_text(row, node, to);
    if (err < 0) {
        return err;
    }
    char *text = strdup(node->text);
    if (!text) {
        return -ENOMEM;
    }
    free(*setting_text(row, object));
    *setting_text(row, object) = text;
    return 0;
}

static int set_choice(const struct setting *row, void *object, const struct yaml_node *node,
                      const struct complaint *to)
{
    if (node->kind != YAML_SCALAR) {
        return wrong_type(row, node, to, "a word");
    }
    int index = setting_find_word(row->set, node->text);
    if (index >= 0) {
        *setting_choice(row, object) = index;
        return 0;
    }
    struct nearest nearest;
    nearest_init(&nearest, node->text);
    char known[160] = "";
    const char *const *words = setting_words(row->set);
    for (size_t i = 0, len = 0; words[i] && len < sizeof(known); i++) {
        nearest_offer(&nearest, words[i]);
        len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s", i ? ", " : "", words[i]);
    }
    return complain(to, node, "%s: '%.40s' is none of %s%s%s%s", row->key, node->text, known,
                    nearest.best ? "; did you mean '" : "", nearest.best ? nearest.best : "",
                    nearest.best ? "'?" : "");
}

static bool stands_there(const struct text_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], text) == 0) {
            return true;
        }
    }
    return false;
}

static int add_item(const struct setting *row, const struct yaml_node *item, struct text_list *list,
                    const struct complaint *to)
{
    char pair[PAIR_MAX];
    const char *text = row->set ? pair : item->text;
    int err = row->keyed                  ? join_map(row, item, to, pair)
              : row->set                  ? join_pair(row, item, to, pair)
              : item->kind == YAML_SCALAR ? check_text(row, item, to)
                                          : wrong_type(row, item, to, "a single value in the list");
    if (err < 0) {
        return err;
    }
    if (stands_there(list, text)) {
        return complain(to, item, "%s: '%.60s' stands there twice", row->key, text);
    }
    return text_list_add(list, text, strlen(text));
}

static int set_list(const struct setting *row, void *object, const struct yaml_node *node,
                    const struct complaint *to)
{
    if (node->kind != YAML_LIST) {
        return wrong_type(row, node, to, row->set ? "a list of maps" : "a list ([a, b])");
    }
    if (node->count > ITEMS_MAX) {
        return complain(to, node, "%s: more than %d items", row->key, ITEMS_MAX);
    }
    struct text_list list = {0};
    int err = 0;
    for (const struct yaml_node *item = node->first; item && err == 0; item = item->next) {
        err = add_item(row, item, &list, to);
    }
    if (err < 0) {
        text_list_clear(&list);
        return err;
    }
    text_list_clear(setting_list(row, object));
    *setting_list(row, object) = list;
    return 0;
}

int value_set(const struct setting *row, void *object, const struct yaml_node *node,
              const struct complaint *to)
{
    switch (row->kind) {
    case SETTING_INT: return set_int(row, object, node, to);
    case SETTING_FLAG: return set_flag(row, object, node, to);
    case SETTING_TEXT: return set_text(row, object, node, to);
    case SETTING_CHOICE: return set_choice(row, object, node, to);
    default: return set_list(row, object, node, to);
    }
}
