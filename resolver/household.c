// SPDX-License-Identifier: Apache-2.0
#include "household.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "daemon.h"
#include "neigh/neigh.h"
#include "policy/snapshot.h"
#include "query/presence.h"
#include "query/watch.h"

enum { QUIET_MS = 200 };

static void open_table(struct household *house)
{
    if (house->tried) {
        return; /* what the kernel refuses once it goes on refusing */
    }
    house->tried = true;
    int err = neigh_open(&house->neigh);
    if (err < 0) {
        snprintf(house->error, sizeof(house->error), "%s", strerror(-err));
    }
}

static uint64_t mark_of(const struct text_list *paths)
{
    uint64_t mark = 1;
    for (size_t i = 0; i < paths->count; i++) {
        struct stat info = {0};
        int err = stat(paths->items[i], &info);
        const uint64_t words[] = {mark,
                                  err < 0,
                                  info.st_ino,
                                  (uint64_t)info.st_size,
                                  (uint64_t)info.st_mtim.tv_sec,
                                  (uint64_t)info.st_mtim.tv_nsec,
                                  hash_seeded(0, paths->items[i], strlen(paths->items[i]))};
        mark = hash_seeded(i, words, sizeof(words)) | 1;
    }
    return mark;
}

/* Read the lease files again when one has changed. Without memory the old rows stay. */
static void read_leases(struct household *house, const struct text_list *paths)
{
    struct leases next = {0};
    int err = 0;
    uint64_t mark = mark_of(paths);
    if (mark == house->lease_mark) {
        return;
    }
    house->lease_mark = mark;
    for (size_t i = 0; i < paths->count && err != -ENOMEM; i++) {
        err = leases_read(paths->items[i], &next); /* most of them exist nowhere */
    }
    if (err == -ENOMEM) {
        leases_clear(&next);
        return;
    }
    leases_clear(&house->leases);
    house->leases = next;
}

static int add(struct residents *residents, const struct addr *addr, uint16_t by_mac,
               uint16_t by_host)
{
    uint16_t group = by_mac < by_host ? by_mac : by_host;
    const struct resident row = {*addr, group, by_mac <= by_host ? RESIDENT_MAC : RESIDENT_HOST};
    return group == KEYRING_NONE ? 0 : residents_add(residents, &row);
}

static uint16_t group_of_host(const struct keyring *keys, const char *host)
{
    char name[MEMBER_NAME_MAX];
    bool good = member_take_name(host, strlen(host), name) == 0;
    return good ? keyring_find_name(keys, MEMBER_HOST, name) : KEYRING_NONE;
}

static int by_mac(const void *a, const void *b)
{
    return memcmp(((const struct lease *)a)->mac, ((const struct lease *)b)->mac, MEMBER_MAC_LEN);
}

static int by_address(const void *a, const void *b)
{
    const struct addr *left = &((const struct neighbour *)a)->addr;
    const struct addr *right = &((const struct neighbour *)b)->addr;
    int order = (int)left->family - (int)right->family;
    return order ? order : memcmp(left->bytes, right->bytes, sizeof(left->bytes));
}

/* What is gathered from, in order, so that each row is looked up and not searched for. */
struct sources {
    const struct keyring *keys;
    struct lease *leases; /* those with a MAC, by it */
    size_t lease_count;
    struct neighbour *neighbours; /* by address */
    size_t neighbour_count;
};

/* The group of a host that has the MAC by a lease: its other addresses follow. */
static uint16_t host_by_mac(const struct sources *sources, const uint8_t mac[MEMBER_MAC_LEN])
{
    struct lease like = {.has_mac = true};
    memcpy(like.mac, mac, MEMBER_MAC_LEN);
    const struct lease *lease =
        sources->lease_count
            ? bsearch(&like, sources->leases, sources->lease_count, sizeof(like), by_mac)
            : NULL;
    return lease ? group_of_host(sources->keys, lease->host) : KEYRING_NONE;
}

/* Does the kernel see another device at the leased address? It has the last word. */
static bool is_contradicted(const struct sources *sources, const struct lease *lease)
{
    const struct neighbour like = {.addr = lease->addr};
    const struct neighbour *row = sources->neighbour_count && lease->has_mac
                                      ? bsearch(&like, sources->neighbours,
                                                sources->neighbour_count, sizeof(like), by_address)
                                      : NULL;
    return row && memcmp(row->mac, lease->mac, MEMBER_MAC_LEN) != 0;
}

static int gather(const struct household *house, const struct sources *sources,
                  struct residents *residents)
{
    const struct keyring *keys = sources->keys;
    int err = 0;
    for (size_t i = 0; i < sources->neighbour_count && err == 0; i++) {
        const struct neighbour *row = &sources->neighbours[i];
        err = add(residents, &row->addr, keyring_find_mac(keys, row->mac),
                  host_by_mac(sources, row->mac));
    }
    for (size_t i = 0; i < house->leases.count && err == 0; i++) {
        const struct lease *lease = &house->leases.rows[i];
        uint16_t mac_group = lease->has_mac ? keyring_find_mac(keys, lease->mac) : KEYRING_NONE;
        if (!is_contradicted(sources, lease)) {
            err = add(residents, &lease->addr, mac_group, group_of_host(keys, lease->host));
        }
    }
    return err;
}

static int sort_sources(const struct household *house, struct sources *sources)
{
    const struct neighbour *rows = NULL;
    size_t count = house->neigh ? neigh_rows(house->neigh, &rows) : 0;
    sources->leases = calloc(house->leases.count + 1, sizeof(*sources->leases));
    sources->neighbours = calloc(count + 1, sizeof(*sources->neighbours));
    if (!sources->leases || !sources->neighbours) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < house->leases.count; i++) {
        if (house->leases.rows[i].has_mac) {
            sources->leases[sources->lease_count++] = house->leases.rows[i];
        }
    }
    for (; sources->neighbour_count < count; sources->neighbour_count++) {
        sources->neighbours[sources->neighbour_count] = rows[sources->neighbour_count];
    }
    qsort(sources->leases, sources->lease_count, sizeof(*sources->leases), by_mac);
    qsort(sources->neighbours, sources->neighbour_count, sizeof(*sources->neighbours), by_address);
    return 0;
}

/* NULL without memory: what is known stays. */
static struct residents *find_residents(const struct household *house, const struct keyring *keys)
{
    struct sources sources = {.keys = keys};
    struct residents *residents = residents_new();
    if (residents &&
        (sort_sources(house, &sources) < 0 || gather(house, &sources, residents) < 0)) {
        residents_unref(residents);
        residents = NULL;
    }
    free(sources.leases);
    free(sources.neighbours);
    return residents;
}

static void turn_presence(struct household *house, const struct clock *clock)
{
    uint64_t now_s = clock_mono_us(clock) / 1000000;
    house->watch = house->watch ? house->watch : watch_new();
    if (!house->presence) {
        house->presence = presence_new();
        house->presence_s = now_s;
    } else if (now_s - house->presence_s >= PRESENCE_HALF_S) {
        presence_turn(house->presence);
        house->presence_s = now_s;
    }
}

bool household_refresh(struct daemon *daemon)
{
    struct household *house = &daemon->household;
    const struct config *config = policy_config_get(daemon->config);
    const struct keyring *keys = policy_config_keys(daemon->config);
    bool hosts = keyring_count(keys, MEMBER_HOST) > 0;
    uint64_t lease_mark = house->lease_mark;
    turn_presence(house, daemon->clock);
    open_table(house);
    if (house->neigh) {
        house->stale |= neigh_read(house->neigh);
    }
    if (hosts || house->leases.count) {
        read_leases(house, hosts ? &config->dns.lease_files : &(struct text_list){0});
    }
    if (!house->stale && lease_mark == house->lease_mark && house->gathered_for == daemon->config) {
        return false;
    }
    struct residents *next = find_residents(house, keys);
    house->stale = !next;
    house->gathered_for = daemon->config;
    if (!next || residents_equal(next, house->residents)) {
        residents_unref(next);
        return false;
    }
    residents_unref(house->residents); /* the snapshot in force holds its own reference */
    house->residents = next;
    return true;
}

/* At once when it is quiet, else each second: whoever floods the table must not keep us busy. */
static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct daemon *daemon = poll->data;
    struct household *house = &daemon->household;
    uint64_t now_ms = clock_mono_us(daemon->clock) / 1000;
    (void)events;
    if (status < 0) {
        uv_poll_stop(poll); /* each second looks, too */
        return;
    }
    house->stale |= neigh_read(house->neigh);
    if (house->stale && now_ms - house->looked_ms >= QUIET_MS) {
        house->looked_ms = now_ms;
        daemon_look_around(daemon);
    }
}

void household_start(struct daemon *daemon)
{
    struct household *house = &daemon->household;
    if (house->neigh && uv_poll_init(daemon->loop, &house->poll, neigh_fd(house->neigh)) == 0) {
        house->polling = true;
        house->poll.data = daemon;
        uv_poll_start(&house->poll, UV_READABLE, on_readable);
    }
}

void household_stop(struct daemon *daemon)
{
    if (daemon->household.polling) {
        uv_close((uv_handle_t *)&daemon->household.poll, NULL);
        daemon->household.polling = false;
    }
}

void household_clear(struct daemon *daemon)
{
    neigh_close(daemon->household.neigh);
    leases_clear(&daemon->household.leases);
    residents_unref(daemon->household.residents);
    free(daemon->household.presence);
    watch_free(daemon->household.watch);
}

const char *household_trouble(const struct daemon *daemon)
{
    const struct keyring *keys = policy_config_keys(daemon->config);
    return keyring_count(keys, MEMBER_MAC) ? daemon->household.error : "";
}
