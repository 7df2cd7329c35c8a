// SPDX-License-Identifier: Apache-2.0
#include "blocklists/popular.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "blocklists/pattern.h"

/* A database and well-known names. */
struct measuring {
    const struct blockdb *db;
    struct popular_source *per_source;
    uint8_t *fits; /* of pattern_try(), or NULL */
    size_t tried;  /* names that patterns were tried on */
};

/* What a source says about a name. */
struct says {
    uint16_t source;
    bool blocks, excepts, important;
};

static void hear(unsigned flags, struct says *says)
{
    bool exception = flags & BLOCKDB_EXCEPTION;
    says->blocks |= !exception;
    says->excepts |= exception;
    says->important |= !exception && flags & BLOCKDB_IMPORTANT;
}

/* What one class says for that source about a name that it covers. */
static void hear_class(const struct blockdb *db, const struct blockdb_hit *hit, struct says *says)
{
    size_t count;
    const struct blockdb_item *items = blockdb_class(db, hit->class_id, &count);
    for (size_t i = 0; i < count; i++) {
        bool covers = items[i].flags & (hit->skip ? BLOCKDB_BELOW : BLOCKDB_SELF);
        if (covers && items[i].source == says->source) {
            hear(items[i].flags, says);
        }
    }
}

/* A name and what is listed of it. */
struct listed {
    struct dname name;
    struct blockdb_hit hits[DNAME_LABELS_MAX];
    size_t count;
};

static void look_up(const struct blockdb *db, struct listed *listed)
{
    struct blockdb_probe probe;
    blockdb_probe(db, &listed->name, &probe);
    listed->count = blockdb_find(db, &probe, listed->hits);
}

/* A name, its www. twin, and its place among the best known. */
struct twins {
    struct listed both[2];
    size_t rank;
};

/* By what a source blocks a name or its www. twin. */
struct found {
    const struct listed *by;
    int skip;         /* labels to take off to reach the entry; negative: it is a pattern */
    uint32_t pattern; /* index + 1 */
};

/* Index + 1 of the first pattern of the source that blocks the name of that rank. */
static uint32_t hear_patterns(const struct measuring *measuring, size_t rank, struct says *says)
{
    uint32_t first = 0;
    uint32_t count = rank < measuring->tried ? blockdb_info(measuring->db)->patterns : 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct blockdb_pattern *pattern = blockdb_pattern(measuring->db, i);
        if (pattern->source == says->source && measuring->fits[i * measuring->tried + rank]) {
            hear(pattern->flags, says);
            first = first || pattern->flags & BLOCKDB_EXCEPTION ? first : i + 1;
        }
    }
    return first;
}

/* Does the source block the name, its own exceptions counted? *ret_skip: labels to take
 * off the name to reach the entry that does, -1 when it is a pattern. */
static bool blocks(const struct blockdb *db, const struct listed *listed,
                   const struct says *by_pattern, int *ret_skip)
{
    struct says says = *by_pattern;
    int skip = -1;
    for (size_t h = 0; h < listed->count; h++) {
        struct says here = {.source = says.source};
        hear_class(db, &listed->hits[h], &here);
        skip = skip < 0 && here.blocks ? listed->hits[h].skip : skip;
        says.blocks |= here.blocks;
        says.excepts |= here.excepts;
        says.important |= here.important;
    }
    *ret_skip = skip;
    return says.important || (says.blocks && !says.excepts);
}

static bool add_www(const struct dname *name, struct dname *ret_name)
{
    char text[DNAME_TEXT_MAX + 4] = "www.";
    dname_print(name, text + 4);
    return dname_parse(text, ret_name) == 0;
}

static void note_example(struct popular_source *source, const struct dname *name,
                         const struct found *found)
{
    size_t len;
    size_t pos = 0;
    unsigned at = source->example_count;
    if (at == POPULAR_EXAMPLES) {
        return;
    }
    source->patterns[at] = found->skip < 0 ? found->pattern : 0;
    if (found->skip >= 0) {
        const uint8_t *entry = dname_suffix(&found->by->name, (unsigned)found->skip, &len);
        if (dname_read(entry, len, &pos, &source->entries[at]) < 0) {
            return;
        }
    }
    source->examples[source->example_count++] = *name;
}

static bool find(const struct measuring *measuring, const struct twins *twins, uint16_t source,
                 struct found *ret_found)
{
    struct says says = {.source = source};
    uint32_t pattern = hear_patterns(measuring, twins->rank, &says);
    for (size_t i = 0; i < 2; i++) {
        int skip;
        if (blocks(measuring->db, &twins->both[i], &says, &skip)) {
            *ret_found = (struct found){&twins->both[i], skip, pattern};
            return true;
        }
    }
    return false;
}

/* Returns whether anything may be said about it at all. */
static bool look_up_twins(const struct measuring *measuring, const struct dname *name, size_t rank,
                          struct twins *ret_twins)
{
    struct listed *both = ret_twins->both;
    *ret_twins = (struct twins){.both = {{.name = *name}}, .rank = rank};
    look_up(measuring->db, &both[0]);
    if (add_www(name, &both[1].name)) {
        look_up(measuring->db, &both[1]);
    }
    return both[0].count || both[1].count || rank < measuring->tried;
}

static void count_name(const struct measuring *measuring, const struct dname *name, size_t rank)
{
    struct twins twins;
    bool any = look_up_twins(measuring, name, rank, &twins);
    for (unsigned i = 0; any && i < blockdb_info(measuring->db)->sources; i++) {
        struct popular_source *source = &measuring->per_source[i];
        struct found found;
        if (find(measuring, &twins, (uint16_t)i, &found)) {
            source->all++;
            source->top += rank < POPULAR_TOP;
            note_example(source, name, &found);
        }
    }
}

int popular_measure(const struct blockdb *db, const struct name_list *names,
                    struct popular_source **ret_per_source)
{
    struct measuring measuring = {.db = db};
    measuring.tried = names->count < POPULAR_TOP ? names->count : POPULAR_TOP;
    measuring.per_source =
        calloc((size_t)blockdb_info(db)->sources + 1, sizeof(*measuring.per_source));
    int err =
        measuring.per_source ? pattern_try(db, names, measuring.tried, &measuring.fits) : -ENOMEM;
    if (err < 0) {
        free(measuring.per_source);
        return err;
    }
    measuring.tried = measuring.fits ? measuring.tried : 0;
    for (size_t i = 0; i < names->count; i++) {
        count_name(&measuring, &names->items[i], i);
    }
    free(measuring.fits);
    *ret_per_source = measuring.per_source;
    return 0;
}

int popular_blocks(const struct blockdb *db, const struct name_list *names, size_t count,
                   uint8_t **ret_blocks)
{
    unsigned sources = blockdb_info(db)->sources;
    struct measuring measuring = {.db = db};
    uint8_t *blocked = calloc(count + 1, sources + 1U);
    int err = blocked ? pattern_try(db, names, count, &measuring.fits) : -ENOMEM;
    measuring.tried = measuring.fits ? count : 0;
    for (size_t rank = 0; err == 0 && rank < count; rank++) {
        struct twins twins;
        bool any = look_up_twins(&measuring, &names->items[rank], rank, &twins);
        for (unsigned i = 0; any && i < sources; i++) {
            struct found found;
            blocked[rank * sources + i] = find(&measuring, &twins, (uint16_t)i, &found);
        }
    }
    free(measuring.fits);
    if (err < 0) {
        free(blocked);
        return err;
    }
    *ret_blocks = blocked;
    return 0;
}
