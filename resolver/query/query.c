// SPDX-License-Identifier: Apache-2.0
#include "query/query.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "query/action.h"
#include "query/answering.h"
#include "query/asking.h"
#include "query/counting.h"
#include "query/inspect.h"
#include "query/local.h"
#include "query/refresh.h"

enum { REFUSALS_PER_S = 100 }; /* to all strangers together */

/* A list wants silence: counted as a block, and as a drop. */
static enum step drop_blocked(struct query *query)
{
    query->rcode = STATS_RCODE_NONE;
    counting_add(query);
    query_count_drop(query->worker->drops, DROP_POLICY);
    return STEP_DROP;
}

static enum step parse(struct query *query)
{
    query->outcome = (uint8_t)question_parse(query->packet, query->packet_len, &query->question);
    query->started_us = query->worker->now_us;
    if (query->outcome == QUESTION_DROP) {
        query_count_drop(query->worker->drops, DROP_MALFORMED);
        return STEP_DROP;
    }
    return STEP_NEXT;
}

static enum step guard(struct query *query)
{
    query->guarded = (uint8_t)guard_check(query);
    if (query->guarded == GUARD_PASS) {
        return STEP_NEXT;
    }
    bool silent = query->guarded == GUARD_DROP;
    query_count_drop(query->worker->drops, silent ? DROP_RATE : DROP_SLIPPED);
    return silent ? STEP_DROP : STEP_REPLY;
}

static enum step admit(struct query *query)
{
    struct query_worker *worker = query->worker;
    query->group = asker_group(query);
    if (!snapshot_admits(worker->snapshot, &query->client)) {
        if (!guard_admits_refusal(query)) {
            query_count_drop(worker->drops, DROP_STRANGER);
            return STEP_DROP;
        }
        query->verdict.reason = REASON_STRANGER;
        return STEP_REPLY;
    }
    if (query->outcome != QUESTION_OK) {
        return STEP_REPLY;
    }
    asker_note(query);
    snapshot_probe(worker->snapshot, &query->question.name, &query->probe);
    return STEP_NEXT;
}

static enum step own(struct query *query)
{
    return local_judge(query) ? STEP_REPLY : STEP_NEXT;
}

static enum step judge(struct query *query)
{
    const struct subject subject = {&query->question.name, &query->probe, query->group};
    const struct verdict *verdict = &query->verdict;
    policy_decide(query->worker->snapshot, &subject, &query->verdict);
    action_choose_target(query);
    query->known = query->known && action_fits(query);
    if (verdict->blocked && verdict->action == BLOCKDB_DROP) {
        return drop_blocked(query);
    }
    bool truncated = verdict->reason == REASON_TCP_ONLY && query->channel->transport == STATS_UDP;
    bool settled =
        verdict->blocked || truncated || query->question.type == TYPE_ANY || action_rewrites(query);
    return settled && !query->aliased ? STEP_REPLY : STEP_NEXT;
}

static enum step inspect(struct query *query)
{
    if (query->known && !query->aliased) {
        inspect_answer(query);
    }
    bool silent = query->verdict.blocked && query->verdict.action == BLOCKDB_DROP;
    return silent ? drop_blocked(query) : STEP_NEXT;
}

static enum step reply(struct query *query)
{
    answering_write(query);
    return STEP_NEXT;
}

/* The life of a query. A blocked name jumps to reply; ask is the only stage that may
 * wait. */
static const struct {
    const char *name;
    enum step (*run)(struct query *query);
} stages[] = {
    {"parse", parse},          /* header, one question, EDNS */
    {"guard", guard},          /* how much a client may ask; once, not again after a wait */
    {"admit", admit},          /* who may ask, and which group that is */
    {"local", own},            /* names that are answered here whatever lists say */
    {"decide", judge},         /* rules, lists -> verdict */
    {"recall", asking_recall}, /* an answer known for this question? */
    {"ask", asking_ask},       /* the upstream */
    {"inspect", inspect},      /* what the answer leads to passes decide too */
    {"reply", reply},          /* answer, block or refuse, with the extended error */
};

enum { STAGE_PARSE, STAGE_ADMIT = 2, STAGE_LOCAL, STAGE_RECALL = 5, STAGE_REPLY = 8, STAGE_END };

/* The single exit of an answered query: send, count. */
static void finish(struct query *query)
{
    counting_add(query);
    query->channel->send(query->channel, query);
    bool cached = query->known && !query->verdict.blocked && query->origin == STATS_CACHE;
    if (cached && !query->aliased && refresh_is_due(query)) {
        refresh_start(query);
    }
}

/* Run stages from query->stage up to `end`; returns the last step. */
static enum step run_stages(struct query *query, unsigned end)
{
    enum step step = STEP_NEXT;
    while (query->stage < end && step == STEP_NEXT) {
        step = stages[query->stage++].run(query);
        if (step == STEP_REPLY) {
            query->stage = STAGE_REPLY;
            return step;
        }
    }
    if (step == STEP_WAIT || step == STEP_DROP) {
        query->stage = STAGE_END;
    }
    return step;
}

void query_reset(struct query *query)
{
    query->stage = STAGE_PARSE;
    query->origin = STATS_POLICY;
    query->outcome = QUESTION_OK;
    query->guarded = GUARD_PASS;
    query->group = 0; /* until it is admitted; of an older snapshot, perhaps */
    query->home = 0;
    query->rcode = 0;
    query->stale = false;
    query->again = false;
    query->ref[0] = '\0';
    query->known = false;
    query->country = 0;
    query->aliased = false;
    query->failure = 0;
    query->hash = 0;
    query->verdict = (struct verdict){.rule = -1};
}

void query_begin(struct query *query)
{
    query_reset(query);
    (void)run_stages(query, STAGE_LOCAL);
}

void query_decide(struct query *query)
{
    if (query->stage < STAGE_RECALL) {
        (void)run_stages(query, STAGE_RECALL);
    }
    if (query->stage == STAGE_RECALL) {
        const struct cache_key key = asking_key(query);
        query->hash = cache_find(query->worker->cache, &key);
    }
}

void query_fetch(const struct query *query)
{
    if (query->hash) {
        cache_fetch(query->worker->cache, query->hash);
    }
}

void query_resume(struct query *query)
{
    if (query->stage == STAGE_END) {
        return;
    }
    enum step step = run_stages(query, STAGE_END);
    if (step == STEP_REPLY) {
        step = run_stages(query, STAGE_END);
    }
    if (step == STEP_NEXT) {
        finish(query);
    }
}

void query_restart(struct query *query)
{
    query->stage = STAGE_ADMIT;
    query_resume(query);
}

void query_remember(struct query_worker *worker, const struct ask *what,
                    const struct answer *answer)
{
    const struct cache_key key = {&what->name, what->type, what->dnssec_ok,
                                  what->checking_disabled};
    const struct cache_mark mark = {
        .generation = worker->snapshot->generation,
        .tag = inspect_tag(worker->snapshot, answer->wire, answer->len),
        .now_s = worker->now_s,
    };
    cache_put(worker->cache, &key, answer, &mark);
}

void query_tick(struct query_worker *worker)
{
    worker->now_us = clock_mono_us(worker->clock);
    uint32_t now_s = (uint32_t)(worker->now_us / 1000000);
    if (now_s != worker->now_s) {
        worker->now_s = now_s;
        worker->refusals_left = REFUSALS_PER_S;
        cookie_jar_tick(&worker->cookies, clock_wall_s(worker->clock));
    }
}

int query_worker_init(struct query_worker *worker)
{
    worker->resumed = calloc(1, sizeof(*worker->resumed));
    worker->waiting = asking_pool_new();
    uint8_t *room = aligned_alloc(64, QUERY_ROOM + 64 - QUERY_ROOM % 64);
    worker->waiting_clients = calloc(WAITING_CLIENTS + 1, sizeof(*worker->waiting_clients));
    worker->refreshes = refresh_pool_new(worker);
    worker->aside = malloc(DNS_MESSAGE_MAX);
    bool whole = worker->resumed && worker->waiting && worker->waiting_clients &&
                 worker->refreshes && worker->aside;
    if (!whole || !room) {
        free(room);
        query_worker_clear(worker);
        return -ENOMEM;
    }
    worker->resumed->room = room;
    worker->answered = asking_on_answer;
    cookie_jar_init(&worker->cookies, &worker->guard->cookie_secret, clock_wall_s(worker->clock));
    hash_key_random(&worker->clients_key);
    query_batch(worker, false);
    query_tick(worker);
    return 0;
}

void query_worker_clear(struct query_worker *worker)
{
    if (worker->resumed) {
        free(worker->resumed->room);
    }
    free(worker->resumed);
    free(worker->waiting);
    free(worker->refreshes);
    free(worker->waiting_clients);
    free(worker->aside);
    worker->aside = NULL;
    worker->waiting_clients = NULL;
    worker->resumed = NULL;
    worker->waiting = NULL;
    worker->refreshes = NULL;
}
