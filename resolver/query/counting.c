// SPDX-License-Identifier: Apache-2.0
#include "query/counting.h"

#include <errno.h>

#include "policy/geo.h"

static enum stats_verdict verdict_of(const struct query *query)
{
    bool refused = query->outcome != QUESTION_OK || query->verdict.reason == REASON_STRANGER;
    if (refused || query->guarded != GUARD_PASS || query->failure == -EPERM) {
        return STATS_REFUSED;
    }
    if (query->verdict.blocked) {
        return STATS_BLOCKED;
    }
    if (query->rcode == RCODE_SERVFAIL) {
        return STATS_FAILED;
    }
    return query->verdict.overrode   ? STATS_ALLOWED
           : query->verdict.shadowed ? STATS_SHADOW
                                     : STATS_ANSWERED;
}

void counting_add(const struct query *query)
{
    struct query_worker *worker = query->worker;
    const struct snapshot *snapshot = worker->snapshot;
    enum stats_verdict verdict = verdict_of(query);
    uint8_t category =
        verdict == STATS_SHADOW ? query->verdict.shadow_category : query->verdict.category;
    bool ours = query->verdict.blocked || !query->known;
    const struct stats_event event = {
        .group = snapshot->group_stats[query->group],
        .category = snapshot->categories[category].stats_id,
        .type = query->outcome == QUESTION_OK ? query->question.type : 0,
        .rcode = query->rcode,
        .verdict = (uint8_t)verdict,
        .transport = query->channel->transport,
        .origin = ours ? STATS_POLICY : query->origin,
        .country = query->verdict.blocked ? 0 : (uint16_t)geo_country_index(query->country),
        .latency_us = (uint32_t)(worker->now_us - query->started_us),
    };
    stats_count(worker->stats, &event);
}
