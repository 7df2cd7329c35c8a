// SPDX-License-Identifier: Apache-2.0
#include "household.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "daemon.h"
#include "neigh/neigh.h"
#include "policy/snapshot.h"
#include "query/presence.h"

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

/* The group of a host that has the MAC by a lease: its other addresses follow. */
static uint16_t host_by_mac(const struct household *house, const struct keyring *keys,
                            const uint8_t mac[MEMBER_MAC_LEN])
{
    uint16_t group = KEYRING_NONE;
    for (size_t i = 0; i < house->leases.count && keyring_count(keys, MEMBER_HOST); i++) {
        const struct lease *lease = &house->leases.rows[i];
        if (lease->has_mac && memcmp(lease->mac, mac, MEMBER_MAC_LEN) == 0) {
            uint16_t found = group_of_host(keys, lease->host);
            group = found < group ? found : group;
        }
    }
    return group;
}

static int gather(const struct household *house, const struct keyring *keys,
                  struct residents *residents)
{
    const struct neighbour *rows = NULL;
    size_t count = house->neigh ? neigh_rows(house->neigh, &rows) : 0;
    int err = 0;
    for (size_t i = 0; i < count && err == 0; i++) {
        err = add(residents, &rows[i].addr, keyring_find_mac(keys, rows[i].mac),
                  host_by_mac(house, keys, rows[i].mac));
    }
    for (size_t i = 0; i < house->leases.count && err == 0; i++) {
        const struct lease *lease = &house->leases.rows[i];
        uint16_t by_mac = lease->has_mac ? keyring_find_mac(keys, lease->mac) : KEYRING_NONE;
        err = add(residents, &lease->addr, by_mac, group_of_host(keys, lease->host));
    }
    return err;
}

static void turn_presence(struct household *house, const struct clock *clock)
{
    uint64_t now_s = clock_mono_us(clock) / 1000000;
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
    turn_presence(house, daemon->clock);
    open_table(house);
    if (house->neigh) {
        (void)neigh_read(house->neigh);
    }
    if (hosts || house->leases.count) {
        read_leases(house, hosts ? &config->dns.lease_files : &(struct text_list){0});
    }
    struct residents *next = residents_new();
    if (!next || gather(house, keys, next) < 0 || residents_equal(next, house->residents)) {
        residents_unref(next);
        return false;
    }
    residents_unref(house->residents); /* the snapshot in force holds its own reference */
    house->residents = next;
    return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct daemon *daemon = poll->data;
    (void)events;
    if (status < 0) {
        uv_poll_stop(poll); /* each second looks, too */
        return;
    }
    daemon_look_around(daemon);
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
}

const char *household_trouble(const struct daemon *daemon)
{
    const struct keyring *keys = policy_config_keys(daemon->config);
    return keyring_count(keys, MEMBER_MAC) ? daemon->household.error : "";
}
