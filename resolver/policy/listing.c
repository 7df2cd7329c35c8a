// SPDX-License-Identifier: Apache-2.0
#include "policy/listing.h"

enum { EXCEPTED_MAX = 32 };

/* How entries are looked for. */
enum pass {
    PASS_BLOCKS,   /* what blocks, exceptions heeded */
    PASS_TCP,      /* what wants TCP alone */
    PASS_EXCEPTED, /* what would block without the exceptions */
};

/* A source whose entries are taken back, if they leave at least `from` labels (or bits)
 * open. A soft one is a TCP-only entry: it hides shorter entries, not itself. */
struct excepted {
    uint16_t source;
    uint8_t from;
    bool soft;
};

struct hits {
    struct blockdb_hit items[BLOCKDB_ADDRESS_HITS_MAX];
    size_t count;
    uint64_t mask; /* categories that block */
    bool excepts, shadow;
    bool address;
};

struct search {
    const struct policy_lists *lists;
    const struct hits *hits;
    const struct dname *name; /* for patterns; NULL: none can match */
    struct regex_name *room;
    bool prepared;   /* room holds the name */
    uint64_t wanted; /* categories */
    bool shadow;     /* as if the sources that only count were in force: what would they block? */
    bool asked_patterns; /* for exceptions */
    bool all;            /* an exception against every source */
    unsigned excepted_count;
    struct excepted excepted[EXCEPTED_MAX];
};

static bool item_covers(const struct hits *hits, const struct blockdb_item *item, unsigned skip)
{
    return item->flags & (skip && !hits->address ? BLOCKDB_BELOW : BLOCKDB_SELF);
}

static void add_excepted(struct search *search, struct excepted excepted)
{
    if (search->excepted_count < EXCEPTED_MAX) {
        search->excepted[search->excepted_count++] = excepted;
    }
}

/* Exceptions among the entries of the name asked or of the address; those of the name
 * hold for every address that it leads to. */
static void collect_hit(struct search *search, const struct hits *hits,
                        const struct blockdb_hit *hit)
{
    size_t count;
    bool whole = hits != search->hits;
    const struct blockdb_item *items = blockdb_class(search->lists->db, hit->class_id, &count);
    for (size_t i = 0; i < count; i++) {
        const struct blockdb_item *item = &items[i];
        bool exception = item->flags & BLOCKDB_EXCEPTION;
        bool soft = !exception && item->action == BLOCKDB_TCP_ONLY;
        bool idle = search->lists->source_shadow[item->source] && !search->shadow;
        if ((!exception && !soft) || idle || !item_covers(hits, item, hit->skip)) {
            continue;
        }
        bool closest = soft || item->flags & BLOCKDB_CLOSEST;
        search->all |= exception && item->flags & BLOCKDB_SCOPE_ALL;
        add_excepted(search,
                     (struct excepted){item->source, closest && !whole ? hit->skip : 0, soft});
    }
}

static void collect(struct search *search, const struct hits *hits)
{
    for (size_t i = 0; hits->excepts && i < hits->count; i++) {
        const struct class_mask *mask = &search->lists->masks[hits->items[i].class_id];
        if (mask->excepts || (mask->shadow && search->shadow)) {
            collect_hit(search, hits, &hits->items[i]);
        }
    }
}

/* The name as patterns see it, looked at when the first pattern is to be tried; NULL
 * when none can match. */
static const struct regex_name *text_of(struct search *search)
{
    if (search->name && !search->prepared) {
        search->prepared = true;
        search->name =
            regex_prepare(search->lists->regex, search->name, search->room) ? search->name : NULL;
    }
    return search->name ? search->room : NULL;
}

/* Asked only when something is about to be blocked. */
static void collect_patterns(struct search *search)
{
    const struct policy_lists *lists = search->lists;
    search->asked_patterns = true;
    const struct regex_name *text = lists->pattern_exceptions ? text_of(search) : NULL;
    for (int k = text ? regex_next(text, 0) : -1; k >= 0; k = regex_next(text, (uint32_t)k + 1)) {
        const struct pattern_info *info = &lists->patterns[k];
        bool idle = info->shadow && !search->shadow;
        if (!idle && info->pattern->flags & BLOCKDB_EXCEPTION &&
            regex_matches(lists->regex, (uint32_t)k, text)) {
            search->all |= info->pattern->flags & BLOCKDB_SCOPE_ALL;
            add_excepted(search, (struct excepted){info->pattern->source, 0, false});
        }
    }
}

static bool is_excepted(struct search *search, uint16_t source, unsigned skip, bool tcp)
{
    if (!search->asked_patterns) {
        collect_patterns(search);
    }
    for (unsigned i = 0; i < search->excepted_count; i++) {
        const struct excepted *excepted = &search->excepted[i];
        if (excepted->source == source && skip >= excepted->from && !(tcp && excepted->soft)) {
            return true;
        }
    }
    return search->all;
}

static bool is_candidate(struct search *search, const struct blockdb_hit *hit,
                         const struct blockdb_item *item, enum pass pass)
{
    bool tcp = item->action == BLOCKDB_TCP_ONLY;
    bool fits = !(item->flags & BLOCKDB_EXCEPTION) && tcp == (pass == PASS_TCP) &&
                search->lists->source_shadow[item->source] == search->shadow &&
                search->wanted >> search->lists->source_category[item->source] & 1 &&
                item_covers(search->hits, item, hit->skip);
    return fits && (pass == PASS_EXCEPTED || item->flags & BLOCKDB_IMPORTANT ||
                    !is_excepted(search, item->source, hit->skip, tcp));
}

/* The item of a hit that decides, the lowest category first; NULL for none. */
static const struct blockdb_item *pick_item(struct search *search, const struct blockdb_hit *hit,
                                            enum pass pass)
{
    const uint8_t *category = search->lists->source_category;
    const struct blockdb_item *best = NULL;
    size_t count;
    const struct blockdb_item *items = blockdb_class(search->lists->db, hit->class_id, &count);
    for (size_t i = 0; i < count; i++) {
        if (is_candidate(search, hit, &items[i], pass) &&
            (!best || category[items[i].source] < category[best->source])) {
            best = &items[i];
        }
    }
    return best;
}

/* A source that only counts leaves its mark beside the verdict. */
static void set_source(const struct search *search, uint16_t source, struct verdict *verdict)
{
    if (search->shadow) {
        verdict->shadowed = true;
        verdict->shadow_source = source;
        verdict->shadow_category = search->lists->source_category[source];
        return;
    }
    verdict->source = source;
    verdict->category = search->lists->source_category[source];
}

/* The first hit, the longest first, that something is found in. */
static bool find_item(struct search *search, enum pass pass, struct verdict *verdict)
{
    for (size_t i = 0; i < search->hits->count; i++) {
        const struct blockdb_hit *hit = &search->hits->items[i];
        const struct class_mask *mask = &search->lists->masks[hit->class_id];
        uint64_t blocks = hit->skip && !search->hits->address ? mask->below : mask->self;
        if (search->shadow ? !mask->shadow : !(blocks & search->wanted)) {
            continue;
        }
        const struct blockdb_item *item = pick_item(search, hit, pass);
        if (item) {
            set_source(search, item->source, verdict);
        }
        if (item && !search->shadow) {
            verdict->class_id = hit->class_id;
            verdict->skip = hit->skip;
            verdict->action = item->action;
            verdict->data = item->data;
        }
        if (item) {
            return true;
        }
    }
    return false;
}

static bool find_pattern(struct search *search, enum pass pass, struct verdict *verdict)
{
    const struct policy_lists *lists = search->lists;
    const struct regex_name *text = text_of(search);
    for (int k = text ? regex_next(text, 0) : -1; k >= 0; k = regex_next(text, (uint32_t)k + 1)) {
        const struct pattern_info *info = &lists->patterns[k];
        const struct blockdb_pattern *pattern = info->pattern;
        bool fits = !(pattern->flags & BLOCKDB_EXCEPTION) && info->shadow == search->shadow &&
                    search->wanted >> info->category & 1 &&
                    regex_matches(lists->regex, (uint32_t)k, text);
        if (!fits || (pass == PASS_BLOCKS && !(pattern->flags & BLOCKDB_IMPORTANT) &&
                      is_excepted(search, pattern->source, UINT8_MAX, false))) {
            continue;
        }
        set_source(search, pattern->source, verdict);
        if (!search->shadow) {
            verdict->pattern = (uint16_t)(k + 1);
            verdict->action = pattern->action;
        }
        return true;
    }
    return false;
}

static void enforce(struct search *search, uint64_t blocked, struct verdict *verdict)
{
    const struct hits *hits = search->hits;
    bool blocks = hits->mask & blocked;
    search->wanted = blocked;
    if ((blocks && find_item(search, PASS_BLOCKS, verdict)) ||
        find_pattern(search, PASS_BLOCKS, verdict)) {
        verdict->reason = hits->address ? REASON_LIST_ADDRESS : REASON_LIST;
        verdict->blocked = true;
        return;
    }
    if (blocks && !hits->address && find_item(search, PASS_TCP, verdict)) {
        verdict->reason = REASON_TCP_ONLY;
        return;
    }
    bool excepted = search->excepted_count || search->all;
    if (excepted && ((blocks && find_item(search, PASS_EXCEPTED, verdict)) ||
                     find_pattern(search, PASS_EXCEPTED, verdict))) {
        verdict->reason = REASON_EXCEPTION;
    } else if (hits->mask) {
        search->wanted = ~0ULL;
        if (find_item(search, PASS_BLOCKS, verdict)) {
            verdict->reason = REASON_OTHER_CATEGORY;
        }
    }
    verdict->action = BLOCKDB_BLOCK;
}

static void note_hits(const struct policy_lists *lists, struct hits *hits)
{
    hits->mask = 0;
    hits->excepts = hits->shadow = false;
    for (size_t i = 0; i < hits->count; i++) {
        const struct class_mask *mask = &lists->masks[hits->items[i].class_id];
        hits->mask |= hits->items[i].skip && !hits->address ? mask->below : mask->self;
        hits->shadow |= mask->shadow;
        hits->excepts |= mask->excepts | mask->shadow;
    }
}

static void find_name(const struct listing *listing, struct hits *hits)
{
    hits->address = false;
    hits->count = blockdb_find(listing->lists->db, listing->probe, hits->items);
    note_hits(listing->lists, hits);
}

static void find_address(const struct listing *listing, struct hits *hits)
{
    struct blockdb_address_hit found[BLOCKDB_ADDRESS_HITS_MAX];
    unsigned bits = listing->addr->family == AF_INET ? 32 : 128;
    hits->address = true;
    hits->count = blockdb_find_address(listing->lists->db, listing->addr, found);
    for (size_t i = 0; i < hits->count; i++) {
        hits->items[i] = (struct blockdb_hit){found[i].class_id, (uint8_t)(bits - found[i].bits)};
    }
    note_hits(listing->lists, hits);
}

uint64_t listing_categories(const struct listing *listing)
{
    struct hits hits;
    find_name(listing, &hits);
    return hits.mask;
}

void listing_judge(const struct listing *listing, struct verdict *verdict)
{
    const struct policy_lists *lists = listing->lists;
    struct hits hits, of_name;
    struct regex_name text;
    if (listing->addr) {
        find_address(listing, &hits);
    } else {
        find_name(listing, &hits);
    }
    bool patterns = lists->regex && listing->name && !listing->addr;
    bool prepared = patterns && !hits.count;
    if (!hits.count && !(patterns && regex_prepare(lists->regex, listing->name, &text))) {
        return; /* as nearly every name */
    }
    struct search search = {.lists = lists,
                            .hits = &hits,
                            .name = patterns ? listing->name : NULL,
                            .room = &text,
                            .prepared = prepared};
    of_name.excepts = false;
    if (listing->addr && listing->name) {
        find_name(listing, &of_name);
    }
    for (int shadow = 0; shadow <= (lists->shadows && !verdict->blocked); shadow++) {
        search.shadow = shadow;
        search.asked_patterns = search.all = false;
        search.excepted_count = 0;
        search.wanted = listing->blocked;
        collect(&search, &hits);
        collect(&search, &of_name);
        if (!shadow) {
            enforce(&search, listing->blocked, verdict);
        } else if (!find_item(&search, PASS_BLOCKS, verdict)) {
            (void)find_pattern(&search, PASS_BLOCKS, verdict);
        }
    }
}
