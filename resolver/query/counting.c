// SPDX-License-Identifier: Apache-2.0
#include "query/counting.h"

#include <errno.h>
#include <string.h>

#include "config/known.h"
#include "policy/geo.h"
#include "policy/rules.h"
#include "query/watch.h"
#include "stats/domains.h"

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

/* By the ids of bypass.yaml; one that is not known here is a listed name. */
static enum stats_way way_of_item(const char *id)
{
    static const struct {
        const char *id;
        enum stats_way way;
    } rows[] = {
        {"doh", STATS_WAY_DOH},         {"vpn", STATS_WAY_VPN},     {"proxy", STATS_WAY_PROXY},
        {"tor", STATS_WAY_TOR},         {"cache", STATS_WAY_PAGES}, {"translate", STATS_WAY_PAGES},
        {"address", STATS_WAY_ADDRESS},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].id, id) == 0) {
            return rows[i].way;
        }
    }
    return STATS_WAY_LISTED;
}

static enum stats_way way_of(const struct query *query)
{
    const struct snapshot *snapshot = query->worker->snapshot;
    const struct verdict *verdict = &query->verdict;
    if (!verdict->blocked || !snapshot->bypass || verdict->category != snapshot->bypass) {
        return STATS_WAY_NONE;
    }
    if (verdict->reason == REASON_CANARY) {
        return rules_canary_is_relay(snapshot->parts.rules, &query->question.name)
                   ? STATS_WAY_RELAY
                   : STATS_WAY_CANARY;
    }
    return verdict->mark ? way_of_item(snapshot->known->items[verdict->mark - 1].id)
                         : STATS_WAY_LISTED;
}

/* Names that were answered or blocked; what was refused or failed says nothing of a site. */
static void count_domain(const struct query *query, enum stats_verdict verdict)
{
    char name[DNAME_TEXT_MAX];
    if (verdict == STATS_REFUSED || verdict == STATS_FAILED) {
        return;
    }
    const struct domains_event event = {
        .name = dname_print(&query->question.name, name),
        .client = &query->client,
        .blocked = verdict == STATS_BLOCKED,
    };
    domains_count(query->worker->domains, &event);
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
        .way = (uint8_t)way_of(query),
        .country = query->verdict.blocked ? 0 : (uint16_t)geo_country_index(query->country),
        .latency_us = (uint32_t)(worker->now_us - query->started_us),
    };
    stats_count(worker->stats, &event);
    if (worker->domains) {
        count_domain(query, verdict);
    }
    if (worker->watch && atomic_load_explicit(&worker->watch->active, memory_order_relaxed)) {
        watch_note(worker->watch, query);
    }
}
