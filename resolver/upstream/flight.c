// SPDX-License-Identifier: Apache-2.0
/* What becomes of a question: whom to ask, what an answer means, when to give up. */
#include "upstream/flight.h"

#include <errno.h>
#include <stdlib.h>

#include "upstream/chase.h"
#include "upstream/claim.h"
#include "upstream/cookie.h"

enum {
    ATTEMPTS_MAX = 5,
    SILENT_TRIES = 3, /* of them over UDP, before TCP is tried */
    LEAST_LEFT_MS = 100,
    PARALLEL = 3,  /* servers asked at once by that strategy */
    CIRCLED = 2,   /* more than one: beside a server on this machine clients ask from its address */
    HOLD_MS = 150, /* after all have said no: a true answer may follow a forged one */
};

static void on_timer_closed(uv_handle_t *handle)
{
    struct flight *flight = handle->data;
    struct upstream *upstream = flight->upstream;
    free(flight);
    upstream->flights--;
    upstream_release(upstream);
}

void flight_end_attempts(struct flight *flight)
{
    while (flight->open[0]) {
        attempt_remove(flight->open[0]);
    }
}

void flight_finish(struct flight *flight, const struct upstream_result *result)
{
    struct upstream *upstream = flight->upstream;
    struct flight **at = &upstream->buckets[flight->hash % FLIGHT_BUCKETS];
    while (*at != flight) {
        at = &(*at)->next;
    }
    *at = flight->next;
    upstream->borrowed -= flight->borrowed;
    if (flight->claimed) {
        claim_give_back(upstream->setup.claims, flight->hash);
    }
    chase_drop(flight);
    flight_end_attempts(flight);
    uv_close((uv_handle_t *)&flight->timer, on_timer_closed);
    for (struct upstream_waiter *waiter = flight->waiters, *next; waiter; waiter = next) {
        next = waiter->next;
        waiter->done(waiter, result);
    }
    chase_tell(flight, result);
}

static void fail(struct flight *flight)
{
    const struct upstream_result result = {.err = flight->worst};
    flight_finish(flight, &result);
}

/* Not the server's fault: we have no socket or memory left. */
static bool is_shortage(int err)
{
    return err == -EMFILE || err == -ENFILE || err == -ENOBUFS || err == -ENOMEM;
}

/* An attempt over that transport to that server; counts it as sent. */
static int start_attempt(struct flight *flight, int index)
{
    struct server *server = &flight->upstream->table.servers[index];
    bool stream = flight->use_tcp || server_wants_tcp(server);
    uint32_t serial = server->serial;
    flight->streamed = stream;
    server_asked(server);
    int err = stream ? channel_attempt_start(flight, index) : udp_attempt_start(flight, index);
    if (err < 0) {
        /* our own shortage is no failure of the question */
        flight->worst = is_shortage(err) ? err : -EHOSTUNREACH;
        if (!is_shortage(err) && server->serial == serial) {
            upstream_note_failure(flight->upstream, server);
        }
    }
    return err;
}

/* What is open was not answered in time. */
static void note_silence(struct flight *flight)
{
    for (unsigned i = 0; i < FLIGHT_OPEN && flight->open[i]; i++) {
        struct attempt *attempt = flight->open[i];
        struct server *server = attempt_server(attempt);
        if (server && !attempt->reacted && !attempt->blamed) {
            upstream_note_failure(flight->upstream, server);
        }
        attempt->blamed = true;
    }
}

static uint32_t time_left_ms(const struct flight *flight)
{
    uint64_t now = clock_mono_us(flight->upstream->setup.clock);
    return now < flight->deadline_us ? (uint32_t)((flight->deadline_us - now) / 1000) : 0;
}

static void wait_for(struct flight *flight, uint32_t ms, uv_timer_cb after)
{
    uint32_t left = time_left_ms(flight);
    uv_timer_start(&flight->timer, after, ms < left ? ms : left, 0);
}

static void on_deadline(uv_timer_t *timer)
{
    fail(timer->data);
}

static void on_held(uv_timer_t *timer);

/* There is nothing left to try. */
static void give_up(struct flight *flight)
{
    if (flight_has_hope(flight) && time_left_ms(flight) >= LEAST_LEFT_MS) {
        wait_for(flight, time_left_ms(flight), on_deadline);
        return;
    }
    bool more = flight_has_udp(flight) || flight->damaged;
    if (flight->holding || flight->repeated || !more || time_left_ms(flight) < LEAST_LEFT_MS) {
        fail(flight);
        return;
    }
    flight->holding = true;
    wait_for(flight, HOLD_MS, on_held);
}

/* How many servers to ask together now. */
static unsigned crowd_of(const struct flight *flight)
{
    bool parallel = flight->upstream->table.plan->strategy == STRATEGY_PARALLEL;
    return parallel && flight->attempts == 0 && !flight->probe ? PARALLEL : 1;
}

static bool is_spent(const struct flight *flight)
{
    return (flight->circled >= CIRCLED && flight->attempts) || flight->attempts >= ATTEMPTS_MAX ||
           flight->packets >= flight->packets_max || time_left_ms(flight) < LEAST_LEFT_MS;
}

static uint32_t patience_ms(const struct flight *flight, int index)
{
    const struct server_table *table = &flight->upstream->table;
    bool stream = flight->use_tcp || server_wants_tcp(&table->servers[index]);
    unsigned servers = (unsigned)__builtin_popcountll(flight->allowed);
    return stream ? table->plan->timeout_ms
                  : server_patience_ms(table, index, flight->attempts / (servers ? servers : 1));
}

/* The other servers of the first turn, for the parallel strategy. */
static void ask_others(struct flight *flight, unsigned count)
{
    for (unsigned i = 1; i < count && (flight->tried & flight->allowed) != flight->allowed &&
                         flight->packets < flight->packets_max;
         i++) {
        int index = server_choose(&flight->upstream->table, flight->allowed, &flight->tried);
        if (index < 0 || start_attempt(flight, index) < 0) {
            return;
        }
    }
}

/* Ask the next server; called at the start, when patience is over, and when a server
 * refused. Gives up when there is nothing left to try. */
static void attempt_next(struct flight *flight, uv_timer_cb patience_over)
{
    for (int err = 0; !is_shortage(err) && !is_spent(flight);) {
        int index = server_choose(&flight->upstream->table, flight->allowed, &flight->tried);
        if (index < 0) {
            flight->worst = -EHOSTUNREACH;
            break;
        }
        unsigned crowd = crowd_of(flight);
        uint32_t patience = patience_ms(flight, index);
        err = start_attempt(flight, index);
        if (err == 0) {
            ask_others(flight, crowd);
        }
        flight->attempts++;
        if (err == 0) {
            wait_for(flight, patience, patience_over);
            return;
        }
    }
    give_up(flight);
}

/* The next try goes over TCP when UDP brought what was not for us (RFC 5452 section 9.3) or
 * nothing for a while, as where its packets do not pass, and over UDP when TCP was silent. */
static void change_transport(struct flight *flight)
{
    bool strange = flight->use_tcp || flight->attempts == SILENT_TRIES;
    for (unsigned i = 0; i < FLIGHT_OPEN && flight->open[i]; i++) {
        strange |= flight->open[i]->strange;
    }
    flight->use_tcp = strange && !flight->streamed;
}

static void on_patience_over(uv_timer_t *timer)
{
    struct flight *flight = timer->data;
    note_silence(flight);
    change_transport(flight);
    attempt_next(flight, on_patience_over);
}

/* They said no, or somebody in their name, and that may pass: one is asked once more. */
static void on_held(uv_timer_t *timer)
{
    struct flight *flight = timer->data;
    if (flight->worst != -EREMOTEIO || is_spent(flight)) {
        fail(flight);
        return;
    }
    flight->repeated = true;
    flight->holding = false;
    flight->tried = 0;
    attempt_next(flight, on_patience_over);
}

static void on_hurry(uv_timer_t *timer)
{
    attempt_next(timer->data, on_patience_over);
}

void flight_start(struct flight *flight)
{
    attempt_next(flight, on_patience_over);
}

void flight_hurry(struct flight *flight)
{
    if (!flight->borrowed && !flight->holding && !flight->aliased && !is_spent(flight)) {
        uv_timer_start(&flight->timer, on_hurry, 0, 0);
    }
}

void flight_refused(struct attempt *attempt)
{
    struct flight *flight = attempt->flight;
    struct server *server = attempt_server(attempt);
    if (server) {
        upstream_note_failure(flight->upstream, server);
    }
    change_transport(flight);
    attempt_remove(attempt);
    flight->worst = -EHOSTUNREACH;
    flight->refused++;
    if (flight_has_hope(flight) || flight->holding) {
        return;
    }
    if (flight->refused > (unsigned)__builtin_popcountll(flight->allowed)) {
        give_up(flight);
    } else {
        attempt_next(flight, on_patience_over);
    }
}

/* Ask the same server once more, while this attempt stays open. */
static void ask_again(struct attempt *attempt)
{
    struct flight *flight = attempt->flight;
    bool able = attempt_server(attempt) && flight->packets < flight->packets_max;
    uint32_t patience = able ? patience_ms(flight, attempt->server) : 0;
    if (able && start_attempt(flight, attempt->server) == 0) {
        wait_for(flight, patience, on_patience_over);
    } else if (!flight_has_hope(flight)) {
        attempt_next(flight, on_patience_over);
    }
}

void flight_lost(struct attempt *attempt)
{
    struct flight *flight = attempt->flight;
    flight->tried &= ~((uint64_t)1 << attempt->server);
    attempt_remove(attempt);
    if (!flight_has_hope(flight) && !flight->holding) {
        flight->attempts -= flight->attempts > 0;
        uv_timer_start(&flight->timer, on_hurry, 0, 0);
    }
}

/* The server answered, but not so that UDP can be trusted with it. */
static void over_tcp(struct attempt *attempt)
{
    struct flight *flight = attempt->flight;
    flight->use_tcp = true;
    for (unsigned i = 0; i < FLIGHT_OPEN && flight->open[i]; i++) {
        if (flight->open[i]->stream) {
            return; /* on its way already */
        }
    }
    ask_again(attempt);
}

/* What came over UDP may be forged: TCP will tell. */
static void distrust(struct attempt *attempt)
{
    if (!attempt->reacted) {
        attempt->reacted = true;
        over_tcp(attempt);
    }
}

/* SERVFAIL, REFUSED and the like: another server may know better. */
static void server_said_no(struct attempt *attempt)
{
    struct flight *flight = attempt->flight;
    bool all = (flight->tried & flight->allowed) == flight->allowed;
    flight->worst = -EREMOTEIO;
    if (flight_has_hope(flight) || flight->holding) {
        return;
    }
    flight->use_tcp &= !attempt->stream; /* that was between this server and us */
    if (all || flight->repeated) {
        give_up(flight);
    } else {
        attempt_next(flight, on_patience_over);
    }
}

/* Hardly a resolver answers a plain question so: forged or spoiled, unless TCP says it too. */
static bool is_odd(uint16_t rcode)
{
    return rcode > RCODE_REFUSED;
}

/* An answer that is ours and says nothing of use, once for each attempt. */
static void react(struct attempt *attempt, uint16_t rcode)
{
    struct flight *flight = attempt->flight;
    bool edns = rcode == RCODE_FORMERR || rcode == RCODE_NOTIMP || rcode == RCODE_BADVERS;
    if (edns && !flight->ask.plain) { /* RFC 6891 section 7 */
        flight->ask.plain = true;
        ask_again(attempt);
    } else if (rcode == RCODE_BADCOOKIE && !flight->new_cookie) { /* RFC 7873 section 5.3 */
        flight->new_cookie = true;
        ask_again(attempt);
    } else if (is_odd(rcode) && !attempt->stream) {
        over_tcp(attempt);
    } else {
        server_said_no(attempt);
    }
}

/* True when the server was down before. */
static bool heard(const struct attempt *attempt, struct server *server)
{
    uint64_t now_us = clock_mono_us(attempt->flight->upstream->setup.clock);
    return server_answered(server, now_us - attempt->sent_us, now_us);
}

/* An answer that is of no use by itself, once for each attempt. */
static void note_useless(struct attempt *attempt, uint16_t rcode)
{
    struct upstream *upstream = attempt->flight->upstream;
    struct server *server = attempt_server(attempt);
    if (attempt->reacted) {
        return;
    }
    attempt->reacted = true;
    bool back = server && heard(attempt, server);
    react(attempt, rcode);
    if (back) {
        upstream_recovered(upstream);
    }
}

/* A damaged packet: forged, or the path or the server spoils what goes over UDP. Over a
 * stream it is the server's own word, and of no use. */
static void spurn(struct attempt *attempt)
{
    if (attempt->stream) {
        attempt->flight->damaged = true;
        note_useless(attempt, RCODE_SERVFAIL);
    } else {
        distrust(attempt);
    }
}

static void deliver(struct attempt *attempt, const struct packet *packet)
{
    struct flight *flight = attempt->flight;
    struct upstream *upstream = flight->upstream;
    struct server *server = attempt_server(attempt);
    struct answer_source source = {&flight->ask, *packet, upstream->limits};
    struct answer answer;
    source.limits.keep_ad = server && server->plan->trusted;
    /* What is compressed onto the question has its case, which was ours and random. */
    memcpy((uint8_t *)packet->data + DNS_HEADER, flight->ask.name.wire, flight->ask.name.len);
    if (answer_rebuild(&source, &upstream->room, &answer) < 0) {
        spurn(attempt);
        return;
    }
    if (answer.referral) { /* it does not resolve for us */
        note_useless(attempt, RCODE_REFUSED);
        return;
    }
    if (server && attempt->stream && flight->no_cookie) {
        cookie_forget(server);
    }
    bool back = server && heard(attempt, server);
    if (server && !attempt->stream) {
        server->folds = 0;
    }
    chase_settle(flight, &answer);
    if (back) {
        upstream_recovered(upstream);
    }
}

/* Over UDP only: what makes TCP the way to go on. */
static bool needs_tcp(const struct attempt *attempt, enum ask_match match,
                      const struct packet *packet)
{
    struct server *server = attempt_server(attempt);
    if (match == ASK_CASE && server) {
        server->folds++;
    }
    return match == ASK_CASE || match == ASK_TRUNCATED ||
           (match == ASK_OURS && (load_u16(packet->data + 2) & FLAG_TC));
}

/* An answer to our question. */
static void take_answer(struct attempt *attempt, const struct packet *packet)
{
    struct flight *flight = attempt->flight;
    struct server *server = attempt_server(attempt);
    struct ask_verdict verdict;
    if (ask_read_verdict(&flight->ask, packet, &verdict) < 0) {
        spurn(attempt);
        return;
    }
    enum cookie_match match =
        server && attempt->cookied ? cookie_take(server, attempt->cookie, &verdict) : COOKIE_RIGHT;
    if (match == COOKIE_MISSING) {
        flight->no_cookie = true;
        distrust(attempt);
    } else if (match == COOKIE_WRONG) {
        attempt->strange = true;
    } else if (verdict.rcode == RCODE_NOERROR || verdict.rcode == RCODE_NXDOMAIN ||
               verdict.rcode == RCODE_YXDOMAIN) {
        deliver(attempt, packet);
    } else {
        note_useless(attempt, verdict.rcode);
    }
}

bool flight_receive(struct attempt *attempt, const struct packet *packet)
{
    struct flight *flight = attempt->flight; /* its memory stays until the loop goes on */
    enum ask_match match = ask_check(&flight->ask, &attempt->mark, packet);
    if (match == ASK_FOREIGN || (match == ASK_TRUNCATED && attempt->stream)) {
        attempt->strange = !attempt->stream;
        return false;
    }
    if (!attempt->stream && needs_tcp(attempt, match, packet)) {
        distrust(attempt);
    } else if (match == ASK_BARE) {
        if (!attempt->reacted && !flight->ask.plain) {
            attempt->reacted = true;
            react(attempt, RCODE_FORMERR);
        }
    } else {
        take_answer(attempt, packet);
    }
    return !flight_has_open(flight, attempt);
}
