// SPDX-License-Identifier: Apache-2.0
#include "query/inspect.h"

#include <errno.h>

#include "dns/addresses.h"
#include "policy/geo.h"

static int stop_at_touched(void *context, const struct dname *target)
{
    return snapshot_touches(context, target) ? -EEXIST : 0;
}

static int stop_at_touched_address(void *context, const struct addr *addr)
{
    return snapshot_touches_address(context, addr) ? -EEXIST : 0;
}

static bool touches_any(const struct snapshot *snapshot, const uint8_t *wire, size_t len)
{
    if (answer_walk_targets(wire, len, stop_at_touched, (void *)snapshot) < 0) {
        return true;
    }
    return snapshot_judges_addresses(snapshot) &&
           addresses_walk(wire, len, stop_at_touched_address, (void *)snapshot) < 0;
}

struct survey {
    const struct geo *geo;
    uint16_t country;
};

/* The first address tells where an answer leads. */
static int take_country(void *context, const struct addr *addr)
{
    struct survey *survey = context;
    survey->country = geo_find(survey->geo, addr).country;
    return -EEXIST;
}

uint64_t inspect_tag(const struct snapshot *snapshot, const uint8_t *wire, size_t len)
{
    struct survey survey = {snapshot->parts.geo, 0};
    if (survey.geo && addresses_walk(wire, len, take_country, &survey) == -EBADMSG) {
        return INSPECT_TOUCHED;
    }
    return (touches_any(snapshot, wire, len) ? INSPECT_TOUCHED : 0) | (uint64_t)survey.country
                                                                          << INSPECT_COUNTRY;
}

bool inspect_blocks(const struct snapshot *snapshot, const struct subject *asked,
                    const struct dname *target, struct verdict *ret_verdict)
{
    struct blockdb_probe probe;
    const struct subject subject = {target, &probe, asked->group};
    snapshot_probe(snapshot, target, &probe);
    policy_decide(snapshot, &subject, ret_verdict);
    bool unchosen =
        !ret_verdict->mark && !ret_verdict->class_id && !ret_verdict->pattern &&
        (ret_verdict->reason == REASON_NOT_CHOSEN || ret_verdict->reason == REASON_SCHEDULE);
    if (unchosen || ((verdict_is_listed(ret_verdict) || ret_verdict->shadowed) &&
                     snapshot_protects(snapshot, asked->name))) {
        ret_verdict->blocked = ret_verdict->shadowed = false;
    }
    return ret_verdict->blocked;
}

bool inspect_blocks_address(const struct snapshot *snapshot, const struct subject *asked,
                            const struct addr *addr, struct verdict *ret_verdict)
{
    policy_decide_address(snapshot, asked, addr, ret_verdict);
    if ((ret_verdict->blocked || ret_verdict->shadowed) &&
        snapshot_protects(snapshot, asked->name)) {
        ret_verdict->blocked = ret_verdict->shadowed = false;
    }
    return ret_verdict->blocked;
}

/* Not blocked: what a source that only counts says of it is remembered. */
static int keep_shadow(struct query *query, const struct verdict *verdict)
{
    if (verdict->shadowed && !query->verdict.shadowed) {
        query->verdict.shadowed = true;
        query->verdict.shadow_category = verdict->shadow_category;
        query->verdict.shadow_source = verdict->shadow_source;
    }
    return 0;
}

static int stop_at_blocked(void *context, const struct dname *target)
{
    struct query *query = context;
    struct verdict verdict;
    const struct subject asked = {&query->question.name, &query->probe, query->group};
    if (!inspect_blocks(query->worker->snapshot, &asked, target, &verdict)) {
        return keep_shadow(query, &verdict);
    }
    query->verdict = verdict;
    verdict_ref(&verdict, target, query->ref);
    return -EEXIST;
}

static int stop_at_blocked_address(void *context, const struct addr *addr)
{
    struct query *query = context;
    struct verdict verdict;
    const struct subject asked = {&query->question.name, &query->probe, query->group};
    if (!inspect_blocks_address(query->worker->snapshot, &asked, addr, &verdict)) {
        return keep_shadow(query, &verdict);
    }
    query->verdict = verdict;
    return -EEXIST;
}

/* Names first: they say more of why. */
static int judge_answer(struct query *query)
{
    int err = answer_walk_targets(query->room, query->copy.len, stop_at_blocked, query);
    if (err == 0 && snapshot_judges_addresses(query->worker->snapshot)) {
        err = addresses_walk(query->room, query->copy.len, stop_at_blocked_address, query);
    }
    return err;
}

void inspect_answer(struct query *query)
{
    const struct snapshot *snapshot = query->worker->snapshot;
    struct cache_copy *copy = &query->copy;
    if (copy->generation != snapshot->generation) {
        copy->tag = inspect_tag(snapshot, query->room, copy->len);
        copy->generation = snapshot->generation;
        if (query->origin == STATS_CACHE) {
            cache_tag(query->worker->cache, copy, copy->generation, copy->tag);
        }
    }
    query->country = (uint16_t)(copy->tag >> INSPECT_COUNTRY);
    if (query->verdict.reason == REASON_RULE_ALLOW) {
        return; /* who allows a name means what it leads to as well */
    }
    if (copy->tag & INSPECT_TOUCHED && judge_answer(query) == -EBADMSG) {
        query->failure = -EBADMSG;
    }
}
