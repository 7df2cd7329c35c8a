// SPDX-License-Identifier: Apache-2.0
#include "blocklists/newly.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blocklists/judge.h"

/* One database, and which of its sources block which name. */
struct side {
    const struct blockdb *db;
    uint8_t *blocks; /* of popular_blocks() */
};

static bool is_within(const struct dname *name, const struct dname *other, bool below)
{
    return below ? dname_is_below(name, other) : dname_equal(name, other);
}

static bool is_protected(const struct judge *judge, const struct dname *name)
{
    const struct text_list *never = &judge->options->config->lists.never_block;
    struct dname other;
    for (size_t i = 0; i < judge->built_in.count; i++) {
        const struct protected_name *item = &judge->built_in.items[i];
        if (is_within(name, &item->name, !item->exact)) {
            return true;
        }
    }
    for (size_t i = 0; i < never->count; i++) {
        if (dname_parse(never->items[i], &other) == 0 && is_within(name, &other, true)) {
            return true;
        }
    }
    return false;
}

static bool is_shadow(const struct judge *judge, const char *id)
{
    const struct config *config = judge->options->config;
    for (size_t i = 0; i < config->source_count; i++) {
        if (strcmp(config->sources[i].id, id) == 0) {
            return config->sources[i].shadow;
        }
    }
    return false;
}

/* By any of the first `sources` lists of that category. */
static bool blocks_in(const struct side *side, size_t rank, const char *category, unsigned sources)
{
    for (unsigned i = 0; i < sources; i++) {
        if (side->blocks[rank * blockdb_info(side->db)->sources + i] &&
            strcmp(blockdb_source(side->db, i)->category, category) == 0) {
            return true;
        }
    }
    return false;
}

/* What the lists in shadow say is taken out. */
static void silence(const struct judge *judge, const struct side *side, size_t count)
{
    unsigned sources = blockdb_info(side->db)->sources;
    for (unsigned i = 0; i < sources; i++) {
        bool shadow = is_shadow(judge, blockdb_source(side->db, i)->id);
        for (size_t rank = 0; shadow && rank < count; rank++) {
            side->blocks[rank * sources + i] = 0;
        }
    }
}

static int add_name(struct newly_set *set, const struct dname *name,
                    const struct blockdb_source *source)
{
    char text[DNAME_TEXT_MAX];
    struct newly_name *items = realloc(set->items, (set->count + 1) * sizeof(*items));
    if (!items) {
        return -ENOMEM;
    }
    set->items = items;
    struct newly_name *added = &set->items[set->count++];
    snprintf(added->name, sizeof(added->name), "%.255s", dname_print(name, text));
    snprintf(added->list, sizeof(added->list), "%s", source->id);
    snprintf(added->category, sizeof(added->category), "%s", source->category);
    return 0;
}

static int compare(const struct judge *judge, const struct side sides[2], size_t count,
                   struct newly_set *set)
{
    unsigned sources = blockdb_info(sides[1].db)->sources;
    int err = 0;
    for (size_t rank = 0; rank < count; rank++) {
        const struct dname *name = &judge->popular.items[rank];
        for (unsigned i = 0; err == 0 && i < sources; i++) {
            const struct blockdb_source *source = blockdb_source(sides[1].db, i);
            bool newly =
                sides[1].blocks[rank * sources + i] &&
                !blocks_in(&sides[1], rank, source->category, i) &&
                !blocks_in(&sides[0], rank, source->category, blockdb_info(sides[0].db)->sources);
            if (newly && !is_protected(judge, name)) {
                err = add_name(set, name, source);
            }
        }
    }
    return err;
}

int newly_find(const struct judge *judge, const struct blockdb *before, const struct blockdb *after,
               struct newly_set *ret_set)
{
    struct side sides[2] = {{before, NULL}, {after, NULL}};
    struct newly_set set = {NULL, 0};
    size_t count = judge->popular.count < POPULAR_TOP ? judge->popular.count : POPULAR_TOP;
    int err = 0;
    for (unsigned i = 0; err == 0 && i < 2; i++) {
        err = popular_blocks(sides[i].db, &judge->popular, count, &sides[i].blocks);
        if (err == 0) {
            silence(judge, &sides[i], count);
        }
    }
    err = err < 0 ? err : compare(judge, sides, count, &set);
    free(sides[0].blocks);
    free(sides[1].blocks);
    if (err < 0) {
        newly_clear(&set);
        return err;
    }
    *ret_set = set;
    return 0;
}

void newly_clear(struct newly_set *set)
{
    free(set->items);
    *set = (struct newly_set){NULL, 0};
}
