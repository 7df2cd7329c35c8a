// SPDX-License-Identifier: Apache-2.0
#include "query/asking.h"

#include <errno.h>
#include <stdlib.h>

#include "query/action.h"
#include "query/waiting.h"

enum { ASK_AGAIN_MS = 2000 };

struct cache_key asking_key(const struct query *query)
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
    const struct cache_key key = asking_key(query);
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
enum step asking_recall(struct query *query)
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
    const struct cache_key key = asking_key(query);
    int err = cache_failed(worker->cache, &key, worker->now_us / 1000);
    if (err < 0 && found) {
        use_copy(query);
    } else {
        query->failure = err;
    }
    return STEP_NEXT;
}

/* Our own want, no server's fault; it must not stay unseen. */
static void note_shortage(const struct query *query, int err)
{
    if (err == -ENOBUFS || err == -EMFILE || err == -ENFILE || err == -ENOMEM) {
        query_count_drop(query->worker->drops, DROP_NO_SOCKET);
    }
}

enum step asking_ask(struct query *query)
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
    note_shortage(query, err);
    if (query->stale) {
        use_copy(query);
    } else {
        query->failure = err;
    }
    return STEP_NEXT;
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
        const struct cache_key key = asking_key(query);
        cache_note_failure(query->worker->cache, &key, query->worker->now_us / 1000, err);
    }
}

/* Another worker failed, or its answer could not be kept: to ask anew is right only
 * while the client still waits. */
static bool waited_long(const struct query *query)
{
    return query->worker->now_us - query->started_us > ASK_AGAIN_MS * 1000ULL;
}

void asking_on_answer(struct upstream_waiter *waiter, const struct upstream_result *result)
{
    struct waiting *waiting = (struct waiting *)waiter;
    struct query *query = waiting->worker->resumed;
    struct query_channel *channel = waiting->channel;
    uint8_t packet[DNS_HEADER + DNAME_WIRE_MAX + 4];
    query_reset(query);
    waiting_restore(waiting, query, packet);
    bool answered = waiting->answered;
    bool aliased = waiting->aliased; /* then the question's own name was not asked */
    waiting_end(waiting);
    query_tick(query->worker);
    note_shortage(query, result->err);
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
    if (result->err != -ECANCELED) {
        query_restart(query);
    }
    channel->release(channel);
}

/* True when it was answered. */
static bool answer_stale(struct waiting *waiting)
{
    struct query *query = waiting->worker->resumed;
    uint8_t packet[DNS_HEADER + DNAME_WIRE_MAX + 4];
    query_reset(query);
    waiting_restore(waiting, query, packet);
    if (!look_up(query, stale_limit(query))) {
        return false;
    }
    use_copy(query);
    note_failure(query, -ETIMEDOUT);
    query_restart(query);
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

struct waiting *asking_pool_new(void)
{
    return calloc(WAITING_MAX, sizeof(struct waiting));
}
