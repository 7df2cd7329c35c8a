// SPDX-License-Identifier: Apache-2.0
#include "query/inspect.h"

#include <errno.h>

static int stop_at_touched(void *context, const struct dname *target)
{
    return snapshot_touches(context, target) ? -EEXIST : 0;
}

uint64_t inspect_tag(const struct snapshot *snapshot, const uint8_t *wire, size_t len)
{
    return answer_walk_targets(wire, len, stop_at_touched, (void *)snapshot) < 0;
}

bool inspect_blocks(const struct snapshot *snapshot, const struct subject *asked,
                    const struct dname *target, struct verdict *ret_verdict)
{
    struct blockdb_probe probe;
    const struct subject subject = {target, &probe, asked->group};
    snapshot_probe(snapshot, target, &probe);
    policy_decide(snapshot, &subject, ret_verdict);
    return ret_verdict->blocked &&
           !(ret_verdict->reason == REASON_LIST && snapshot_protects(snapshot, asked->name));
}

static int stop_at_blocked(void *context, const struct dname *target)
{
    struct query *query = context;
    struct verdict verdict;
    const struct subject asked = {&query->question.name, NULL, query->group};
    if (!inspect_blocks(query->worker->snapshot, &asked, target, &verdict)) {
        return 0;
    }
    query->verdict = verdict;
    verdict_ref(&verdict, target, query->ref);
    return -EEXIST;
}

void inspect_answer(struct query *query)
{
    const struct snapshot *snapshot = query->worker->snapshot;
    struct cache_copy *copy = &query->copy;
    if (query->verdict.reason == REASON_RULE_ALLOW) {
        return; /* who allows a name means what it leads to as well */
    }
    if (copy->generation != snapshot->generation) {
        copy->tag = inspect_tag(snapshot, query->room, copy->len);
        copy->generation = snapshot->generation;
        if (query->origin == STATS_CACHE) {
            cache_tag(query->worker->cache, copy, copy->generation, copy->tag);
        }
    }
    if (copy->tag != 0 &&
        answer_walk_targets(query->room, copy->len, stop_at_blocked, query) == -EBADMSG) {
        query->failure = -EBADMSG;
    }
}
