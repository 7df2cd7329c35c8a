// SPDX-License-Identifier: Apache-2.0
/* world: the real stages of a query between a fake clock and a fake upstream.
 *
 * Configuration, lists and rules are real files in a folder of its own. A failure to
 * build aborts the test program with a message. */
#pragma once
#include "config/member.h"
#include "query/query.h"

enum { WORLD_LISTS_MAX = 8, WORLD_RULES_MAX = 16, WORLD_DEVICES_MAX = 16 };

struct world_list {
    const char *id, *category;
    int format, match;
    const char *text;
};

/* What the fake upstream says to the next question. */
enum world_reply {
    WORLD_SILENT,
    WORLD_ADDRESS,
    WORLD_ALIAS,
    WORLD_NXDOMAIN,
    WORLD_FAILS,
    WORLD_DATA
};

struct world {
    struct clock clock; /* first: the fake clock is the world */
    char folder[64];
    int64_t wall_s;
    bool clock_in_doubt;
    uint64_t mono_us;
    struct query_worker worker;
    struct query_channel channel;
    struct guard guard;
    struct query slot;
    struct stats *stats;
    struct snapshot *snapshot;
    uint8_t query[512];
    uint8_t reply[DNS_MESSAGE_MAX];
    size_t reply_len; /* 0: nothing was sent */
    unsigned held;

    enum world_reply upstream;
    struct addr upstream_address;
    struct dname upstream_alias; /* for WORLD_ALIAS: the CNAME's target */
    uint32_t upstream_ttl;
    uint8_t upstream_data[512]; /* for WORLD_DATA: of the type that is asked */
    size_t upstream_data_len;
    struct dname asked_name;        /* of the newest question that reached the upstream */
    unsigned asked;                 /* questions that reached the upstream */
    struct upstream_waiter *silent; /* who waits for a silent upstream */
    struct ask silent_ask;
};

/* A device with one of its addresses, as the neighbour table or a lease would tell. */
struct world_device {
    struct member member; /* its MAC or host */
    struct addr addr;
};

struct mmdb_place;
struct world_setup {
    const char *config; /* YAML without server and cache */
    const struct world_list *lists;
    size_t list_count;
    const struct rule *rules;
    size_t rule_count;
    const struct window *windows;
    size_t window_count;
    const struct world_device *devices;
    size_t device_count;
    const struct mmdb_place *places; /* where addresses are, see mmdbfile.h */
    size_t place_count;
};

struct world *world_new(const struct world_setup *setup);
void world_free(struct world *world);

/* Load lists and rules anew, as a reload does; the cache stays. */
void world_change(struct world *world, const struct world_setup *setup);

/* Time has passed: what schedules say now comes into force. */
void world_tick(struct world *world);

/* Ask one question; the reply is in world->reply. */
struct world_question {
    const char *client, *local; /* addresses; local NULL = 10.0.0.1 */
    const char *name;
    uint16_t type;
    bool edns, tcp;
    const uint8_t *mac; /* that a forwarder tells, NULL = none */
    const char *id;     /* of a DoT client, NULL = none */
};
void world_ask(struct world *world, const struct world_question *question);

/* The silent upstream speaks at last: as world->upstream says now. */
void world_upstream_speaks(struct world *world);

/* Fields of the reply. */
bool world_truncated(const struct world *world);
uint8_t world_rcode(const struct world *world);
int world_ede(const struct world *world); /* -1 = none */
/* The text of answer record `index`: "A 192.0.2.1 300"; "" when there is none. */
const char *world_record(const struct world *world, unsigned index);
