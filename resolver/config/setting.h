// SPDX-License-Identifier: Apache-2.0
/* setting: the rows of settings.def as data, for whoever walks over all settings.
 *
 * A row knows where its value lies in its object: a struct config, a struct
 * config_source or a struct config_group, according to the table it stands in. */
#pragma once
#include "config/config.h"

enum setting_kind {
    SETTING_SECTION, /* opens a map; has no value */
    SETTING_END,     /* closes it */
    SETTING_INT,
    SETTING_FLAG,
    SETTING_TEXT,
    SETTING_CHOICE,
    SETTING_LIST,
};

/* NULL when the text is fine, else the end of the sentence "'x' is ...". */
typedef const char *(*setting_check)(const char *text);

struct setting {
    enum setting_kind kind;
    const char *section; /* "" in tables of items */
    const char *key;
    const char *help;
    size_t offset;
    int64_t number, min, max; /* default and bounds of INT, default of FLAG */
    const char *text;         /* default of TEXT, CHOICE and LIST, as in settings.def */
    setting_check check;      /* TEXT and LIST (each item) */
    const char *shape;        /* the name of the check */
    const char *set;          /* CHOICE: its words; LIST: "key key" when items are maps */
    bool keyed;               /* LIST of maps: of any of these keys, see keyed.h */
};

struct setting_table {
    const char *name; /* "", "lists.sources", "groups" */
    const struct setting *rows;
    size_t count;
    size_t size; /* of an object */
};

extern const struct setting_table setting_config;
extern const struct setting_table setting_source;
extern const struct setting_table setting_group;

static inline bool setting_has_value(const struct setting *row)
{
    return row->kind > SETTING_END;
}

static inline int64_t *setting_int(const struct setting *row, const void *object)
{
    return (int64_t *)((char *)object + row->offset);
}

static inline bool *setting_flag(const struct setting *row, const void *object)
{
    return (bool *)((char *)object + row->offset);
}

static inline char **setting_text(const struct setting *row, const void *object)
{
    return (char **)((char *)object + row->offset);
}

static inline int *setting_choice(const struct setting *row, const void *object)
{
    return (int *)((char *)object + row->offset);
}

static inline struct text_list *setting_list(const struct setting *row, const void *object)
{
    return (struct text_list *)((char *)object + row->offset);
}

/* The words of a set, NULL at the end; NULL when there is no such set. */
const char *const *setting_words(const char *set);

/* The index of a word of the set, or -1. */
int setting_find_word(const char *set, const char *word);

/* Fill an object of zeros with the defaults. -ENOMEM; clear it in any case. */
__attribute__((warn_unused_result)) int setting_init(const struct setting_table *table,
                                                     void *object);

/* Free what the object's fields own. */
void setting_clear(const struct setting_table *table, void *object);

/* Whether two objects of a table hold the same value. */
bool setting_equal(const struct setting *row, const void *a, const void *b);

void text_list_clear(struct text_list *list);
/* Append a copy. -ENOMEM. */
__attribute__((warn_unused_result)) int text_list_add(struct text_list *list, const char *text,
                                                      size_t len);
