// SPDX-License-Identifier: Apache-2.0
#include "tools/wordbook.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/check.h"
#include "base/datafile.h"
#include "config/value.h"
#include "config/yaml.h"

enum { TEXT_MAX = 600 };

struct wordbook {
    struct yaml_node *root; /* id: {language: text} */
};

static int check_entry(const struct yaml_node *entry, const struct complaint *to)
{
    if (entry->kind != YAML_MAP || entry->count == 0) {
        return complain(to, entry, "%s: expected texts by language", entry->key);
    }
    for (const struct yaml_node *text = entry->first; text; text = text->next) {
        const char *why = check_language(text->key);
        if (why) {
            return complain(to, text, "'%.40s' is %s", text->key, why);
        }
        if (text->kind != YAML_SCALAR || !*text->text || strlen(text->text) > TEXT_MAX) {
            return complain(to, text, "expected a text of at most %d octets", TEXT_MAX);
        }
    }
    return 0;
}

int wordbook_load(const char *data_dir, const char *file, struct wordbook **ret_book,
                  struct diag *diag)
{
    char path[4096];
    struct yaml_node *root = NULL;
    const struct complaint to = {path, diag};
    datafile_path(data_dir, file, path, sizeof(path));
    int err = yaml_read(path, &root, diag);
    if (err == 0 && root->kind != YAML_MAP) {
        err = complain(&to, root, "expected a map of texts");
    }
    const struct yaml_node *entry = err == 0 ? root->first : NULL;
    for (; entry && err == 0; entry = entry->next) {
        err = check_entry(entry, &to);
    }
    struct wordbook *book = err == 0 ? calloc(1, sizeof(*book)) : NULL;
    if (!book) {
        yaml_free(root);
        return err < 0 ? err : -ENOMEM;
    }
    book->root = root;
    *ret_book = book;
    return 0;
}

void wordbook_free(struct wordbook *book)
{
    if (book) {
        yaml_free(book->root);
        free(book);
    }
}

bool wordbook_speaks(const struct wordbook *book, const char *language)
{
    bool speaks = book->root->first != NULL;
    for (const struct yaml_node *entry = book->root->first; entry; entry = entry->next) {
        speaks = speaks && yaml_get_text(entry, language);
    }
    return speaks;
}

const char *wordbook_get(const struct wordbook *book, const char *language, const char *id)
{
    const struct yaml_node *entry = yaml_get(book->root, id);
    const char *text = entry ? yaml_get_text(entry, language) : NULL;
    return text ? text : id;
}

void wordbook_print(const struct wordbook *book, const char *language,
                    const struct wordbook_line *line, FILE *out)
{
    const char *text = wordbook_get(book, language, line->id);
    while (*text) {
        const char *const *fill = line->fills;
        while (fill && *fill && strncmp(text, fill[0], strlen(fill[0])) != 0) {
            fill += 2;
        }
        if (fill && *fill) {
            fputs(fill[1], out);
            text += strlen(fill[0]);
        } else {
            fputc(*text++, out);
        }
    }
}
