// SPDX-License-Identifier: Apache-2.0
#include "worker.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "listen/tcp.h"
#include "listen/udp.h"
#include "upstream/claim.h"
#include "upstream/plan.h"

enum { DRAIN_STEP_MS = 10 };

struct worker {
    uv_loop_t loop;
    uv_thread_t thread;
    uv_async_t wake;
    uv_timer_t drain;
    uv_timer_t stale; /* runs while a query might be answered with stale data */
    uv_async_t *changed;
    uint64_t drain_until_us;
    struct query_worker query;
    struct upstream *upstream;
    struct udp_batch *batch;
    struct udp_listener *udp[WORKER_SOCKETS_MAX];
    struct tcp_room *tcp;
    unsigned udp_count;
    _Atomic(const struct snapshot *) next;    /* main writes */
    _Atomic(const struct snapshot *) current; /* worker writes */
    _Atomic(struct upstream_plan *) plan;     /* so with the identity */
    _Atomic(struct tls_context *) identity;   /* main puts one in, the worker takes it */
    _Atomic bool stop, ended;
    _Atomic uint32_t beats;
    bool draining;
    bool lent; /* the sockets are a service manager's */
};

static void on_stale_due(uv_timer_t *timer)
{
    struct worker *worker = timer->data;
    query_tick(&worker->query);
    query_serve_stale(&worker->query);
    int due_ms = query_stale_due_ms(&worker->query);
    if (due_ms >= 0) {
        uv_timer_start(timer, on_stale_due, (uint64_t)due_ms, 0);
    }
}

static int ask_upstream(void *context, const struct ask *ask, struct upstream_waiter *waiter)
{
    struct worker *worker = context;
    if (worker->query.watched_first && !uv_is_active((uv_handle_t *)&worker->stale)) {
        int due_ms = query_stale_due_ms(&worker->query);
        uv_timer_start(&worker->stale, on_stale_due, (uint64_t)due_ms, 0);
    }
    return upstream_ask(worker->upstream, ask, waiter);
}

static void answer_arrived(void *context, const struct ask *ask, const struct answer *answer)
{
    struct worker *worker = context;
    query_tick(&worker->query);
    query_remember(&worker->query, ask, answer);
}

/* The main thread frees what is not `current` of any worker, so `current` comes first,
 * and counts only if `next` is still the same then: either we see the newer one, or the
 * main thread sees what we took. */
static void take_snapshot(struct worker *worker)
{
    const struct snapshot *next = NULL;
    do {
        next = atomic_load(&worker->next);
        atomic_store(&worker->current, next);
    } while (next != atomic_load(&worker->next));
    /* Nothing of a query outlives a callback but its waiting record, which points
     * into no snapshot: the old one is drained. */
    worker->query.snapshot = next;
    atomic_store_explicit(&worker->query.page_unset, false, memory_order_relaxed);
    uv_async_send(worker->changed);
}

static void end_loop(struct worker *worker)
{
    uv_timer_stop(&worker->drain);
    for (unsigned i = 0; i < worker->udp_count; i++) {
        udp_listener_stop(worker->udp[i]);
    }
    tcp_room_give_up(worker->tcp);
    upstream_stop(worker->upstream);
    worker->upstream = NULL;
    uv_close((uv_handle_t *)&worker->drain, NULL);
    uv_close((uv_handle_t *)&worker->stale, NULL);
    uv_close((uv_handle_t *)&worker->wake, NULL);
}

static void on_drain_step(uv_timer_t *timer)
{
    struct worker *worker = timer->data;
    query_tick(&worker->query);
    bool done = atomic_load_explicit(&worker->query.waiting_count, memory_order_relaxed) == 0;
    done &= tcp_room_is_idle(worker->tcp);
    if (done || worker->query.now_us >= worker->drain_until_us) {
        end_loop(worker);
    }
}

static void begin_drain(struct worker *worker)
{
    worker->draining = true;
    query_tick(&worker->query);
    worker->drain_until_us = worker->query.now_us + WORKER_DRAIN_MS * 1000ULL;
    for (unsigned i = 0; i < worker->udp_count; i++) {
        udp_listener_drain(worker->udp[i], worker->lent);
    }
    tcp_room_stop(worker->tcp, worker->lent);
    uv_timer_start(&worker->drain, on_drain_step, 0, DRAIN_STEP_MS);
}

static void on_wake(uv_async_t *wake)
{
    struct worker *worker = wake->data;
    atomic_fetch_add_explicit(&worker->beats, 1, memory_order_relaxed);
    if (atomic_load_explicit(&worker->next, memory_order_acquire) != worker->query.snapshot) {
        take_snapshot(worker);
    }
    struct upstream_plan *plan =
        atomic_exchange_explicit(&worker->plan, NULL, memory_order_acq_rel);
    if (plan && worker->upstream) {
        upstream_configure(worker->upstream, plan);
    } else {
        upstream_plan_unref(plan);
    }
    struct tls_context *identity =
        atomic_exchange_explicit(&worker->identity, NULL, memory_order_acq_rel);
    if (identity) {
        tcp_room_identify(worker->tcp, identity);
    }
    if (atomic_load_explicit(&worker->stop, memory_order_acquire) && !worker->draining) {
        begin_drain(worker);
    }
    if (worker->upstream) {
        query_tick(&worker->query);
        upstream_recheck(worker->upstream);
    }
}

static void run(void *argument)
{
    struct worker *worker = argument;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL); /* signals are the main thread's */
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    atomic_store_explicit(&worker->ended, true, memory_order_release);
    uv_async_send(worker->changed);
}

static int serve_sockets(struct worker *worker, const struct worker_sockets *sockets)
{
    for (unsigned i = 0; i < sockets->udp_count; i++) {
        int err = udp_listener_start(worker->batch, &worker->loop, sockets->udp[i],
                                     &worker->udp[worker->udp_count]);
        if (err < 0) {
            return err;
        }
        worker->udp_count++;
    }
    for (unsigned i = 0; i < sockets->tcp_count; i++) {
        int err = tcp_room_listen(worker->tcp, sockets->tcp[i], false);
        if (err < 0) {
            return err;
        }
    }
    for (unsigned i = 0; i < sockets->tls_count; i++) {
        int err = tcp_room_listen(worker->tcp, sockets->tls[i], true);
        if (err < 0) {
            return err;
        }
    }
    return 0;
}

static int build(struct worker *worker, const struct worker_setup *setup)
{
    worker->query = (struct query_worker){
        .snapshot = setup->snapshot,
        .cache = setup->cache,
        .stats = setup->stats,
        .clock = setup->clock,
        .ask = ask_upstream,
        .ask_context = worker,
        .guard = setup->guard,
        .presence = setup->presence,
        .watch = setup->watch,
        .domains = setup->domains,
    };
    const struct upstream_setup upstream = {&worker->loop, setup->clock,  answer_arrived,
                                            worker,        setup->claims, setup->sockets_max};
    worker->upstream = upstream_new(&upstream);
    worker->batch = udp_batch_new(&worker->query);
    const struct tcp_setup tcp = {&worker->query, &worker->loop, setup->census, setup->workers};
    worker->tcp = tcp_room_new(&tcp);
    if (!worker->upstream || !worker->batch || !worker->tcp ||
        query_worker_init(&worker->query) < 0) {
        return -ENOMEM;
    }
    upstream_configure(worker->upstream, upstream_plan_ref(setup->plan));
    atomic_init(&worker->next, setup->snapshot);
    atomic_init(&worker->current, setup->snapshot);
    worker->lent = setup->sockets->lent;
    worker->wake.data = worker;
    worker->drain.data = worker;
    worker->stale.data = worker;
    int err = uv_async_init(&worker->loop, &worker->wake, on_wake);
    claim_table_join(setup->claims, &worker->wake);
    if (err == 0) {
        err = uv_timer_init(&worker->loop, &worker->drain);
    }
    if (err == 0) {
        err = uv_timer_init(&worker->loop, &worker->stale);
    }
    return err < 0 ? err : serve_sockets(worker, setup->sockets);
}

int worker_start(const struct worker_setup *setup, struct worker **ret_worker)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    if (!worker) {
        return -ENOMEM;
    }
    int err = uv_loop_init(&worker->loop);
    if (err < 0) {
        free(worker);
        return err;
    }
    worker->changed = setup->changed;
    err = build(worker, setup);
    if (err == 0) {
        err = uv_thread_create(&worker->thread, run, worker);
    }
    if (err < 0) {
        return err; /* the program ends: half a worker is left to the kernel */
    }
    *ret_worker = worker;
    return 0;
}

void worker_hand_over(struct worker *worker, const struct snapshot *snapshot)
{
    atomic_store(&worker->next, snapshot); /* before worker_snapshot() is asked */
    uv_async_send(&worker->wake);
}

void worker_plan(struct worker *worker, struct upstream_plan *plan)
{
    upstream_plan_unref(atomic_exchange_explicit(&worker->plan, plan, memory_order_acq_rel));
    uv_async_send(&worker->wake);
}

void worker_identify(struct worker *worker, struct tls_context *identity)
{
    tls_context_free(atomic_exchange_explicit(&worker->identity, identity, memory_order_acq_rel));
    uv_async_send(&worker->wake);
}

const struct snapshot *worker_snapshot(const struct worker *worker)
{
    return atomic_load(&worker->current);
}

bool worker_has_ended(const struct worker *worker)
{
    return atomic_load_explicit(&worker->ended, memory_order_acquire);
}

void worker_ping(struct worker *worker)
{
    if (!worker_has_ended(worker)) {
        uv_async_send(&worker->wake);
    }
}

uint32_t worker_beats(const struct worker *worker)
{
    return atomic_load_explicit(&worker->beats, memory_order_relaxed);
}

void worker_stop(struct worker *worker)
{
    atomic_store_explicit(&worker->stop, true, memory_order_release);
    uv_async_send(&worker->wake);
}

void worker_free(struct worker *worker)
{
    if (!worker) {
        return;
    }
    uv_thread_join(&worker->thread);
    int err = uv_loop_close(&worker->loop);
    assert(err == 0);
    (void)err;
    udp_batch_free(worker->batch);
    query_worker_clear(&worker->query);
    tls_context_free(worker->identity);
    upstream_plan_unref(worker->plan);
    free(worker);
}

const struct upstream *worker_upstream(const struct worker *worker)
{
    return worker->upstream;
}

const struct query_worker *worker_query(const struct worker *worker)
{
    return &worker->query;
}
