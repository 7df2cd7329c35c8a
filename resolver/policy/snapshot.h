// SPDX-License-Identifier: Apache-2.0
/* snapshot: all that a query is judged by, immutable while workers hold it.
 *
 * Made of separately counted parts (configuration, lists, rules), so that a local
 * rule or the minute tick rebuilds only its own. Parts are counted by the thread
 * that builds snapshots (the daemon's main thread) and by nobody else. */
#pragma once
#include "base/addr.h"
#include "config/catalog.h"
#include "policy/decide.h"
#include "policy/rule.h"

struct keyring;       /* see policy/keyring.h */
struct member;        /* see config/member.h */
struct known;         /* see config/known.h */
struct marks;         /* see policy/marks.h */
struct local_names;   /* see policy/localnames.h */
struct policy_config; /* settings, catalogue, client index */
struct policy_lists;  /* database, category numbers, class masks */
struct policy_rules;  /* local rules and protected names, indexed */
struct geo;           /* see policy/geo.h */
struct geo_choice;

struct category_info {
    const char *id;
    int8_t mode;       /* enum block_mode or MODE_UNSET */
    bool mixed;        /* good and bad alike: preferred categories outrank it */
    uint16_t stats_id; /* filled by the daemon, see stats_name_category() */
};

struct snapshot_parts {
    struct policy_config *config;
    struct policy_lists *lists;
    struct policy_rules *rules;
    struct geo *geo;             /* these two may be NULL */
    struct residents *residents; /* see policy/residents.h */
};

struct snapshot {
    const struct config *config;
    const struct catalog *catalog;
    const struct local_names *local;
    const struct known *known;
    const struct marks *marks;
    const struct timetable *timetables; /* [group_count], see config/schedule.h */
    const struct geo_choice *places;    /* [group_count] that groups must not be led to */
    uint64_t generation;                /* changes with the lists; never 0 */
    const struct blockdb *db;           /* NULL: unprotected */
    struct category_info categories[SNAPSHOT_CATEGORIES_MAX];
    unsigned category_count; /* with "none" */
    uint64_t mixed;          /* categories that are */
    uint8_t bypass;          /* the category of ways around, 0 = none */
    struct addr page_ipv4;   /* block.page_ipv4, family 0 when unset */
    struct addr page_ipv6;
    size_t group_count;
    struct effective_group *effective; /* [group_count] */
    struct moment made;                /* what they hold for */
    uint16_t *group_stats;             /* [group_count] stats ids, filled by the daemon */
    struct snapshot_parts parts;
};

/* Load configuration and catalogue from files in one step. */
__attribute__((warn_unused_result)) int
policy_config_load(const char *path, struct policy_config **ret_part, struct diag *diag);

/* The same from the administrator's files alone, without managed.yaml. */
__attribute__((warn_unused_result)) int
policy_config_load_own(const char *path, struct policy_config **ret_part, struct diag *diag);

/* The database at path, as the configuration's sources and categories see it; NULL
 * path gives an empty part. A failure (-ENOENT, -EBADMSG, -EPROTO) leaves *ret_part alone. */
__attribute__((warn_unused_result)) int policy_lists_open(const char *path,
                                                          const struct policy_config *config,
                                                          struct policy_lists **ret_part,
                                                          struct diag *diag);

/* Index the rules (copied), never_block and the built-in protected names. -ENOMEM. */
__attribute__((warn_unused_result)) int policy_rules_new(const struct rule *rules, size_t count,
                                                         const struct policy_config *config,
                                                         struct policy_rules **ret_part);

/* Give rules that no snapshot holds yet their windows of time (copied). -ENOMEM. */
__attribute__((warn_unused_result)) int
policy_rules_set_windows(struct policy_rules *rules, const struct window *windows, size_t count);

void policy_config_ref(struct policy_config *part);
void policy_config_unref(struct policy_config *part);
void policy_lists_unref(struct policy_lists *part);
void policy_rules_unref(struct policy_rules *part);

/* Takes a reference on each part. NULL without memory. */
struct snapshot *snapshot_new(const struct snapshot_parts *parts, const struct moment *moment);
void snapshot_free(struct snapshot *snapshot);

const struct config *policy_config_get(const struct policy_config *part);

/* Where the starter database that ships is, or should be; returns out. */
const char *policy_config_starter(const struct config *config, char *out, size_t cap);
const struct keyring *policy_config_keys(const struct policy_config *part);
const struct catalog *policy_config_catalog(const struct policy_config *part);
/* 0, or the errno that kept a data file, whole perhaps, from being read. */
int policy_config_shortage(const struct policy_config *part);
int policy_rules_shortage(const struct policy_rules *rules);

/* Hash the name's suffixes; an empty probe without a database. */
void snapshot_probe(const struct snapshot *snapshot, const struct dname *name,
                    struct blockdb_probe *ret_probe);

/* Could any group's verdict over this name be other than "not listed"? */
bool snapshot_touches(const struct snapshot *snapshot, const struct dname *name);

/* The same of an address, and whether any address can be blocked at all. */
bool snapshot_touches_address(const struct snapshot *snapshot, const struct addr *addr);
bool snapshot_judges_addresses(const struct snapshot *snapshot);

/* Must answers about the name not lead to internal addresses? */
bool snapshot_guards(const struct snapshot *snapshot, const struct dname *name);

/* Is it a protected name, which no list may block? */
bool snapshot_protects(const struct snapshot *snapshot, const struct dname *name);

/* What is known of who asks. */
struct client {
    const struct addr *addr;
    const uint8_t *mac; /* by the word of a trusted forwarder, NULL = none */
    const char *id;     /* of a DoT client, NULL or "" = none */
};

/* The client's group: the first of config->groups that names its address, its MAC, its
 * host or its id. The address of a forwarder counts when nobody names the MAC that it told. */
uint16_t snapshot_group(const struct snapshot *snapshot, const struct client *client);

/* The group of what groups[].clients would name. */
uint16_t snapshot_group_of_member(const struct snapshot *snapshot, const struct member *member);

/* May this client ask at all (dns.allow_clients)? */
bool snapshot_admits(const struct snapshot *snapshot, const struct addr *client);

/* Is it one of dns.trusted_forwarders? */
bool snapshot_is_forwarder(const struct snapshot *snapshot, const struct addr *client);

/* The index of a group by name, or -ENOENT. */
int snapshot_find_group(const struct snapshot *snapshot, const char *name);

const struct rule *snapshot_rule(const struct snapshot *snapshot, int32_t rule);

/* Where the database in force lies: state_dir/blocklist.ggdb if it opens for
 * reading, else data_dir/starter.ggdb, else "". */
void snapshot_lists_path(const struct config *config, char *out, size_t cap);
