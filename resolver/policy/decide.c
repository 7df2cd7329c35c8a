// SPDX-License-Identifier: Apache-2.0
#include "policy/decide.h"

#include <string.h>

#include "config/known.h"
#include "policy/listing.h"
#include "policy/lookalike.h"
#include "policy/marks.h"
#include "policy/rules.h"

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

int8_t verdict_mode(const struct snapshot *snapshot, const struct verdict *verdict, uint16_t group)
{
    if (verdict->reason == REASON_REBINDING) {
        return MODE_NODATA; /* of the whole network, whatever groups do */
    }
    if (verdict->reason == REASON_CANARY) {
        return MODE_NXDOMAIN; /* the one answer that those who ask understand */
    }
    if (verdict->action == BLOCKDB_NXDOMAIN || verdict->action == BLOCKDB_NODATA) {
        return verdict->action == BLOCKDB_NXDOMAIN ? MODE_NXDOMAIN : MODE_NODATA;
    }
    return snapshot->effective[group].modes[verdict->category];
}

static void apply_rule(const struct snapshot *snapshot, const struct rule_match *match,
                       struct verdict *verdict)
{
    bool allow = rules_get(snapshot->parts.rules, match->rule)->allow;
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

/* What would be blocked but for a protected name, which only rules may touch. */
static void apply_protection(const struct snapshot *snapshot, const struct dname *name,
                             struct verdict *verdict)
{
    int skip = rules_protects(snapshot->parts.rules, name);
    if (skip < 0) {
        return;
    }
    verdict->overrode = verdict->blocked;
    verdict->blocked = verdict->shadowed = false;
    verdict->action = BLOCKDB_BLOCK;
    verdict->reason = REASON_PROTECTED;
    verdict->skip = (uint8_t)skip;
}

/* A group that filters at all says no to those who ask whether they may go around. */
static void apply_canary(const struct snapshot *snapshot, const struct subject *subject,
                         struct verdict *verdict)
{
    int skip = snapshot->effective[subject->group].filters
                   ? rules_canary(snapshot->parts.rules, subject->name)
                   : -1;
    if (skip >= 0) {
        *verdict = (struct verdict){.blocked = true,
                                    .reason = REASON_CANARY,
                                    .category = snapshot->bypass,
                                    .skip = (uint8_t)skip,
                                    .rule = -1};
    }
}

static struct listing listing_of(const struct snapshot *snapshot, const struct subject *subject,
                                 uint64_t blocked)
{
    return (struct listing){snapshot->parts.lists, blocked, subject->name, subject->probe, NULL};
}

/* What lists of a preferred category name is not blocked by mixed ones. */
static void apply_preferred(const struct snapshot *snapshot, const struct subject *subject,
                            struct verdict *verdict)
{
    const struct effective_group *effective = &snapshot->effective[subject->group];
    bool mixed = verdict->blocked && snapshot->mixed >> verdict->category & 1;
    struct listing listing = listing_of(snapshot, subject, effective->blocked & ~snapshot->mixed);
    uint64_t preferred =
        mixed && effective->preferred ? listing_categories(&listing) & effective->preferred : 0;
    if (!preferred) {
        return;
    }
    *verdict = (struct verdict){.rule = -1, .mode = MODE_UNSET};
    listing_judge(&listing, verdict);
    if (!verdict->blocked) {
        *verdict = (struct verdict){.reason = REASON_CHOSEN,
                                    .category = (uint8_t)__builtin_ctzll(preferred),
                                    .overrode = true,
                                    .rule = -1};
    }
}

static bool has_service(const uint64_t services[SERVICE_WORDS], unsigned service)
{
    return services[service / 64] >> service % 64 & 1;
}

/* Why an item of the data files is blocked for the group; REASON_NONE: it is not. */
static uint8_t judge_item(const struct snapshot *snapshot, const struct effective_group *effective,
                          unsigned at)
{
    const struct known_item *item = &snapshot->known->items[at];
    switch (item->kind) {
    case KNOWN_SERVICE:
        if (has_service(effective->services, at)) {
            return has_service(effective->service_times, at) ? REASON_SCHEDULE : REASON_SERVICE;
        }
        return REASON_NONE;
    case KNOWN_WAY:
        return snapshot->bypass && effective->blocked >> snapshot->bypass & 1 ? REASON_WAY_AROUND
                                                                              : REASON_NONE;
    default:
        return !item->target && effective->safe_search && effective->unsafe_blocked
                   ? REASON_NO_SAFE_SEARCH
                   : REASON_NONE;
    }
}

/* The level of safe mode that the group wants of an engine; YOUTUBE_OFF: none. */
static unsigned safe_level(const struct effective_group *effective, const struct known_item *item)
{
    if (item->kind != KNOWN_ENGINE || !item->target) {
        return YOUTUBE_OFF;
    }
    return item->moderate           ? effective->youtube
           : effective->safe_search ? YOUTUBE_STRICT
                                    : YOUTUBE_OFF;
}

struct found_marks {
    struct mark items[MARKS_MAX];
    size_t count;
};

/* What services, ways around and engines without a safe mode block. */
static void apply_marks(const struct snapshot *snapshot, uint16_t group,
                        const struct found_marks *marks, struct verdict *verdict)
{
    for (size_t i = 0; i < marks->count && !verdict->blocked; i++) {
        const struct mark *mark = &marks->items[i];
        uint8_t reason = judge_item(snapshot, &snapshot->effective[group], mark->item);
        if (reason != REASON_NONE) {
            *verdict = (struct verdict){
                .blocked = true,
                .reason = reason,
                .category = reason == REASON_WAY_AROUND ? snapshot->bypass : 0,
                .skip = mark->skip,
                .mark = (uint16_t)(mark->item + 1),
                .rule = -1,
            };
        }
    }
}

/* A search engine that is not blocked gets its safe mode. */
static void apply_safe(const struct snapshot *snapshot, uint16_t group,
                       const struct found_marks *marks, struct verdict *verdict)
{
    for (size_t i = 0; i < marks->count; i++) {
        const struct mark *mark = &marks->items[i];
        if (safe_level(&snapshot->effective[group], &snapshot->known->items[mark->item])) {
            verdict->reason = REASON_SAFE_SEARCH;
            verdict->skip = mark->skip;
            verdict->mark = (uint16_t)(mark->item + 1);
            return;
        }
    }
}

/* While only chosen names are open: is this none of them? A protected one says why it is open. */
static void apply_only(const struct snapshot *snapshot, const struct subject *subject,
                       struct verdict *verdict)
{
    const struct effective_group *effective = &snapshot->effective[subject->group];
    const struct listing listing = listing_of(snapshot, subject, 0);
    bool chosen = snapshot->db && listing_categories(&listing) & effective->chosen;
    int protected = chosen ? -1 : rules_protects(snapshot->parts.rules, subject->name);
    if (protected >= 0) {
        verdict->reason = REASON_PROTECTED;
        verdict->skip = (uint8_t) protected;
    } else if (!chosen) {
        *verdict = (struct verdict){
            .blocked = true,
            .reason = effective->only_scheduled ? REASON_SCHEDULE : REASON_NOT_CHOSEN,
            .rule = -1,
        };
    }
}

/* What no local rule decides. */
static void apply_built_in(const struct snapshot *snapshot, const struct subject *subject,
                           const struct found_marks *marks, struct verdict *verdict)
{
    const struct effective_group *effective = &snapshot->effective[subject->group];
    apply_preferred(snapshot, subject, verdict);
    if (verdict->reason == REASON_LIST && effective->scheduled >> verdict->category & 1) {
        verdict->reason = REASON_SCHEDULE;
    }
    apply_marks(snapshot, subject->group, marks, verdict);
    apply_canary(snapshot, subject, verdict);
    if (verdict->blocked || verdict->shadowed || verdict->reason == REASON_TCP_ONLY) {
        apply_protection(snapshot, subject->name, verdict);
    }
    if (effective->only && !verdict->blocked) {
        apply_only(snapshot, subject, verdict);
    }
}

/* A rule for the engine's own name is meant for it; one for a domain above it, or a pattern,
 * lifts what lists say, and leaves the safe mode. */
static bool lifts_safe_mode(const struct snapshot *snapshot, const struct verdict *verdict)
{
    return verdict->reason == REASON_RULE_ALLOW && verdict->skip == 0 &&
           !*snapshot_rule(snapshot, verdict->rule)->pattern;
}

/* Rules, lists, services and times, for a name as it is written. */
static void decide_name(const struct snapshot *snapshot, const struct subject *subject,
                        const struct found_marks *marks, struct verdict *verdict)
{
    if (snapshot->db) {
        const struct listing listing =
            listing_of(snapshot, subject, snapshot->effective[subject->group].blocked);
        listing_judge(&listing, verdict);
    }
    struct rule_match match = rules_find(snapshot->parts.rules, subject->name, subject->group);
    if (match.rule >= 0) {
        apply_rule(snapshot, &match, verdict);
    } else {
        apply_built_in(snapshot, subject, marks, verdict);
    }
}

/* What can be mistaken for a blocked name is blocked as that is. */
static void apply_lookalike(const struct snapshot *snapshot, const struct subject *subject,
                            struct verdict *verdict)
{
    const struct effective_group *effective = &snapshot->effective[subject->group];
    struct dname plain;
    if (!effective->look_alikes || !effective->filters || verdict->reason == REASON_RULE_ALLOW ||
        verdict->reason == REASON_PROTECTED || !lookalike_find(subject->name, &plain)) {
        return;
    }
    struct blockdb_probe probe;
    struct found_marks marks;
    struct verdict meant = {.reason = REASON_NONE, .rule = -1, .mode = MODE_UNSET};
    const struct subject twin = {&plain, &probe, subject->group};
    snapshot_probe(snapshot, &plain, &probe);
    marks.count = effective->marks ? marks_find(snapshot->marks, &plain, marks.items) : 0;
    decide_name(snapshot, &twin, &marks, &meant);
    if (meant.blocked) {
        *verdict = meant;
        verdict->reason = REASON_LOOK_ALIKE;
        verdict->rule = -1;
    }
}

void policy_decide(const struct snapshot *snapshot, const struct subject *subject,
                   struct verdict *ret_verdict)
{
    const struct effective_group *effective = &snapshot->effective[subject->group];
    struct verdict verdict = {.reason = REASON_NONE, .rule = -1, .mode = MODE_UNSET};
    struct found_marks marks;
    if (effective->paused) {
        verdict.reason = REASON_PAUSED;
        *ret_verdict = verdict;
        return;
    }
    marks.count = effective->marks ? marks_find(snapshot->marks, subject->name, marks.items) : 0;
    decide_name(snapshot, subject, &marks, &verdict);
    if (!verdict.blocked) {
        apply_lookalike(snapshot, subject, &verdict);
    }
    if (verdict.blocked) {
        verdict.mode = verdict_mode(snapshot, &verdict, subject->group);
    } else if (!lifts_safe_mode(snapshot, &verdict)) {
        apply_safe(snapshot, subject->group, &marks, &verdict);
    }
    *ret_verdict = verdict;
}

bool verdict_is_listed(const struct verdict *verdict)
{
    return verdict->blocked && verdict->reason != REASON_RULE_BLOCK &&
           verdict->reason != REASON_CANARY;
}

const struct dname *verdict_target(const struct snapshot *snapshot, const struct verdict *verdict,
                                   uint16_t group)
{
    if (verdict->reason != REASON_SAFE_SEARCH) {
        return NULL;
    }
    uint16_t item = (uint16_t)(verdict->mark - 1);
    bool moderate = snapshot->effective[group].youtube == YOUTUBE_MODERATE;
    return marks_target(snapshot->marks, item, moderate);
}
