// SPDX-License-Identifier: Apache-2.0
#include "query/guard.h"

#include <errno.h>

#include "query/query.h"

enum { REFUSALS_PER_S = 5, SLIP_EVERY = 2 };

/* Whose bucket: of addresses that are proven, that may be forged, of strangers. */
enum { KIND_PROVEN, KIND_CLAIMED, KIND_STRANGER };

int guard_init(struct guard *guard)
{
    hash_key_random(&guard->cookie_secret);
    guard->buckets = bucket_table_new();
    return guard->buckets ? 0 : -ENOMEM;
}

void guard_clear(struct guard *guard)
{
    bucket_table_free(guard->buckets);
    guard->buckets = NULL;
}

/* Is the address the client's own? The reply's cookie is written on the way. */
static bool prove(struct query *query)
{
    struct question *question = &query->question;
    bool proven = query->channel->transport != STATS_UDP;
    question->keepalive &= proven; /* RFC 7828 section 3.2.2: never over UDP */
    /* Padded or not (RFC 7830 section 4), but never in the clear (section 6). */
    question->padded = question->edns && query->channel->transport == STATS_TLS;
    if (question->cookie_len) {
        proven |= cookie_is_ours(&query->worker->cookies, &query->client, question);
        cookie_bake(&query->worker->cookies, &query->client, question->cookie);
    }
    return proven;
}

static bool is_exempt(const struct query *query)
{
    return addr_is_loopback(&query->client) ||
           snapshot_is_forwarder(query->worker->snapshot, &query->client);
}

enum guard_verdict guard_check(struct query *query)
{
    struct query_worker *worker = query->worker;
    bool proven = prove(query);
    uint32_t limit = (uint32_t)worker->snapshot->config->dns.rate_limit_qps;
    if (limit == 0 || is_exempt(query)) {
        return GUARD_PASS;
    }
    const struct bucket_claim claim = {&query->client, proven ? KIND_PROVEN : KIND_CLAIMED, false,
                                       limit};
    if (bucket_take(worker->guard->buckets, &claim, worker->now_us)) {
        return GUARD_PASS;
    }
    if (proven) {
        return GUARD_REFUSE;
    }
    if (query->outcome == QUESTION_FORMERR || query->outcome == QUESTION_NOTIMP ||
        ++worker->over_limit % SLIP_EVERY) {
        return GUARD_DROP;
    }
    return query->question.cookie_len ? GUARD_COOKIE : GUARD_SLIP;
}

bool guard_admits_refusal(struct query *query)
{
    struct query_worker *worker = query->worker;
    const struct bucket_claim claim = {&query->client, KIND_STRANGER, true, REFUSALS_PER_S};
    if (worker->refusals_left == 0 ||
        !bucket_take(worker->guard->buckets, &claim, worker->now_us)) {
        return false;
    }
    worker->refusals_left--;
    return true;
}
