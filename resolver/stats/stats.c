// SPDX-License-Identifier: Apache-2.0
#include "stats/stats.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "stats/state.h"

enum { FLUSH_S = 60, NOTICE_S = 86400, DAY_HOURS = 24, JUMP_S = 120, REOPEN_FAILURES = 10 };

const char *const stats_way_names[STATS_WAYS] = {"none",  "canary", "relay", "doh",     "vpn",
                                                 "proxy", "tor",    "pages", "address", "listed"};

const char *const stats_verdict_names[STATS_VERDICTS] = {
    [STATS_ANSWERED] = "answered", [STATS_BLOCKED] = "blocked", [STATS_ALLOWED] = "allowed",
    [STATS_REFUSED] = "refused",   [STATS_FAILED] = "failed",   [STATS_SHADOW] = "shadow",
};

static struct stats_worker *counters_map(void)
{
    void *at = mmap(NULL, sizeof(struct stats_worker), PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

static void counters_unmap(struct stats_worker *counters)
{
    if (counters) {
        munmap(counters, sizeof(*counters));
    }
}

/* The batch of that hour; when no other can be had, the newest. */
static struct stats_batch *pending_batch(struct stats *stats, int64_t hour)
{
    for (unsigned i = stats->pending_count; i-- > 0;) {
        if (stats->pending[i].hour == hour) {
            return &stats->pending[i];
        }
    }
    unsigned next = stats->pending_count;
    if (next < STATS_PENDING_MAX) {
        struct stats_batch *batch = &stats->pending[next];
        if (!batch->counts) {
            batch->counts = counters_map();
        }
        if (batch->counts) {
            batch->hour = hour;
            batch->groups = &stats->groups;
            batch->categories = &stats->categories;
            stats->pending_count++;
            return batch;
        }
    }
    return next > 0 ? &stats->pending[next - 1] : NULL;
}

static void pending_clear(struct stats *stats)
{
    for (unsigned i = 0; i < stats->pending_count; i++) {
        struct stats_worker *counts = stats->pending[i].counts;
        /* Zeroes the pages and gives them back; locked memory refuses. */
        if (madvise(counts, sizeof(*counts), MADV_DONTNEED) < 0) {
            memset(counts, 0, sizeof(*counts));
        }
    }
    stats->pending_count = 0;
}

/* A run of counters that lie side by side, `offset` octets into a stats_worker. */
static void collect_run(struct stats *stats, struct stats_worker *to, size_t offset, size_t count)
{
    unsigned workers = atomic_load_explicit(&stats->worker_count, memory_order_acquire);
    stats_counter *taken = (stats_counter *)((char *)stats->taken + offset);
    stats_counter *into = (stats_counter *)((char *)to + offset);
    for (size_t i = 0; i < count; i++) {
        uint64_t total = 0;
        for (unsigned w = 0; w < workers; w++) {
            total += stats_value((stats_counter *)((char *)stats->workers[w] + offset) + i);
        }
        uint64_t more = total - stats_value(&taken[i]);
        if (more) {
            stats_add(&taken[i], more);
            stats_add(&into[i], more);
        }
    }
}

void stats_collect(struct stats *stats)
{
    /* The middle of the time since the last call says which hour it was. */
    uint64_t now = clock_mono_us(stats->clock);
    int64_t half = (int64_t)((now - stats->taken_at) / 2000000);
    int64_t hour = (clock_wall_s(stats->clock) - (half < FLUSH_S ? half : FLUSH_S)) / STATS_HOUR_S;
    struct stats_batch *batch = pending_batch(stats, hour);
    if (!batch) {
        return; /* no memory: it is still in the workers' counters */
    }
    struct stats_worker *to = batch->counts;
    pthread_mutex_lock(&stats->lock);
    batch->group_count = stats->groups.count;
    batch->category_count = stats->categories.count;
    pthread_mutex_unlock(&stats->lock);
    for (unsigned i = 0; i < batch->group_count; i++) {
        size_t offset = (size_t)((char *)stats->taken->sums[i] - (char *)stats->taken);
        collect_run(stats, to, offset, (size_t)batch->category_count * STATS_VERDICTS);
    }
    size_t rest = offsetof(struct stats_worker, types);
    collect_run(stats, to, rest, (sizeof(*to) - rest) / sizeof(stats_counter));
    if (stats->domains) {
        domains_take(stats->domains, clock_wall_s(stats->clock));
    }
    stats->taken_at = now;
}

static void set_trouble(struct stats *stats, const struct diag *diag)
{
    pthread_mutex_lock(&stats->lock);
    if (diag) {
        snprintf(stats->trouble, sizeof(stats->trouble),
                 "statistics cannot be written, counting goes on in memory: %.250s", diag->text);
    } else {
        stats->trouble[0] = '\0';
    }
    pthread_mutex_unlock(&stats->lock);
}

static int set_aside(struct stats *stats, struct diag *diag)
{
    char moved[4096];
    int64_t now = clock_wall_s(stats->clock);
    int err = stats_db_set_aside(stats->path, now, moved, sizeof(moved));
    if (err < 0) {
        return diag_set(diag, err, "%.200s is damaged and cannot be set aside: %s", stats->path,
                        strerror(-err));
    }
    pthread_mutex_lock(&stats->lock);
    snprintf(stats->notice, sizeof(stats->notice),
             "the statistics file was damaged; it was set aside as %.250s and a new one begun",
             moved);
    stats->notice_until = now + NOTICE_S;
    pthread_mutex_unlock(&stats->lock);
    return 0;
}

int stats_open(struct stats *stats, struct diag *diag)
{
    if (stats->db && stats->path && access(stats->path, F_OK) < 0 && errno == ENOENT) {
        stats_db_close(stats->db); /* removed under us: SQLite would write into nothing */
        stats->db = NULL;
    }
    if (stats->db) {
        return 0;
    }
    int err = stats_db_open(stats->path, &stats->db, diag);
    if (err == -EBADMSG && stats->path) {
        err = set_aside(stats, diag);
        if (err == 0) {
            diag_clear(diag);
            err = stats_db_open(stats->path, &stats->db, diag);
        }
    }
    return err;
}

/* A clock that is far ahead for a while must not take the figures of years with it: they go
 * when it has run evenly for an hour. */
static bool runs_evenly(struct stats *stats)
{
    uint64_t now_us = clock_mono_us(stats->clock);
    int64_t offset_s = clock_wall_s(stats->clock) - (int64_t)(now_us / 1000000);
    int64_t jump = offset_s - stats->offset_s;
    stats->offset_s = offset_s;
    if (jump > JUMP_S || jump < -JUMP_S) {
        stats->even_since_us = now_us;
    }
    return now_us - stats->even_since_us >= STATS_HOUR_S * 1000000ULL;
}

static int write_pending(struct stats *stats, struct diag *diag)
{
    int err = stats_open(stats, diag);
    if (err < 0) {
        return err;
    }
    err = stats_db_begin(stats->db, diag);
    for (unsigned i = 0; err == 0 && i < stats->pending_count; i++) {
        err = stats_db_add(stats->db, &stats->pending[i], diag);
    }
    if (err == 0 && stats->domains) {
        err = stats_db_add_domains(stats->db, stats->domains, diag);
    }
    int64_t hour = clock_wall_s(stats->clock) / STATS_HOUR_S;
    bool purge = runs_evenly(stats) && hour != stats->purged_hour;
    if (err == 0 && purge) {
        err = stats_db_purge(stats->db, hour - stats->keep_days * DAY_HOURS, diag);
    }
    if (err == 0) {
        err = stats_db_commit(stats->db, diag);
    }
    if (err == 0) {
        stats->purged_hour = purge ? hour : stats->purged_hour;
        pending_clear(stats);
        if (stats->domains) {
            domains_written(stats->domains);
        }
    } else {
        stats_db_rollback(stats->db);
    }
    return err;
}

/* Write; a file that turns out damaged is set aside and the same sums go into a new
 * one, since nothing of them was committed. */
static void flush_locked(struct stats *stats)
{
    struct diag diag = {0};
    stats_collect(stats);
    int err = write_pending(stats, &diag);
    stats->failures = err < 0 ? stats->failures + 1 : 0;
    /* A full disk can still be read; one that was mounted anew must be opened again. */
    if (err == -EBADMSG || (err < 0 && stats->failures % REOPEN_FAILURES == 0)) {
        stats_db_close(stats->db);
        stats->db = NULL;
    }
    if (err == -EBADMSG && stats->path) {
        err = set_aside(stats, &diag);
        if (err == 0) {
            err = write_pending(stats, &diag);
        }
    }
    set_trouble(stats, err < 0 ? &diag : NULL);
}

void stats_flush(struct stats *stats)
{
    pthread_mutex_lock(&stats->db_lock);
    flush_locked(stats);
    pthread_mutex_unlock(&stats->db_lock);
}

/* Wait for the next flush: a minute, or less when the hour ends before; false at
 * stop. */
static bool wait_minute(struct stats *stats)
{
    struct timespec until;
    int64_t left = STATS_HOUR_S - clock_wall_s(stats->clock) % STATS_HOUR_S;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += left > 0 && left < FLUSH_S ? left : FLUSH_S;
    pthread_mutex_lock(&stats->lock);
    int err = 0;
    while (!stats->stopping && err != ETIMEDOUT) {
        err = pthread_cond_timedwait(&stats->wake, &stats->lock, &until);
    }
    bool going = !stats->stopping;
    pthread_mutex_unlock(&stats->lock);
    return going;
}

static void *thread_main(void *arg)
{
    struct stats *stats = arg;
    do {
        stats_flush(stats);
    } while (wait_minute(stats));
    stats_flush(stats);
    return NULL;
}

static void stats_free(struct stats *stats)
{
    stats_db_close(stats->db);
    for (unsigned i = 0; i < STATS_PENDING_MAX; i++) {
        counters_unmap(stats->pending[i].counts);
    }
    for (unsigned i = 0; i < stats->worker_count; i++) {
        counters_unmap(stats->workers[i]);
    }
    counters_unmap(stats->taken);
    domains_free(stats->domains);
    free(stats->groups.items);
    free(stats->categories.items);
    free(stats->path);
    pthread_cond_destroy(&stats->wake);
    pthread_mutex_destroy(&stats->lock);
    pthread_mutex_destroy(&stats->db_lock);
    free(stats);
}

static void locks_init(struct stats *stats)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&stats->wake, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&stats->lock, NULL);
    pthread_mutex_init(&stats->db_lock, NULL);
}

static int names_init(struct stats_names *names, unsigned cap)
{
    names->items = calloc(cap, sizeof(names->items[0]));
    names->cap = cap;
    return names->items ? 0 : -ENOMEM;
}

int stats_start(const struct stats_setup *setup, struct stats **ret_stats, struct diag *diag)
{
    struct stats *stats = calloc(1, sizeof(*stats));
    if (!stats) {
        return diag_set(diag, -ENOMEM, "no memory for statistics");
    }
    locks_init(stats);
    stats->clock = setup->clock;
    stats->keep_days = setup->keep_days;
    stats->purged_hour = -1;
    stats->even_since_us = clock_mono_us(setup->clock);
    stats->offset_s = clock_wall_s(setup->clock) - (int64_t)(stats->even_since_us / 1000000);
    stats->taken_at = clock_mono_us(setup->clock);
    stats->taken = counters_map();
    stats->path = setup->path ? strdup(setup->path) : NULL;
    int err = names_init(&stats->groups, STATS_GROUPS_MAX);
    if (err == 0) {
        err = names_init(&stats->categories, STATS_CATEGORIES_MAX);
    }
    if (err == 0 && setup->min_clients) {
        err = domains_new(setup->min_clients, &stats->domains);
    }
    if (err == -ENOENT || err == -ELIBACC) {
        stats_free(stats);
        return diag_set(diag, err, "stats.privacy: domains needs %s",
                        err == -ELIBACC ? "libpsl.so.5: install libpsl5 (libpsl on OpenWrt)"
                                        : "a public suffix list: install publicsuffix");
    }
    if (err == 0 && stats->taken && (stats->path || !setup->path)) {
        stats_name_category(stats, "none");
        err = -pthread_create(&stats->thread, NULL, thread_main, stats);
    } else {
        err = -ENOMEM;
    }
    if (err < 0) {
        stats_free(stats);
        return diag_set(diag, -ENOMEM, "no memory for statistics");
    }
    *ret_stats = stats;
    return 0;
}

void stats_stop(struct stats *stats)
{
    if (!stats) {
        return;
    }
    pthread_mutex_lock(&stats->lock);
    stats->stopping = true;
    pthread_cond_signal(&stats->wake);
    pthread_mutex_unlock(&stats->lock);
    pthread_join(stats->thread, NULL);
    stats_free(stats);
}

struct stats_worker *stats_worker_add(struct stats *stats)
{
    unsigned at = stats->worker_count;
    struct stats_worker *worker = at < STATS_WORKERS_MAX ? counters_map() : NULL;
    if (worker) {
        stats->workers[at] = worker;
        atomic_store_explicit(&stats->worker_count, at + 1, memory_order_release);
    }
    return worker;
}

struct domains_worker *stats_domains_add(struct stats *stats)
{
    return stats->domains ? domains_worker_add(stats->domains) : NULL;
}

static uint16_t name_id(struct stats *stats, struct stats_names *names, const char *name)
{
    pthread_mutex_lock(&stats->lock);
    unsigned id = 0;
    while (id < names->count && strncmp(names->items[id], name, STATS_NAME_MAX - 1) != 0) {
        id++;
    }
    if (id == names->count && id < names->cap) {
        const char *text = id + 1 == names->cap ? "other" : name;
        snprintf(names->items[id], STATS_NAME_MAX, "%s", text);
        names->count++;
    }
    pthread_mutex_unlock(&stats->lock);
    return (uint16_t)(id < names->cap ? id : names->cap - 1);
}

uint16_t stats_name_group(struct stats *stats, const char *name)
{
    return name_id(stats, &stats->groups, name);
}

uint16_t stats_name_category(struct stats *stats, const char *name)
{
    return name_id(stats, &stats->categories, name);
}

void stats_total(const struct stats *stats, struct stats_worker *into)
{
    unsigned workers = atomic_load_explicit(&stats->worker_count, memory_order_acquire);
    stats_counter *sums = (stats_counter *)into;
    for (unsigned w = 0; w < workers; w++) {
        const stats_counter *counters = (const stats_counter *)stats->workers[w];
        for (size_t i = 0; i < sizeof(*into) / sizeof(*sums); i++) {
            uint64_t more = stats_value(&counters[i]);
            if (more) { /* a page of zeroes stays untouched */
                stats_add(&sums[i], more);
            }
        }
    }
}

static const char *name_of(struct stats *stats, const struct stats_names *names, uint16_t id,
                           char out[STATS_NAME_MAX])
{
    pthread_mutex_lock(&stats->lock);
    snprintf(out, STATS_NAME_MAX, "%s", id < names->count ? names->items[id] : "");
    pthread_mutex_unlock(&stats->lock);
    return out;
}

const char *stats_group_label(struct stats *stats, uint16_t id, char out[STATS_NAME_MAX])
{
    return name_of(stats, &stats->groups, id, out);
}

const char *stats_category_label(struct stats *stats, uint16_t id, char out[STATS_NAME_MAX])
{
    return name_of(stats, &stats->categories, id, out);
}

bool stats_degraded(struct stats *stats, char *text, size_t cap)
{
    pthread_mutex_lock(&stats->lock);
    bool noticed = stats->notice[0] && clock_wall_s(stats->clock) < stats->notice_until;
    const char *why = stats->trouble[0] ? stats->trouble : noticed ? stats->notice : "";
    snprintf(text, cap, "%s", why);
    bool degraded = why[0] != '\0';
    pthread_mutex_unlock(&stats->lock);
    return degraded;
}
