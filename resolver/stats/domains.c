// SPDX-License-Identifier: Apache-2.0
#include "stats/domains.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "stats/registrable.h"

enum {
    BITS = 512,                                /* of the set of clients */
    WORKER_SLOTS = 512,                        /* of one worker, between two takes */
    DAY_SLOTS = 4096,                          /* of all, over a day */
    SAMPLE = 16,                               /* candidates to give way */
    ROWS_MAX = 2 * (DAY_SLOTS + DOMAIN_KINDS), /* that wait to be written */
    WORKERS_MAX = 128,
};

struct slot {
    char name[DOMAIN_NAME_MAX];
    uint8_t clients[BITS / 8];
    uint64_t count;   /* since the name came in */
    uint64_t written; /* of them, in the table of the day */
    uint16_t next;    /* in its chain, 0 = none; slots count from 1 */
    uint8_t blocked;
};

/* A hash table of names with chains, of fixed size. */
struct table {
    struct slot *slots;  /* [0] is not used */
    uint16_t *heads;     /* as many as slots */
    struct hash_key key; /* strangers choose names */
    unsigned size, used;
    unsigned dice;
};

struct domains_worker {
    const struct domains *domains;
    pthread_mutex_t lock;
    struct hash_key salt;
    struct table table;
    _Atomic uint64_t totals[DOMAIN_KINDS];
};

struct domains {
    pthread_mutex_t lock; /* of all below but workers' tables */
    struct registrable *suffixes;
    unsigned min_clients;
    int64_t day; /* of `table` */
    struct hash_key salt;
    struct table table;
    struct slot *scratch; /* one worker's slots, copied out of its lock */
    struct domains_row *rows;
    unsigned row_count, worker_count;
    struct domains_worker *workers[WORKERS_MAX];
};

static int table_init(struct table *table, unsigned size)
{
    table->slots = calloc(size + 1, sizeof(*table->slots));
    table->heads = calloc(size, sizeof(*table->heads));
    table->size = size;
    hash_key_random(&table->key);
    return table->slots && table->heads ? 0 : -ENOMEM;
}

static void table_clear(struct table *table)
{
    memset(table->heads, 0, table->size * sizeof(*table->heads));
    table->used = 0;
}

static void table_free(struct table *table)
{
    free(table->slots);
    free(table->heads);
}

static uint16_t *chain_of(const struct table *table, const char *name, uint8_t blocked)
{
    return &table->heads[(hash_keyed(&table->key, name, strlen(name)) ^ blocked) % table->size];
}

static void unlink_slot(struct table *table, uint16_t index)
{
    uint16_t *at = chain_of(table, table->slots[index].name, table->slots[index].blocked);
    while (*at != index) {
        at = &table->slots[*at].next;
    }
    *at = table->slots[index].next;
}

/* A slot that is free, or the least of some that are not. */
static uint16_t make_room(struct table *table)
{
    if (table->used < table->size) {
        return (uint16_t)++table->used;
    }
    uint16_t least = 0;
    for (int i = 0; i < SAMPLE; i++) {
        table->dice = table->dice * 1103515245u + 12345u;
        uint16_t index = (uint16_t)(1 + (table->dice >> 8) % table->size);
        if (!least || table->slots[index].count < table->slots[least].count) {
            least = index;
        }
    }
    unlink_slot(table, least);
    return least;
}

static struct slot *table_get(struct table *table, const char *name, uint8_t blocked)
{
    uint16_t *head = chain_of(table, name, blocked);
    for (uint16_t at = *head; at; at = table->slots[at].next) {
        struct slot *slot = &table->slots[at];
        if (slot->blocked == blocked && strcmp(slot->name, name) == 0) {
            return slot;
        }
    }
    uint16_t index = make_room(table);
    struct slot *slot = &table->slots[index];
    *slot = (struct slot){.blocked = blocked, .next = *head};
    memcpy(slot->name, name, strlen(name) + 1);
    *head = index;
    return slot;
}

/* At least so many clients asked. */
static unsigned count_clients(const struct slot *slot)
{
    unsigned count = 0;
    for (size_t i = 0; i < sizeof(slot->clients); i++) {
        count += (unsigned)__builtin_popcount(slot->clients[i]);
    }
    return count;
}

int domains_new(unsigned min_clients, struct domains **ret)
{
    struct domains *domains = calloc(1, sizeof(*domains));
    if (!domains) {
        return -ENOMEM;
    }
    pthread_mutex_init(&domains->lock, NULL);
    domains->min_clients = min_clients;
    domains->day = -1;
    hash_key_random(&domains->salt);
    domains->scratch = calloc(WORKER_SLOTS + 1, sizeof(*domains->scratch));
    domains->rows = calloc(ROWS_MAX, sizeof(*domains->rows));
    int err = table_init(&domains->table, DAY_SLOTS);
    if (err == 0 && (!domains->scratch || !domains->rows)) {
        err = -ENOMEM;
    }
    if (err == 0) {
        err = registrable_open(&domains->suffixes);
    }
    if (err < 0) {
        domains_free(domains);
        return err;
    }
    *ret = domains;
    return 0;
}

void domains_free(struct domains *domains)
{
    if (!domains) {
        return;
    }
    for (unsigned i = 0; i < domains->worker_count; i++) {
        table_free(&domains->workers[i]->table);
        pthread_mutex_destroy(&domains->workers[i]->lock);
        free(domains->workers[i]);
    }
    table_free(&domains->table);
    registrable_close(domains->suffixes);
    free(domains->scratch);
    free(domains->rows);
    pthread_mutex_destroy(&domains->lock);
    free(domains);
}

struct domains_worker *domains_worker_add(struct domains *domains)
{
    struct domains_worker *worker = calloc(1, sizeof(*worker));
    if (!worker || domains->worker_count == WORKERS_MAX ||
        table_init(&worker->table, WORKER_SLOTS) < 0) {
        if (worker) {
            table_free(&worker->table);
        }
        free(worker);
        return NULL;
    }
    worker->domains = domains;
    pthread_mutex_init(&worker->lock, NULL);
    pthread_mutex_lock(&domains->lock);
    worker->salt = domains->salt;
    domains->workers[domains->worker_count++] = worker;
    pthread_mutex_unlock(&domains->lock);
    return worker;
}

void domains_count(struct domains_worker *worker, const struct domains_event *event)
{
    char text[REGISTRABLE_TEXT];
    const char *domain = registrable_of(worker->domains->suffixes, event->name, text);
    size_t len = event->client->family == AF_INET ? 4 : 8;
    atomic_fetch_add_explicit(&worker->totals[event->blocked], 1, memory_order_relaxed);
    /* While the table is taken away, once a minute, a query is in "other": nobody waits. */
    bool fits = domain && strlen(domain) < DOMAIN_NAME_MAX;
    if (fits && pthread_mutex_trylock(&worker->lock) == 0) {
        uint64_t bit = hash_keyed(&worker->salt, event->client->bytes, len) % BITS;
        struct slot *slot = table_get(&worker->table, domain, event->blocked);
        slot->clients[bit / 8] |= (uint8_t)(1u << (bit % 8));
        slot->count++;
        pthread_mutex_unlock(&worker->lock);
    }
}

static void add_row(struct domains *domains, const char *name, uint8_t blocked, uint64_t count)
{
    if (count == 0 || domains->row_count == ROWS_MAX) {
        return; /* it is in "other" then */
    }
    struct domains_row *row = &domains->rows[domains->row_count++];
    *row = (struct domains_row){.day = domains->day, .count = count, .blocked = blocked};
    memcpy(row->name, name, strlen(name) + 1);
}

/* One worker's counts into the table of the day. */
static void take_worker(struct domains *domains, struct domains_worker *worker,
                        uint64_t totals[DOMAIN_KINDS])
{
    struct table *table = &worker->table;
    pthread_mutex_lock(&worker->lock);
    unsigned used = table->used;
    memcpy(domains->scratch, table->slots, (used + 1) * sizeof(*table->slots));
    for (unsigned kind = 0; kind < DOMAIN_KINDS; kind++) {
        totals[kind] += atomic_exchange_explicit(&worker->totals[kind], 0, memory_order_relaxed);
    }
    table_clear(table);
    worker->salt = domains->salt;
    pthread_mutex_unlock(&worker->lock);
    for (unsigned i = 1; i <= used; i++) {
        const struct slot *from = &domains->scratch[i];
        struct slot *to = table_get(&domains->table, from->name, from->blocked);
        to->count += from->count;
        for (size_t b = 0; b < sizeof(to->clients); b++) {
            to->clients[b] |= from->clients[b];
        }
    }
}

int64_t domains_day(int64_t at)
{
    time_t when = (time_t)at;
    struct tm tm;
    if (!localtime_r(&when, &tm)) {
        return at / 86400;
    }
    tm.tm_hour = tm.tm_min = tm.tm_sec = tm.tm_isdst = 0;
    return (int64_t)timegm(&tm) / 86400;
}

static void take(struct domains *domains, int64_t today)
{
    uint64_t totals[DOMAIN_KINDS] = {0};
    domains->day = domains->day < 0 ? today : domains->day;
    bool turn = domains->day != today;
    if (domains->row_count > 0 && !turn) {
        return; /* they could not be written yet: workers go on in their tables */
    }
    if (turn) {
        hash_key_random(&domains->salt); /* what comes from now on is of the new day */
    }
    for (unsigned i = 0; i < domains->worker_count; i++) {
        take_worker(domains, domains->workers[i], totals);
    }
    for (unsigned kind = 0; kind < DOMAIN_KINDS; kind++) {
        add_row(domains, "", (uint8_t)kind, totals[kind]);
    }
    for (unsigned i = 1; i <= domains->table.used; i++) {
        struct slot *slot = &domains->table.slots[i];
        if (slot->count > slot->written && count_clients(slot) >= domains->min_clients) {
            add_row(domains, slot->name, slot->blocked, slot->count - slot->written);
            slot->written = slot->count;
        }
    }
    if (turn) {
        table_clear(&domains->table);
        domains->day = today;
    }
}

void domains_take(struct domains *domains, int64_t now)
{
    pthread_mutex_lock(&domains->lock);
    take(domains, domains_day(now));
    pthread_mutex_unlock(&domains->lock);
}

const struct domains_row *domains_rows(const struct domains *domains, unsigned *ret_count)
{
    *ret_count = domains->row_count;
    return domains->rows;
}

void domains_written(struct domains *domains)
{
    domains->row_count = 0;
}
