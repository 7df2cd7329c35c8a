// SPDX-License-Identifier: Apache-2.0
#include "config/setting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/check.h"

#define CHOICES(set, ...) static const char *const words_##set[] = {__VA_ARGS__, NULL};
#include "config/settings.def"
#undef CHOICES

struct word_set {
    const char *name;
    const char *const *words;
};

#define CHOICES(set, ...) {#set, words_##set},
static const struct word_set word_sets[] = {
#include "config/settings.def"
};
#undef CHOICES

#define ROW(kind_, section_, key_, help_)                                                          \
    .kind = SETTING_##kind_, .section = (section_), .key = (key_), .help = (help_)

#define SECTION(name, help) {ROW(SECTION, #name, #name, help)},
#define SECTION_END(name)   {ROW(END, #name, #name, "")},
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a member cannot stand in them */
#define FIELD(section, name) .offset = offsetof(struct config, section.name)
#define INT(section, name, def, least, most, help)                                                 \
    {ROW(INT, #section, #name, help), FIELD(section, name), .number = (def), .min = (least),       \
     .max = (most)},
#define FLAG(section, name, def, help)                                                             \
    {ROW(FLAG, #section, #name, help), FIELD(section, name), .number = (def)},
#define TEXT(section, name, def, form, help)                                                       \
    {ROW(TEXT, #section, #name, help), FIELD(section, name), .text = (def), .check = check_##form, \
     .shape = #form},
#define CHOICE(section, name, def, words, help)                                                    \
    {ROW(CHOICE, #section, #name, help), FIELD(section, name), .text = (def), .set = #words},
#define LIST(section, name, def, form, help)                                                       \
    {ROW(LIST, #section, #name, help), FIELD(section, name), .text = (def), .check = check_##form, \
     .shape = #form},
#define PAIRS(section, name, keys, form, help)                                                     \
    {ROW(LIST, #section, #name, help),                                                             \
     FIELD(section, name),                                                                         \
     .text = "",                                                                                   \
     .check = check_##form,                                                                        \
     .shape = #form,                                                                               \
     .set = (keys)},
#define MAPS(section, name, keys, form, help)                                                      \
    {ROW(LIST, #section, #name, help),                                                             \
     FIELD(section, name),                                                                         \
     .text = "",                                                                                   \
     .check = check_##form,                                                                        \
     .shape = #form,                                                                               \
     .set = (keys),                                                                                \
     .keyed = true},
static const struct setting config_rows[] = {
#include "config/settings.def"
};
#undef SECTION

#define SOURCE
#define SOURCE_FIELD(name) .offset = offsetof(struct config_source, name)
#define SOURCE_TEXT(name, def, form, help)                                                         \
    {ROW(TEXT, "", #name, help), SOURCE_FIELD(name), .text = (def), .check = check_##form,         \
     .shape = #form},
#define SOURCE_CHOICE(name, def, words, help)                                                      \
    {ROW(CHOICE, "", #name, help), SOURCE_FIELD(name), .text = (def), .set = #words},
#define SOURCE_INT(name, def, least, most, help)                                                   \
    {ROW(INT, "", #name, help), SOURCE_FIELD(name), .number = (def), .min = (least), .max = (most)},
#define SOURCE_FLAG(name, def, help)                                                               \
    {ROW(FLAG, "", #name, help), SOURCE_FIELD(name), .number = (def)},
#define SOURCE_LIST(name, def, form, help)                                                         \
    {ROW(LIST, "", #name, help), SOURCE_FIELD(name), .text = (def), .check = check_##form,         \
     .shape = #form},
static const struct setting source_rows[] = {
#include "config/settings.def"
};
#undef SOURCE

#define GROUP
#define GROUP_FIELD(name) .offset = offsetof(struct config_group, name)
#define GROUP_TEXT(name, def, form, help)                                                          \
    {ROW(TEXT, "", #name, help), GROUP_FIELD(name), .text = (def), .check = check_##form,          \
     .shape = #form},
#define GROUP_LIST(name, def, form, help)                                                          \
    {ROW(LIST, "", #name, help), GROUP_FIELD(name), .text = (def), .check = check_##form,          \
     .shape = #form},
#define GROUP_CHOICE(name, def, words, help)                                                       \
    {ROW(CHOICE, "", #name, help), GROUP_FIELD(name), .text = (def), .set = #words},
#define GROUP_FLAG(name, def, help)                                                                \
    {ROW(FLAG, "", #name, help), GROUP_FIELD(name), .number = (def)},
#define GROUP_PAIRS(name, keys, form, help)                                                        \
    {ROW(LIST, "", #name, help), GROUP_FIELD(name), .text = "",                                    \
     .check = check_##form,      .shape = #form,    .set = (keys)},
#define GROUP_MAPS(name, keys, form, help)                                                         \
    {ROW(LIST, "", #name, help),                                                                   \
     GROUP_FIELD(name),                                                                            \
     .text = "",                                                                                   \
     .check = check_##form,                                                                        \
     .shape = #form,                                                                               \
     .set = (keys),                                                                                \
     .keyed = true},
static const struct setting group_rows[] = {
#include "config/settings.def"
};
#undef GROUP

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

const struct setting_table setting_config = {"", config_rows, COUNT(config_rows),
                                             sizeof(struct config)};
const struct setting_table setting_source = {"lists.sources", source_rows, COUNT(source_rows),
                                             sizeof(struct config_source)};
const struct setting_table setting_group = {"groups", group_rows, COUNT(group_rows),
                                            sizeof(struct config_group)};

const char *const *setting_words(const char *set)
{
    for (size_t i = 0; i < COUNT(word_sets); i++) {
        if (strcmp(word_sets[i].name, set) == 0) {
            return word_sets[i].words;
        }
    }
    return NULL;
}

int setting_find_word(const char *set, const char *word)
{
    const char *const *words = setting_words(set);
    for (int i = 0; words && words[i]; i++) {
        if (strcmp(words[i], word) == 0) {
            return i;
        }
    }
    return -1;
}

void text_list_clear(struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i]);
    }
    free(list->items);
    *list = (struct text_list){0};
}

int text_list_add(struct text_list *list, const char *text, size_t len)
{
    char **items = realloc(list->items, (list->count + 1) * sizeof(*items));
    if (!items) {
        return -ENOMEM;
    }
    list->items = items;
    items[list->count] = strndup(text, len);
    if (!items[list->count]) {
        return -ENOMEM;
    }
    list->count++;
    return 0;
}

static int init_list(struct text_list *list, const char *words)
{
    int err = 0;
    while (err == 0 && *words) {
        size_t len = strcspn(words, " ");
        err = text_list_add(list, words, len);
        words += len + (words[len] == ' ');
    }
    return err;
}

static int init_value(const struct setting *row, void *object)
{
    switch (row->kind) {
    case SETTING_INT: *setting_int(row, object) = row->number; return 0;
    case SETTING_FLAG: *setting_flag(row, object) = row->number != 0; return 0;
    case SETTING_TEXT:
        *setting_text(row, object) = strdup(row->text);
        return *setting_text(row, object) ? 0 : -ENOMEM;
    case SETTING_CHOICE:
        *setting_choice(row, object) = setting_find_word(row->set, row->text);
        return 0;
    case SETTING_LIST: return init_list(setting_list(row, object), row->text);
    default: return 0;
    }
}

int setting_init(const struct setting_table *table, void *object)
{
    int err = 0;
    for (size_t i = 0; i < table->count && err == 0; i++) {
        err = init_value(&table->rows[i], object);
    }
    return err;
}

void setting_clear(const struct setting_table *table, void *object)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct setting *row = &table->rows[i];
        if (row->kind == SETTING_TEXT) {
            free(*setting_text(row, object));
            *setting_text(row, object) = NULL;
        } else if (row->kind == SETTING_LIST) {
            text_list_clear(setting_list(row, object));
        }
    }
}

static bool lists_equal(const struct text_list *a, const struct text_list *b)
{
    for (size_t i = 0; a->count == b->count && i < a->count; i++) {
        if (strcmp(a->items[i], b->items[i]) != 0) {
            return false;
        }
    }
    return a->count == b->count;
}

bool setting_equal(const struct setting *row, const void *a, const void *b)
{
    switch (row->kind) {
    case SETTING_INT: return *setting_int(row, a) == *setting_int(row, b);
    case SETTING_FLAG: return *setting_flag(row, a) == *setting_flag(row, b);
    case SETTING_TEXT: return strcmp(*setting_text(row, a), *setting_text(row, b)) == 0;
    case SETTING_CHOICE: return *setting_choice(row, a) == *setting_choice(row, b);
    case SETTING_LIST: return lists_equal(setting_list(row, a), setting_list(row, b));
    default: return true;
    }
}
