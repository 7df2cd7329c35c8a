// SPDX-License-Identifier: Apache-2.0
/* server: the upstream servers of a worker, and which one to ask next. */
#pragma once
#include "base/addr.h"
#include "upstream/upstream.h"

struct server {
    struct addr addr;
    bool tcp;           /* tcp:// */
    bool trusted;       /* a path nobody else is on: loopback */
    uint8_t configured; /* its index in upstream.servers */
    struct upstream_health health;
};

struct server_table {
    struct server servers[UPSTREAM_SERVERS_MAX];
    size_t count;
    uint32_t timeout_ms;
};

/* Servers as configured; "system" stands for those of /etc/resolv.conf that are not
 * ours (the port of a listener of ours on loopback). */
void server_table_set(struct server_table *table, const struct config *config);

/* The next server: the best of those whose bit in *tried is not set, which is set then;
 * all of them again when all were tried. -ENOENT without servers. */
int server_choose(const struct server_table *table, uint32_t *tried);

/* How long to wait for it at that attempt. */
uint32_t server_patience_ms(const struct server_table *table, int index, unsigned attempt);

void server_answered(struct server *server, uint64_t took_us);
void server_failed(struct server *server);
