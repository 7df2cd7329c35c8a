// SPDX-License-Identifier: Apache-2.0
#include "upstream/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    FIRST_WAIT_MS = 400,
    LEAST_WAIT_MS = 150,
    DNS_PORT = 53,
    DOWN_AFTER = 3,             /* failures in a row */
    DOWN_PENALTY_US = 10000000, /* asked after all that are up */
    FAILURE_PENALTY_US = 200000,
};

static bool is_ours(const struct config *config, const struct addr *addr)
{
    for (size_t i = 0; i < config->dns.listen.count; i++) {
        struct addr own;
        if (addr_parse_port(config->dns.listen.items[i], DNS_PORT, &own) < 0) {
            continue;
        }
        bool same_host = addr_equal(&own, addr) || (addr_is_any(&own) && addr_is_loopback(addr));
        if (same_host && own.port == addr->port) {
            return true;
        }
    }
    return false;
}

/* The new table inherits the health of a server that stays. */
static void add_server(struct server_table *table, const struct server_table *old,
                       const struct server *like)
{
    if (table->count == UPSTREAM_SERVERS_MAX) {
        return;
    }
    struct server *server = &table->servers[table->count++];
    *server = *like;
    server->trusted = addr_is_loopback(&like->addr);
    for (size_t i = 0; i < old->count; i++) {
        const struct server *was = &old->servers[i];
        if (addr_equal(&was->addr, &like->addr) && was->addr.port == like->addr.port &&
            was->tcp == like->tcp) {
            server->health.srtt_us = was->health.srtt_us;
            server->health.failures_in_row = was->health.failures_in_row;
            server->health.asked = was->health.asked;
            server->health.failed = was->health.failed;
        }
    }
}

/* The servers of resolv.conf, with what `like` says of them. */
static void add_system(struct server_table *table, const struct server_table *old,
                       const struct config *config, struct server like)
{
    char line[512];
    FILE *file = fopen("/etc/resolv.conf", "re");
    if (!file) {
        return;
    }
    while (fgets(line, sizeof(line), file)) {
        char host[128];
        if (sscanf(line, " nameserver %127s", host) == 1 &&
            addr_parse_port(host, DNS_PORT, &like.addr) == 0 && !is_ours(config, &like.addr)) {
            add_server(table, old, &like);
        }
    }
    fclose(file);
}

void server_table_set(struct server_table *table, const struct config *config)
{
    struct server_table next = {.timeout_ms = (uint32_t)config->upstream.timeout_ms};
    for (size_t i = 0; i < config->upstream.servers.count; i++) {
        const char *text = config->upstream.servers.items[i];
        struct server like = {.tcp = strncmp(text, "tcp://", 6) == 0, .configured = (uint8_t)i};
        if (strcmp(text, "system") == 0) {
            add_system(&next, table, config, like);
        } else if (strlen(text) > 6 && addr_parse_port(text + 6, DNS_PORT, &like.addr) == 0) {
            add_server(&next, table, &like);
        }
    }
    *table = next;
}

static uint32_t score(const struct server *server)
{
    uint32_t failures = server->health.failures_in_row;
    uint32_t srtt = server->health.srtt_us;
    if (failures >= DOWN_AFTER) {
        return DOWN_PENALTY_US;
    }
    return srtt + failures * FAILURE_PENALTY_US;
}

int server_choose(const struct server_table *table, uint32_t *tried)
{
    int best = -ENOENT;
    uint32_t all = (1U << table->count) - 1;
    if ((*tried & all) == all) {
        *tried = 0;
    }
    for (unsigned i = 0; i < table->count; i++) {
        bool left = !(*tried >> i & 1);
        if (left && (best < 0 || score(&table->servers[i]) < score(&table->servers[best]))) {
            best = (int)i;
        }
    }
    if (best >= 0) {
        *tried |= 1U << best;
    }
    return best;
}

uint32_t server_patience_ms(const struct server_table *table, int index, unsigned attempt)
{
    uint32_t srtt = table->servers[index].health.srtt_us;
    uint64_t wait = srtt ? (uint64_t)srtt * 4 / 1000 + 50 : FIRST_WAIT_MS;
    wait = wait < LEAST_WAIT_MS ? LEAST_WAIT_MS : wait;
    wait <<= attempt / table->count;
    return wait > table->timeout_ms ? table->timeout_ms : (uint32_t)wait;
}

void server_answered(struct server *server, uint64_t took_us)
{
    uint32_t took = took_us > UINT32_MAX / 8 ? UINT32_MAX / 8 : (uint32_t)took_us;
    uint32_t srtt = server->health.srtt_us;
    uint32_t next = srtt ? (srtt * 7 + took) / 8 : took;
    server->health.srtt_us = next ? next : 1;
    server->health.failures_in_row = 0;
}

void server_failed(struct server *server)
{
    server->health.failures_in_row++;
    server->health.failed++;
}
