// SPDX-License-Identifier: Apache-2.0
#include "policy/lists.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static unsigned find_category(const struct policy_lists *lists, const char *id)
{
    for (unsigned i = 1; i < lists->category_count; i++) {
        if (strcmp(lists->categories[i].id, id) == 0) {
            return i;
        }
    }
    return 0;
}

/* A database may name categories that the catalogue no longer knows: they keep a
 * number of their own, so that a group can still block them. */
static unsigned number_category(struct policy_lists *lists, const char *id)
{
    unsigned known = find_category(lists, id);
    if (known || lists->category_count == SNAPSHOT_CATEGORIES_MAX) {
        return known;
    }
    lists->categories[lists->category_count] = (struct category_info){.id = id, .mode = MODE_UNSET};
    return lists->category_count++;
}

static void number_catalog(struct policy_lists *lists, const struct catalog *catalog)
{
    lists->categories[0] = (struct category_info){.id = "none", .mode = MODE_UNSET};
    lists->category_count = 1;
    for (size_t i = 0; catalog && i < catalog->category_count; i++) {
        unsigned number = number_category(lists, catalog->categories[i].id);
        lists->categories[number].mode = (int8_t)catalog->categories[i].mode;
        lists->categories[number].mixed = catalog->categories[i].mixed;
    }
}

static struct class_mask mask_class(const struct policy_lists *lists, uint16_t class_id)
{
    struct class_mask mask = {0};
    size_t count;
    const struct blockdb_item *items = blockdb_class(lists->db, class_id, &count);
    for (size_t i = 0; i < count; i++) {
        uint64_t bit = 1ULL << lists->source_category[items[i].source];
        if (lists->source_shadow[items[i].source]) {
            mask.shadow = true;
            continue;
        }
        /* What is to be asked over TCP is answered there: it hides shorter entries. */
        mask.excepts |= items[i].action == BLOCKDB_TCP_ONLY;
        if (items[i].flags & BLOCKDB_EXCEPTION) {
            mask.excepts = true;
            continue;
        }
        mask.self |= items[i].flags & BLOCKDB_SELF ? bit : 0;
        mask.below |= items[i].flags & BLOCKDB_BELOW ? bit : 0;
    }
    return mask;
}

static bool is_shadow(const struct config *config, const char *id)
{
    for (size_t i = 0; config && i < config->source_count; i++) {
        if (strcmp(config->sources[i].id, id) == 0) {
            return config->sources[i].shadow;
        }
    }
    return false;
}

static int index_patterns(struct policy_lists *lists)
{
    uint32_t count = blockdb_info(lists->db)->patterns;
    lists->patterns = calloc((size_t)count + 1, sizeof(*lists->patterns));
    if (!lists->patterns) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct blockdb_pattern *pattern = blockdb_pattern(lists->db, i);
        lists->patterns[i] = (struct pattern_info){pattern, lists->source_category[pattern->source],
                                                   lists->source_shadow[pattern->source]};
        lists->pattern_exceptions |= pattern->flags & BLOCKDB_EXCEPTION;
    }
    return regex_set_new(lists->db, &lists->regex, &lists->report);
}

static int index_database(struct policy_lists *lists, const struct config *config)
{
    const struct blockdb_info *info = blockdb_info(lists->db);
    lists->generation = info->generation;
    lists->source_category = calloc(info->sources + 1, 1);
    lists->masks = calloc((size_t)info->classes + 1, sizeof(*lists->masks));
    lists->source_shadow = calloc(info->sources + 1, sizeof(bool));
    if (!lists->source_category || !lists->masks || !lists->source_shadow) {
        return -ENOMEM;
    }
    for (unsigned i = 0; i < info->sources; i++) {
        const char *category = blockdb_source(lists->db, i)->category;
        lists->source_category[i] = (uint8_t)number_category(lists, category);
        lists->source_shadow[i] = is_shadow(config, blockdb_source(lists->db, i)->id);
        lists->shadows |= lists->source_shadow[i];
    }
    for (unsigned i = 1; i <= info->classes; i++) {
        lists->masks[i] = mask_class(lists, (uint16_t)i);
    }
    return index_patterns(lists);
}

int policy_lists_open(const char *path, const struct policy_config *config,
                      struct policy_lists **ret_part, struct diag *diag)
{
    struct policy_lists *lists = calloc(1, sizeof(*lists));
    if (!lists) {
        return -ENOMEM;
    }
    lists->refs = 1;
    lists->generation = 1;
    number_catalog(lists, policy_config_catalog(config));
    int err = path && path[0] ? blockdb_open(path, &lists->db, diag) : 0;
    if (err == 0 && lists->db) {
        err = index_database(lists, policy_config_get(config));
    }
    if (err < 0) {
        policy_lists_unref(lists);
        return err;
    }
    *ret_part = lists;
    return 0;
}

void lists_ref(struct policy_lists *lists)
{
    lists->refs++;
}

void policy_lists_unref(struct policy_lists *lists)
{
    if (!lists || --lists->refs) {
        return;
    }
    regex_set_free(lists->regex);
    blockdb_close(lists->db);
    free(lists->patterns);
    free(lists->source_shadow);
    free(lists->masks);
    free(lists->source_category);
    free(lists);
}
