// SPDX-License-Identifier: Apache-2.0
#include "config/show.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/keyed.h"
#include "config/origins.h"
#include "config/setting.h"
#include "config/yaml.h"

/* The comments of a map start in one column where its lines are short enough. */
enum { COMMENT_COLUMN = 40 };

struct printer {
    const struct config *config;
    const struct config *defaults;
    const struct show_options *options;
    FILE *out;
    const struct setting_table *table;
    size_t item;
    const void *object;   /* whose values are printed */
    const void *fallback; /* the defaults of the same table */
    int err;              /* sticky */
};

/* Words that other YAML readers would take for something else than text. */
static bool is_reserved(const char *text)
{
    static const char *const words[] = {"true", "false", "null", "yes", "no",
                                        "on",   "off",   "y",    "n"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(text, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_plain(const char *text)
{
    bool starts = isalpha((unsigned char)text[0]) || text[0] == '/';
    if (!starts || is_reserved(text)) {
        return false;
    }
    return text[strspn(
               text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-")] == '\0';
}

static int put_text(struct printer *print, FILE *out, const char *text)
{
    if (is_plain(text)) {
        return fprintf(out, "%s", text);
    }
    char *quoted = yaml_quote(text);
    if (!quoted) {
        print->err = -ENOMEM;
        return 0;
    }
    int len = fprintf(out, "%s", quoted);
    free(quoted);
    return len;
}

/* "value value" as the map that it was; "key[]": the rest are a list. */
static int put_pair(struct printer *print, const struct setting *row, const char *text)
{
    char word[1024];
    const char *second = strchr(row->set, ' ') + 1;
    bool many = strchr(second, '[') != NULL;
    int len = fprintf(print->out, "{%.*s: ", (int)(second - row->set) - 1, row->set);
    for (unsigned i = 0; *text; i++) {
        snprintf(word, sizeof(word), "%.*s", (int)strcspn(text, " "), text);
        text += strlen(word) + (text[strlen(word)] == ' ');
        if (i == 1) {
            len += fprintf(print->out, ", %.*s: %s", (int)strcspn(second, "["), second,
                           many ? "[" : "");
        } else if (i > 1) {
            len += fprintf(print->out, ", ");
        }
        len += put_text(print, print->out, word);
    }
    return len + fprintf(print->out, many ? "]}" : "}");
}

/* "key=value key=a,b" as the map that it was. */
static int put_map(struct printer *print, const struct setting *row, const char *text)
{
    char word[KEYED_MAX];
    const char *item, *glue = "{";
    struct keyed_part part;
    int len = 0;
    while (keyed_next(row->set, &text, &part)) {
        len += fprintf(print->out, "%s%.*s: %s", glue, (int)part.key_len, part.key,
                       part.list ? "[" : "");
        for (const char *comma = ""; part.len; comma = ", ") {
            size_t size = part.list ? keyed_item(&part, &item) : part.len;
            snprintf(word, sizeof(word), "%.*s", (int)size, part.list ? item : part.value);
            part.len = part.list ? part.len : 0;
            len += fprintf(print->out, "%s", comma);
            len += put_text(print, print->out, word);
        }
        len += fprintf(print->out, "%s", part.list ? "]" : "");
        glue = ", ";
    }
    return len + fprintf(print->out, "}");
}

static int put_list(struct printer *print, const struct setting *row)
{
    const struct text_list *list = setting_list(row, print->object);
    int len = fprintf(print->out, "[");
    for (size_t i = 0; i < list->count; i++) {
        len += fprintf(print->out, "%s", i ? ", " : "");
        len += row->keyed ? put_map(print, row, list->items[i])
               : row->set ? put_pair(print, row, list->items[i])
                          : put_text(print, print->out, list->items[i]);
    }
    return len + fprintf(print->out, "]");
}

/* Returns how many octets were printed. */
static int put_value(struct printer *print, const struct setting *row)
{
    switch (row->kind) {
    case SETTING_INT: return fprintf(print->out, "%" PRId64, *setting_int(row, print->object));
    case SETTING_FLAG:
        return fprintf(print->out, "%s", *setting_flag(row, print->object) ? "true" : "false");
    case SETTING_TEXT: return put_text(print, print->out, *setting_text(row, print->object));
    case SETTING_CHOICE:
        return fprintf(print->out, "%s",
                       config_word(row->set, *setting_choice(row, print->object)));
    default: return put_list(print, row);
    }
}

static void put_origin(struct printer *print, const struct setting *row, int width)
{
    const struct origin *origin = origins_find(print->config, print->table, print->item, row);
    fprintf(print->out, "%*s", width < COMMENT_COLUMN ? COMMENT_COLUMN - width : 2, "");
    if (origin->file) {
        fprintf(print->out, "# %s:%u", origin->file, origin->line);
    } else {
        fprintf(print->out, "# default");
    }
}

static void put_row(struct printer *print, const struct setting *row, const char *indent)
{
    int width = fprintf(print->out, "%s%s: ", indent, row->key);
    width += put_value(print, row);
    if (print->options->origin) {
        put_origin(print, row, width);
    }
    fprintf(print->out, "\n");
}

/* A choice that follows another setting has no word to print. */
static bool is_shown(const struct printer *print, const struct setting *row)
{
    if (row->kind == SETTING_CHOICE && *setting_choice(row, print->object) < 0) {
        return false;
    }
    return !print->options->differences || !setting_equal(row, print->object, print->fallback);
}

static void put_item(struct printer *print, const char *indent)
{
    char inner[16];
    char dash[16];
    snprintf(inner, sizeof(inner), "%s  ", indent);
    snprintf(dash, sizeof(dash), "%s- ", indent);
    for (size_t i = 0; i < print->table->count; i++) {
        if (i == 0 || is_shown(print, &print->table->rows[i])) {
            put_row(print, &print->table->rows[i], i ? inner : dash);
        }
    }
}

static void put_items(struct printer *print, const void *items, size_t count, const char *indent)
{
    void *fallback = calloc(1, print->table->size);
    print->err = fallback ? setting_init(print->table, fallback) : -ENOMEM;
    print->fallback = fallback;
    for (size_t i = 0; i < count && print->err == 0; i++) {
        print->item = i;
        print->object = (const char *)items + i * print->table->size;
        put_item(print, indent);
    }
    if (fallback) {
        setting_clear(print->table, fallback);
    }
    free(fallback);
}

static void put_sources(const struct printer *whole, int *err)
{
    const struct config *config = whole->config;
    struct printer print = *whole;
    print.table = &setting_source;
    if (config->source_count == 0) {
        fprintf(print.out, "  sources: []\n");
        return;
    }
    fprintf(print.out, "  sources:\n");
    put_items(&print, config->sources, config->source_count, "    ");
    *err = print.err;
}

static void put_groups(const struct printer *whole, int *err)
{
    struct printer print = *whole;
    print.table = &setting_group;
    fprintf(print.out, "groups:\n");
    put_items(&print, whole->config->groups, whole->config->group_count, "  ");
    *err = print.err;
}

static bool items_equal(const struct setting_table *table, const void *a, const void *b,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t row = 0; row < table->count; row++) {
            const char *left = (const char *)a + i * table->size;
            const char *right = (const char *)b + i * table->size;
            if (!setting_equal(&table->rows[row], left, right)) {
                return false;
            }
        }
    }
    return true;
}

bool show_differs_sources(const struct config *config, const struct config *defaults)
{
    return config->source_count != defaults->source_count ||
           !items_equal(&setting_source, config->sources, defaults->sources, config->source_count);
}

bool show_differs_groups(const struct config *config, const struct config *defaults)
{
    return config->group_count != defaults->group_count ||
           !items_equal(&setting_group, config->groups, defaults->groups, config->group_count);
}

/* One section with its heading, when it has anything to show. */
static void put_section(struct printer *print, const struct setting *section)
{
    const struct setting *end = section;
    bool any = false;
    while (end->kind != SETTING_END) {
        end++;
        any = any || (setting_has_value(end) && is_shown(print, end));
    }
    bool sources =
        strcmp(section->key, "lists") == 0 &&
        (!print->options->differences || show_differs_sources(print->config, print->defaults));
    if (!any && !sources) {
        return;
    }
    fprintf(print->out, "%s:\n", section->key);
    for (const struct setting *row = section + 1; row != end; row++) {
        if (is_shown(print, row)) {
            put_row(print, row, "  ");
        }
    }
    if (sources) {
        put_sources(print, &print->err);
    }
}

int config_show(const struct config *config, const struct show_options *options, FILE *out)
{
    struct config *defaults = config_new();
    if (!defaults) {
        return -ENOMEM;
    }
    struct printer print = {.config = config,
                            .defaults = defaults,
                            .options = options,
                            .out = out,
                            .table = &setting_config,
                            .object = config,
                            .fallback = defaults};
    for (size_t i = 0; i < setting_config.count; i++) {
        if (setting_config.rows[i].kind == SETTING_SECTION) {
            put_section(&print, &setting_config.rows[i]);
        }
    }
    if (print.err == 0 && (!options->differences || show_differs_groups(config, defaults))) {
        put_groups(&print, &print.err);
    }
    config_free(defaults);
    return print.err;
}
