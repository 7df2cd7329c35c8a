// SPDX-License-Identifier: Apache-2.0
/* neigh: the kernel's neighbour table (ARP and NDP) by rtnetlink, kept up to date.
 *
 * For one thread. Nothing here waits: neigh_read() takes what has come. */
#pragma once
#include "base/addr.h"

enum { NEIGH_MAC_LEN = 6, NEIGH_MAX = 8192 }; /* the kernel itself keeps 1024 without being told */

struct neighbour {
    struct addr addr; /* with the interface as scope when link-local */
    int interface;
    uint32_t dump; /* the newest dump of the table that named it */
    uint8_t mac[NEIGH_MAC_LEN];
};

struct neigh;

/* Opens the socket and asks for the whole table. What socket(2), bind(2), sendto(2) say. */
__attribute__((warn_unused_result)) int neigh_open(struct neigh **ret_neigh);
void neigh_close(struct neigh *neigh); /* accepts NULL */

/* To wait for. */
int neigh_fd(const struct neigh *neigh);

/* Take in what has come; returns whether the table changed. When messages were lost the
 * whole table is asked for anew, by later calls too until it has come. A damaged message is
 * left out. */
bool neigh_read(struct neigh *neigh);

/* An empty table without a socket, and messages as they come from the kernel; for tests. */
struct neigh *neigh_new(void);
bool neigh_take(struct neigh *neigh, const uint8_t *data, size_t len);

/* The rows, in no order; valid until the next neigh_read(). */
size_t neigh_rows(const struct neigh *neigh, const struct neighbour **ret_rows);
