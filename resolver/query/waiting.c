// SPDX-License-Identifier: Apache-2.0
#include "query/waiting.h"

static void count(struct query_worker *worker, int by)
{
    uint32_t now = atomic_load_explicit(&worker->waiting_count, memory_order_relaxed);
    atomic_store_explicit(&worker->waiting_count, now + (uint32_t)by, memory_order_relaxed);
}

/* Records are handed out in order at first, so that unused ones stay untouched. */
static struct waiting *take_record(struct query_worker *worker)
{
    struct waiting *waiting = worker->waiting_free;
    if (waiting) {
        worker->waiting_free = waiting->next_free;
        return waiting;
    }
    return worker->waiting_made < WAITING_MAX ? &worker->waiting[worker->waiting_made++] : NULL;
}

static void give_back(struct waiting *waiting)
{
    struct query_worker *worker = waiting->worker;
    for (unsigned i = 0; i < 2; i++) {
        worker->waiting_clients[waiting->slots[i]]--;
    }
    waiting->next_free = worker->waiting_free;
    worker->waiting_free = waiting;
}

static uint16_t slot_of(const struct query *query, size_t octets)
{
    return hash_keyed(&query->worker->clients_key, query->client.bytes, octets) % WAITING_CLIENTS;
}

/* The counters of the client and its IPv6 network; this host and trusted forwarders, who
 * ask for many, have none. */
static void find_slots(const struct query *query, uint16_t slots[2])
{
    const struct addr *client = &query->client;
    bool counted =
        !addr_is_loopback(client) && !snapshot_is_forwarder(query->worker->snapshot, client);
    bool networked = counted && client->family == AF_INET6;
    slots[0] = counted ? slot_of(query, addr_octets(client)) : WAITING_CLIENTS;
    slots[1] = networked ? slot_of(query, ADDR_NETWORK) : WAITING_CLIENTS;
}

static bool has_enough(const struct query_worker *worker, const uint16_t slots[2])
{
    return (slots[0] < WAITING_CLIENTS &&
            worker->waiting_clients[slots[0]] >= WAITING_CLIENT_MAX) ||
           (slots[1] < WAITING_CLIENTS && worker->waiting_clients[slots[1]] >= WAITING_NETWORK_MAX);
}

struct waiting *waiting_take(const struct query *query, enum query_drop *ret_why)
{
    const struct question *question = &query->question;
    struct query_worker *worker = query->worker;
    uint16_t slots[2];
    find_slots(query, slots);
    *ret_why = worker->asks_left == 0 ? DROP_OVERLOAD : DROP_WAITING_CLIENT;
    if (worker->asks_left == 0 || has_enough(worker, slots)) {
        return NULL;
    }
    struct waiting *waiting = take_record(worker);
    *ret_why = DROP_WAITING_FULL;
    if (!waiting) {
        return NULL;
    }
    worker->asks_left -= worker->asks_left < UINT32_MAX;
    for (unsigned i = 0; i < 2; i++) {
        waiting->slots[i] = slots[i];
        worker->waiting_clients[slots[i]]++;
    }
    waiting->worker = query->worker;
    waiting->channel = query->channel;
    waiting->started_us = query->started_us;
    waiting->client = query->client;
    waiting->local = query->local;
    waiting->id = question->id;
    waiting->flags = question->flags;
    waiting->udp_size = question->udp_size;
    waiting->question_len = question->wire_len;
    waiting->edns = question->edns;
    waiting->dnssec_ok = question->dnssec_ok;
    waiting->aliased = query->aliased;
    waiting->keepalive = question->keepalive;
    waiting->padded = question->padded;
    waiting->has_mac = question->has_mac;
    memcpy(waiting->mac, question->mac, sizeof(waiting->mac));
    waiting->cookie_len = question->cookie_len;
    memcpy(waiting->cookie, question->cookie, sizeof(waiting->cookie));
    waiting->watched = waiting->answered = false;
    memcpy(waiting->question, query->packet + DNS_HEADER, question->wire_len);
    count(query->worker, 1);
    query->channel->hold(query->channel);
    return waiting;
}

void waiting_restore(struct waiting *waiting, struct query *query,
                     uint8_t packet[DNS_HEADER + DNAME_WIRE_MAX + 4])
{
    struct question *question = &query->question;
    query->worker = waiting->worker;
    query->channel = waiting->channel;
    query->client = waiting->client;
    query->local = waiting->local;
    query->started_us = waiting->started_us;
    memset(packet, 0, DNS_HEADER);
    memcpy(packet + DNS_HEADER, waiting->question, waiting->question_len);
    query->packet = packet;
    query->packet_len = DNS_HEADER + (size_t)waiting->question_len;
    if (question_reread(waiting->question, waiting->question_len, question) == 0) {
        query->outcome = QUESTION_OK; /* it was parsed before: this cannot fail */
    }
    question->id = waiting->id;
    question->flags = waiting->flags;
    question->udp_size = waiting->udp_size;
    question->edns = waiting->edns;
    question->dnssec_ok = waiting->dnssec_ok;
    question->keepalive = waiting->keepalive;
    question->padded = waiting->padded;
    question->has_mac = waiting->has_mac;
    memcpy(question->mac, waiting->mac, sizeof(question->mac));
    question->cookie_len = waiting->cookie_len;
    memcpy(question->cookie, waiting->cookie, sizeof(question->cookie));
}

void waiting_watch(struct waiting *waiting)
{
    struct query_worker *worker = waiting->worker;
    waiting->watched = true;
    waiting->later = NULL;
    waiting->sooner = worker->watched_last;
    *(worker->watched_last ? &worker->watched_last->later : &worker->watched_first) = waiting;
    worker->watched_last = waiting;
}

void waiting_unwatch(struct waiting *waiting)
{
    struct query_worker *worker = waiting->worker;
    if (waiting->watched) {
        waiting->watched = false;
        *(waiting->sooner ? &waiting->sooner->later : &worker->watched_first) = waiting->later;
        *(waiting->later ? &waiting->later->sooner : &worker->watched_last) = waiting->sooner;
    }
}

void waiting_answered(struct waiting *waiting)
{
    waiting->answered = true;
    count(waiting->worker, -1);
}

void waiting_end(struct waiting *waiting)
{
    waiting_unwatch(waiting);
    if (!waiting->answered) {
        count(waiting->worker, -1);
    }
    give_back(waiting);
}

void waiting_drop(struct waiting *waiting)
{
    waiting->channel->release(waiting->channel);
    waiting_end(waiting);
}
