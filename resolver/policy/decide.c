// SPDX-License-Identifier: Apache-2.0
#include "policy/decide.h"

#include <string.h>

#include "base/hash.h"
#include "policy/listing.h"
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

static int8_t choose_mode(const struct snapshot *snapshot, const struct verdict *verdict,
                          uint16_t group)
{
    if (verdict->reason == REASON_CANARY) {
        return MODE_NXDOMAIN; /* the one answer that those who ask understand */
    }
    if (verdict->action == BLOCKDB_NXDOMAIN || verdict->action == BLOCKDB_NODATA) {
        return verdict->action == BLOCKDB_NXDOMAIN ? MODE_NXDOMAIN : MODE_NODATA;
    }
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

/* What would be blocked but for a protected name, which only rules may touch. */
static void apply_protection(const struct snapshot *snapshot, const struct dname *name,
                             struct verdict *verdict)
{
    int skip = rules_protects(snapshot->rules, name);
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
    int skip = snapshot->effective[subject->group].blocked
                   ? rules_canary(snapshot->rules, subject->name)
                   : -1;
    if (skip >= 0) {
        *verdict = (struct verdict){
            .blocked = true, .reason = REASON_CANARY, .skip = (uint8_t)skip, .rule = -1};
    }
}

/* What no local rule decides. */
static void apply_built_in(const struct snapshot *snapshot, const struct subject *subject,
                           struct verdict *verdict)
{
    apply_canary(snapshot, subject, verdict);
    if (verdict->blocked || verdict->shadowed || verdict->reason == REASON_TCP_ONLY) {
        apply_protection(snapshot, subject->name, verdict);
    }
}

void policy_decide(const struct snapshot *snapshot, const struct subject *subject,
                   struct verdict *ret_verdict)
{
    struct verdict verdict = {.reason = REASON_NONE, .rule = -1, .mode = MODE_UNSET};
    if (snapshot->db) {
        const struct listing listing = {snapshot->lists,
                                        snapshot->effective[subject->group].blocked, subject->name,
                                        subject->probe, NULL};
        listing_judge(&listing, &verdict);
    }
    struct rule_match match = rules_find(snapshot->rules, subject->name, subject->group);
    if (match.rule >= 0) {
        apply_rule(snapshot, &match, &verdict);
    } else {
        apply_built_in(snapshot, subject, &verdict);
    }
    if (verdict.blocked) {
        verdict.mode = choose_mode(snapshot, &verdict, subject->group);
    }
    *ret_verdict = verdict;
}

void policy_decide_address(const struct snapshot *snapshot, const struct subject *subject,
                           const struct addr *addr, struct verdict *ret_verdict)
{
    struct verdict verdict = {.reason = REASON_NONE, .rule = -1, .mode = MODE_UNSET};
    if (snapshot->db && blockdb_info(snapshot->db)->addresses) {
        const struct listing listing = {snapshot->lists,
                                        snapshot->effective[subject->group].blocked, subject->name,
                                        subject->probe, addr};
        listing_judge(&listing, &verdict);
    }
    if (verdict.blocked) {
        verdict.mode = choose_mode(snapshot, &verdict, subject->group);
    }
    *ret_verdict = verdict;
}

void verdict_ref(const struct verdict *verdict, const struct dname *name, char out[REF_MAX])
{
    /* Base 32 without letters that look alike (Crockford). */
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    size_t len;
    bool of_name = verdict->reason != REASON_LIST_ADDRESS; /* else skip counts bits */
    const uint8_t *suffix = dname_suffix(name, of_name ? verdict->skip : 0, &len);
    uint64_t which = verdict->class_id ? verdict->class_id : (uint64_t)verdict->pattern;
    uint64_t bits = which << 24 | (hash_seeded(0, suffix, len) & 0xffffff);
    for (unsigned i = 0; i < REF_MAX - 1; i++) {
        out[i] = digits[bits >> (35 - 5 * i) & 31];
    }
    out[REF_MAX - 1] = '\0';
}
