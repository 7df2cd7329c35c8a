// SPDX-License-Identifier: Apache-2.0
#include "config/texts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/datafile.h"
#include "config/check.h"
#include "config/value.h"
#include "config/yaml.h"

enum { LANGUAGES_MAX = 32, TEXT_MAX = 600 };

#define PAGE_TEXT(id, where) #id,
static const char *const ids[TEXT_ID_COUNT] = {
#include "config/texts.def"
};
#undef PAGE_TEXT

void texts_free(struct texts *texts)
{
    for (size_t i = 0; texts && i < TEXT_ID_COUNT; i++) {
        for (size_t n = 0; n < texts->entries[i].count; n++) {
            free(texts->entries[i].items[n].language);
            free(texts->entries[i].items[n].text);
        }
        free(texts->entries[i].items);
    }
    free(texts);
}

static int take_translation(const struct yaml_node *node, struct catalog_text *item,
                            const struct complaint *to)
{
    const char *why = check_language(node->key);
    if (why) {
        return complain(to, node, "'%.40s' is %s", node->key, why);
    }
    if (node->kind != YAML_SCALAR || !*node->text || strlen(node->text) > TEXT_MAX) {
        return complain(to, node, "expected a text of at most %d octets", TEXT_MAX);
    }
    item->language = strdup(node->key);
    item->text = strdup(node->text);
    return item->language && item->text ? 0 : -ENOMEM;
}

static int take_entry(struct texts *texts, const struct yaml_node *node, const struct complaint *to)
{
    size_t id = 0;
    while (id < TEXT_ID_COUNT && strcmp(ids[id], node->key) != 0) {
        id++;
    }
    if (id == TEXT_ID_COUNT) {
        return complain(to, node, "unknown text '%.40s'", node->key);
    }
    if (node->kind != YAML_MAP || node->count == 0 || node->count > LANGUAGES_MAX) {
        return complain(to, node, "%s: expected texts by language", node->key);
    }
    texts->entries[id].items = calloc(node->count, sizeof(struct catalog_text));
    if (!texts->entries[id].items) {
        return -ENOMEM;
    }
    int err = 0;
    for (const struct yaml_node *at = node->first; at && err == 0; at = at->next) {
        err = take_translation(at, &texts->entries[id].items[texts->entries[id].count++], to);
    }
    return err;
}

static bool entry_speaks(const struct texts *texts, size_t id, const char *language)
{
    for (size_t i = 0; i < texts->entries[id].count; i++) {
        if (strcmp(texts->entries[id].items[i].language, language) == 0) {
            return true;
        }
    }
    return false;
}

/* Every text that one entry has a language for must have it too. */
static int check_complete(const struct texts *texts, const struct complaint *to,
                          const struct yaml_node *root)
{
    for (size_t id = 0; id < TEXT_ID_COUNT; id++) {
        if (texts->entries[id].count == 0) {
            return complain(to, root, "the text '%s' is missing", ids[id]);
        }
    }
    for (size_t i = 0; i < texts->entries[0].count; i++) {
        const char *language = texts->entries[0].items[i].language;
        for (size_t id = 0; id < TEXT_ID_COUNT; id++) {
            if (!entry_speaks(texts, id, language)) {
                return complain(to, root, "the text '%s' has no '%s'", ids[id], language);
            }
        }
    }
    return 0;
}

static int take_all(struct texts *texts, const struct yaml_node *root, const struct complaint *to)
{
    if (root->kind != YAML_MAP) {
        return complain(to, root, "expected a map of texts");
    }
    int err = 0;
    for (const struct yaml_node *node = root->first; node && err == 0; node = node->next) {
        err = take_entry(texts, node, to);
    }
    return err < 0 ? err : check_complete(texts, to, root);
}

int texts_load(const char *data_dir, struct texts **ret_texts, struct diag *diag)
{
    char path[4096];
    struct texts *texts = calloc(1, sizeof(*texts));
    if (!texts) {
        return -ENOMEM;
    }
    datafile_path(data_dir, "texts.yaml", path, sizeof(path));
    struct yaml_node *root = NULL;
    int err = yaml_read(path, &root, diag);
    if (err == 0) {
        err = take_all(texts, root, &(struct complaint){path, diag});
    }
    yaml_free(root);
    if (err < 0) {
        texts_free(texts);
        return err;
    }
    *ret_texts = texts;
    return 0;
}

const char *texts_get(const struct texts *texts, enum text_id id, const char *language)
{
    return catalog_text_in(texts->entries[id].items, texts->entries[id].count, language);
}

bool texts_speak(const struct texts *texts, const char *language)
{
    return entry_speaks(texts, 0, language);
}
