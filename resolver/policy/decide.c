// SPDX-License-Identifier: Apache-2.0
#include "policy/decide.h"

#include <string.h>

#include "base/hash.h"
#include "policy/lists.h"
#include "policy/rules.h"

enum { EXCEPTED_MAX = 32 };

/* Sources whose entries are taken back for this name. */
struct excepted {
    uint16_t source[EXCEPTED_MAX];
    unsigned count;
    bool all;
};

struct listing {
    const struct policy_lists *lists;
    const struct blockdb_hit *hits;
    size_t hit_count;
    uint64_t blocked; /* the group's mask */
};

#define REASON(name, word, ede, text) {word, text, ede},
static const struct {
    const char *word, *text;
    int ede;
} reasons[] = {
#include "policy/verdict.def"
};
#undef REASON

const char *reason_word(enum reason reason)
{
    return reasons[reason].word;
}

const char *reason_text(enum reason reason)
{
    return reasons[reason].text;
}

int reason_ede(enum reason reason)
{
    return reasons[reason].ede;
}

static bool item_covers(const struct blockdb_item *item, unsigned skip)
{
    return item->flags & (skip ? BLOCKDB_BELOW : BLOCKDB_SELF);
}

static void collect_exceptions(const struct listing *listing, struct excepted *excepted)
{
    for (size_t i = 0; i < listing->hit_count; i++) {
        const struct blockdb_hit *hit = &listing->hits[i];
        size_t count;
        if (!listing->lists->masks[hit->class_id].excepts) {
            continue;
        }
        const struct blockdb_item *items = blockdb_class(listing->lists->db, hit->class_id, &count);
        for (size_t k = 0; k < count; k++) {
            if (!(items[k].flags & BLOCKDB_EXCEPTION) || !item_covers(&items[k], hit->skip)) {
                continue;
            }
            excepted->all |= items[k].flags & BLOCKDB_SCOPE_ALL;
            if (excepted->count < EXCEPTED_MAX) {
                excepted->source[excepted->count++] = items[k].source;
            }
        }
    }
}

static bool is_excepted(const struct excepted *excepted, const struct blockdb_item *item)
{
    if (item->flags & BLOCKDB_IMPORTANT) {
        return false;
    }
    for (unsigned i = 0; i < excepted->count; i++) {
        if (excepted->source[i] == item->source) {
            return true;
        }
    }
    return excepted->all;
}

/* The item of a hit that blocks in one of the categories `wanted`, the lowest
 * category first; NULL when exceptions take all of them back. */
static const struct blockdb_item *pick_item(const struct listing *listing,
                                            const struct blockdb_hit *hit, uint64_t wanted,
                                            const struct excepted *excepted)
{
    const struct blockdb_item *best = NULL;
    size_t count;
    const struct blockdb_item *items = blockdb_class(listing->lists->db, hit->class_id, &count);
    for (size_t i = 0; i < count; i++) {
        unsigned category = listing->lists->source_category[items[i].source];
        bool candidate = !(items[i].flags & BLOCKDB_EXCEPTION) &&
                         item_covers(&items[i], hit->skip) && wanted >> category & 1 &&
                         !is_excepted(excepted, &items[i]);
        if (candidate && (!best || category < listing->lists->source_category[best->source])) {
            best = &items[i];
        }
    }
    return best;
}

static uint64_t hit_mask(const struct listing *listing, const struct blockdb_hit *hit)
{
    const struct class_mask *mask = &listing->lists->masks[hit->class_id];
    return hit->skip ? mask->below : mask->self;
}

static void set_item(struct verdict *verdict, const struct listing *listing,
                     const struct blockdb_hit *hit, const struct blockdb_item *item)
{
    verdict->class_id = hit->class_id;
    verdict->skip = hit->skip;
    verdict->source = item->source;
    verdict->category = listing->lists->source_category[item->source];
}

/* The first hit, longest name first, that `wanted` finds something in. */
static bool find_listing(const struct listing *listing, uint64_t wanted,
                         const struct excepted *excepted, struct verdict *verdict)
{
    for (size_t i = 0; i < listing->hit_count; i++) {
        const struct blockdb_hit *hit = &listing->hits[i];
        if (!(hit_mask(listing, hit) & wanted)) {
            continue;
        }
        const struct blockdb_item *item = pick_item(listing, hit, wanted, excepted);
        if (item) {
            set_item(verdict, listing, hit, item);
            return true;
        }
    }
    return false;
}

static void judge_lists(const struct listing *listing, struct verdict *verdict)
{
    static const struct excepted nothing;
    struct excepted excepted = {.count = 0};
    uint64_t any = 0;
    bool excepts = false;
    for (size_t i = 0; i < listing->hit_count; i++) {
        any |= hit_mask(listing, &listing->hits[i]);
        excepts |= listing->lists->masks[listing->hits[i].class_id].excepts;
    }
    if (any == 0) {
        return;
    }
    if (excepts) {
        collect_exceptions(listing, &excepted);
    }
    if (find_listing(listing, any & listing->blocked, &excepted, verdict)) {
        verdict->reason = REASON_LIST;
        verdict->blocked = true;
    } else if (find_listing(listing, any & listing->blocked, &nothing, verdict)) {
        verdict->reason = REASON_EXCEPTION;
    } else if (find_listing(listing, any, &excepted, verdict)) {
        verdict->reason = REASON_OTHER_CATEGORY;
    }
}

static int8_t choose_mode(const struct snapshot *snapshot, const struct verdict *verdict,
                          uint16_t group)
{
    int8_t of_group = snapshot->effective[group].mode;
    int8_t of_category = snapshot->categories[verdict->category].mode;
    if (of_group != MODE_UNSET) {
        return of_group;
    }
    return of_category != MODE_UNSET ? of_category : (int8_t)snapshot->config->block.mode;
}

static void apply_rule(const struct snapshot *snapshot, const struct rule_match *match,
                       struct verdict *verdict)
{
    bool allow = rules_get(snapshot->rules, match->rule)->allow;
    bool listed = verdict->blocked;
    *verdict = (struct verdict){
        .blocked = !allow,
        .reason = allow ? REASON_RULE_ALLOW : REASON_RULE_BLOCK,
        .category = listed ? verdict->category : 0,
        .skip = match->skip,
        .rule = match->rule,
        .overrode = allow && listed,
    };
}

void policy_decide(const struct snapshot *snapshot, const struct subject *subject,
                   struct verdict *ret_verdict)
{
    struct blockdb_hit hits[DNAME_LABELS_MAX];
    struct verdict verdict = {.reason = REASON_NONE, .rule = -1, .mode = MODE_UNSET};
    struct listing listing = {.lists = snapshot->lists, .hits = hits};
    listing.hit_count = snapshot->db ? blockdb_find(snapshot->db, subject->probe, hits) : 0;
    if (listing.hit_count) {
        listing.blocked = snapshot->effective[subject->group].blocked;
        judge_lists(&listing, &verdict);
    }
    struct rule_match match = rules_find(snapshot->rules, subject->name, subject->group);
    if (match.rule >= 0) {
        apply_rule(snapshot, &match, &verdict);
    } else if (verdict.blocked) {
        int skip = rules_protects(snapshot->rules, subject->name);
        if (skip >= 0) {
            verdict.blocked = false;
            verdict.overrode = true;
            verdict.reason = REASON_PROTECTED;
            verdict.skip = (uint8_t)skip;
        }
    }
    if (verdict.blocked) {
        verdict.mode = choose_mode(snapshot, &verdict, subject->group);
    }
    *ret_verdict = verdict;
}

void policy_effective(const struct snapshot *snapshot, int64_t now,
                      struct effective_group *ret_groups)
{
    (void)now; /* schedules ask it */
    for (size_t i = 0; i < snapshot->group_count; i++) {
        const struct config_group *group = &snapshot->config->groups[i];
        struct effective_group *effective = &ret_groups[i];
        *effective = (struct effective_group){.mode = (int8_t)group->mode, .ttl_cap_s = UINT32_MAX};
        for (unsigned k = 1; k < snapshot->category_count; k++) {
            for (size_t j = 0; j < group->block.count; j++) {
                bool same = strcmp(group->block.items[j], snapshot->categories[k].id) == 0;
                effective->blocked |= same ? 1ULL << k : 0;
            }
        }
    }
}

void verdict_ref(const struct verdict *verdict, const struct dname *name, char out[REF_MAX])
{
    /* Base 32 without letters that look alike (Crockford). */
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    size_t len;
    const uint8_t *suffix = dname_suffix(name, verdict->skip, &len);
    uint64_t bits = (uint64_t)verdict->class_id << 24 | (hash_seeded(0, suffix, len) & 0xffffff);
    for (unsigned i = 0; i < REF_MAX - 1; i++) {
        out[i] = digits[bits >> (35 - 5 * i) & 31];
    }
    out[REF_MAX - 1] = '\0';
}
