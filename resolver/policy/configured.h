// SPDX-License-Identifier: Apache-2.0
/* configured: the settings with all that is made of them before a query comes: the
 * clients' index, schedules, data files, local names. */
#pragma once
#include "policy/client.h"
#include "policy/residents.h"
#include "policy/snapshot.h"

struct policy_config {
    unsigned refs;
    struct config *config;
    struct catalog *catalog;
    struct known *known;
    struct marks *marks;
    struct timetable *timetables; /* [groups] */
    size_t timetable_count;
    struct dname *inside; /* names that may have internal addresses */
    size_t inside_count;
    struct geo_choice *places; /* [groups] */
    bool judges_places;        /* any of them */
    struct keyring *keys;      /* what groups name that is no address */
    struct client_index *groups;
    struct client_index *admitted;
    struct client_index *forwarders;
    struct local_names *local;
    struct addr page_ipv4, page_ipv6;
};
