// SPDX-License-Identifier: Apache-2.0
#include "query/query.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "query/action.h"
#include "query/answering.h"
#include "query/counting.h"
#include "query/inspect.h"
#include "query/local.h"
#include "query/refresh.h"
#include "query/waiting.h"

enum { REFUSALS_PER_S = 100, ASK_AGAIN_MS = 2000 }; /* refusals: to all strangers together */

/* What a stage did. */
enum step {
    STEP_NEXT,
    STEP_REPLY, /* nothing more to find out */
    STEP_WAIT,  /* put aside; the slot is free */
    STEP_DROP,  /* silence */
};

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
    query->group = snapshot_group(worker->snapshot, &query->client);
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
    bool settled = verdict->blocked || truncated || query->question.type == TYPE_ANY;
    return settled && !query->aliased ? STEP_REPLY : STEP_NEXT;
}

static struct cache_key key_of(const struct query *query)
{
    return (struct cache_key){
        .name = action_sought(query),
        .type = query->question.type,
        .dnssec_ok = query->question.dnssec_ok,
        .checking_disabled = query->question.flags & FLAG_CD,
        .hash = query->hash,
    };
}

/* Look into the cache; with stale_s also for what has expired. */
static bool look_up(struct query *query, uint32_t stale_s)
{
    struct query_worker *worker = query->worker;
    const struct cache_key key = key_of(query);
    const struct cache_want want = {query->room, QUERY_ROOM, worker->now_s, stale_s};
    bool found = cache_get(worker->cache, &key, &want, &query->copy);
    query->stale = found && query->copy.left_s == 0;
    return found;
}

/* Nothing expired stands in for the target of local data. */
static uint32_t stale_limit(const struct query *query)
{
    return query->aliased ? 0 : (uint32_t)query->worker->snapshot->config->cache.serve_stale_s;
}

/* What was found stands for an answer. */
static void use_copy(struct query *query)
{
    query->known = true;
    query->origin = query->stale ? STATS_STALE : STATS_CACHE;
}

/* What failed a moment ago is not asked again: an expired answer stands in, if there is
 * one, else it has failed once more. */
static enum step recall(struct query *query)
{
    struct query_worker *worker = query->worker;
    if (query->known || query->failure) {
        return STEP_NEXT;
    }
    bool found = look_up(query, stale_limit(query));
    if (found && !query->stale) {
        use_copy(query);
        return STEP_NEXT;
    }
    const struct cache_key key = key_of(query);
    int err = cache_failed(worker->cache, &key, worker->now_s);
    if (err < 0 && found) {
        use_copy(query);
    } else {
        query->failure = err;
    }
    return STEP_NEXT;
}

static enum step ask(struct query *query)
{
    struct query_worker *worker = query->worker;
    if (query->known || query->failure) {
        return STEP_NEXT;
    }
    if (!(query->question.flags & FLAG_RD)) {
        query->failure = -EPERM; /* RFC 1034 section 4.3.1: only when it is desired */
        return STEP_NEXT;
    }
    enum query_drop why;
    struct waiting *waiting = waiting_take(query, &why);
    if (!waiting && query->stale) {
        use_copy(query);
        return STEP_NEXT;
    }
    if (!waiting) {
        query_count_drop(worker->drops, why);
        return STEP_DROP;
    }
    if (query->stale) {
        waiting_watch(waiting);
    }
    waiting->waiter.done = worker->answered;
    waiting->waiter.alone = query->again;
    waiting->waiter.client = &waiting->client;
    const struct ask what = {
        .name = *action_sought(query),
        .type = query->question.type,
        .dnssec_ok = query->question.dnssec_ok,
        .checking_disabled = query->question.flags & FLAG_CD,
    };
    int err = worker->ask(worker->ask_context, &what, &waiting->waiter);
    if (err == 0) {
        return STEP_WAIT;
    }
    waiting_drop(waiting);
    if (query->stale) {
        use_copy(query);
    } else {
        query->failure = err;
    }
    return STEP_NEXT;
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
    {"parse", parse},     /* header, one question, EDNS */
    {"guard", guard},     /* how much a client may ask; once, not again after a wait */
    {"admit", admit},     /* who may ask, and which group that is */
    {"local", own},       /* names that are answered here whatever lists say */
    {"decide", judge},    /* rules, lists -> verdict */
    {"recall", recall},   /* an answer known for this question? */
    {"ask", ask},         /* the upstream */
    {"inspect", inspect}, /* what the answer leads to passes decide too */
    {"reply", reply},     /* answer, block or refuse, with the extended error */
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

static void reset(struct query *query)
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
    query->aliased = false;
    query->failure = 0;
    query->hash = 0;
    query->verdict = (struct verdict){.rule = -1};
}

void query_begin(struct query *query)
{
    reset(query);
    (void)run_stages(query, STAGE_LOCAL);
}

void query_decide(struct query *query)
{
    if (query->stage < STAGE_RECALL) {
        (void)run_stages(query, STAGE_RECALL);
    }
    if (query->stage == STAGE_RECALL) {
        const struct cache_key key = key_of(query);
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

/* Lay an upstream's answer into the slot as if it came from the cache. */
static void take_answer(struct query *query, const struct answer *answer)
{
    size_t ttl_at = (answer->len + 1) & ~(size_t)1;
    memcpy(query->room, answer->wire, answer->len);
    memcpy(query->room + ttl_at, answer->ttl_at, answer->ttl_count * sizeof(uint16_t));
    query->copy = (struct cache_copy){
        .len = answer->len,
        .ttl_at = (const uint16_t *)(query->room + ttl_at),
        .ttl_count = answer->ttl_count,
        .left_s = answer->ttl,
    };
    query->known = true;
    query->origin = STATS_UPSTREAM;
}

/* No answer: an expired one may stand in (RFC 8767). */
static void take_failure(struct query *query, int err)
{
    if (look_up(query, stale_limit(query))) {
        use_copy(query);
        return;
    }
    query->failure = err;
}

/* Once an exchange has failed its question rests; what we had no room for may be asked
 * again at once. */
static void note_failure(const struct query *query, int err)
{
    if (err == -ETIMEDOUT || err == -EHOSTUNREACH || err == -EREMOTEIO) {
        const struct cache_key key = key_of(query);
        cache_note_failure(query->worker->cache, &key, query->worker->now_s, err);
    }
}

/* Another worker failed, or its answer could not be kept: to ask anew is right only
 * while the client still waits. */
static bool waited_long(const struct query *query)
{
    return query->worker->now_us - query->started_us > ASK_AGAIN_MS * 1000ULL;
}

static void on_answer(struct upstream_waiter *waiter, const struct upstream_result *result)
{
    struct waiting *waiting = (struct waiting *)waiter;
    struct query *query = waiting->worker->resumed;
    struct query_channel *channel = waiting->channel;
    uint8_t packet[DNS_HEADER + DNAME_WIRE_MAX + 4];
    reset(query);
    waiting_restore(waiting, query, packet);
    bool answered = waiting->answered;
    bool aliased = waiting->aliased; /* then the question's own name was not asked */
    waiting_end(waiting);
    query_tick(query->worker);
    if (!aliased) {
        note_failure(query, result->err);
    }
    if (answered) {
        return; /* the answer is in the cache by now */
    }
    if (result->answer) {
        take_answer(query, result->answer);
    } else if (aliased && result->err != -EAGAIN) {
        query->failure = result->err;
    } else if (result->err == -EAGAIN && !aliased && look_up(query, 0)) {
        query->known = true;
        query->origin = STATS_UPSTREAM;
    } else if (result->err != -EAGAIN || waited_long(query)) {
        take_failure(query, result->err);
    }
    query->again = result->err == -EAGAIN;
    query->stage = STAGE_ADMIT;
    if (result->err != -ECANCELED) {
        query_resume(query);
    }
    channel->release(channel);
}

/* True when it was answered. */
static bool answer_stale(struct waiting *waiting)
{
    struct query *query = waiting->worker->resumed;
    uint8_t packet[DNS_HEADER + DNAME_WIRE_MAX + 4];
    reset(query);
    waiting_restore(waiting, query, packet);
    if (!look_up(query, stale_limit(query))) {
        return false;
    }
    use_copy(query);
    note_failure(query, -ETIMEDOUT);
    query->stage = STAGE_ADMIT;
    query_resume(query);
    return true;
}

int query_stale_due_ms(const struct query_worker *worker)
{
    const struct waiting *first = worker->watched_first;
    if (!first) {
        return -1;
    }
    uint64_t due_us = first->started_us + STALE_AFTER_MS * 1000ULL;
    return due_us > worker->now_us ? (int)((due_us - worker->now_us + 999) / 1000) : 0;
}

void query_serve_stale(struct query_worker *worker)
{
    while (query_stale_due_ms(worker) == 0) {
        struct waiting *waiting = worker->watched_first;
        struct query_channel *channel = waiting->channel;
        waiting_unwatch(waiting);
        if (answer_stale(waiting)) {
            waiting_answered(waiting);
            channel->release(channel);
        }
    }
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
    worker->waiting = calloc(WAITING_MAX, sizeof(*worker->waiting));
    uint8_t *room = aligned_alloc(64, QUERY_ROOM + 64 - QUERY_ROOM % 64);
    worker->waiting_clients = calloc(WAITING_CLIENTS, sizeof(*worker->waiting_clients));
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
    worker->answered = on_answer;
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
