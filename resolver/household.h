// SPDX-License-Identifier: Apache-2.0
/* household: which addresses belong to devices that groups name by MAC or by host. */
#pragma once
#include "neigh/leases.h"
#include "policy/residents.h"

#include <uv.h>

struct daemon;
struct neigh;
struct presence;
struct watch;

struct household {
    struct neigh *neigh; /* NULL: it could not be opened */
    uv_poll_t poll;
    bool polling;
    bool tried;
    char error[128]; /* why the neighbour table cannot be read, "" = it can */
    uint64_t lease_mark;
    struct leases leases;
    struct watch *watch;         /* one device that is watched; NULL without memory */
    struct presence *presence;   /* who asked at all; NULL without memory */
    uint64_t presence_s;         /* when its older half was forgotten, on the monotonic clock */
    struct residents *residents; /* in force */
    bool stale;                  /* neighbours have changed since they were gathered */
    const void *gathered_for;    /* the configuration whose groups they were gathered for */
    uint64_t looked_ms;          /* when a change was last followed at once */
};

/* Take in what neighbours and leases say now, and what groups of daemon->config name.
 * Returns whether residents changed, so that a snapshot must be made. */
bool household_refresh(struct daemon *daemon);

/* Follow the neighbour table on daemon->loop, until household_stop(). */
void household_start(struct daemon *daemon);
void household_stop(struct daemon *daemon);
void household_clear(struct daemon *daemon);

/* How many devices of the neighbour table ask us; zeroed before. */
struct daemon_devices; /* control/status.h */
void household_count(const struct daemon *daemon, struct daemon_devices *ret_devices);

/* Why devices are not known as they should be, "" = they are. */
const char *household_trouble(const struct daemon *daemon);
