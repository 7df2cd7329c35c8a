// SPDX-License-Identifier: Apache-2.0
#include "policy/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/configured.h"
#include "policy/geo.h"
#include "policy/lists.h"
#include "policy/localnames.h"
#include "policy/lookalike.h"
#include "policy/marks.h"
#include "policy/rules.h"

static void take_parts(struct snapshot *snapshot, const struct snapshot_parts *parts)
{
    const struct policy_config *config = parts->config;
    const struct policy_lists *lists = parts->lists;
    policy_config_ref(parts->config);
    lists_ref(parts->lists);
    rules_ref(parts->rules);
    geo_ref(parts->geo);
    residents_ref(parts->residents);
    snapshot->parts = *parts;
    snapshot->config = config->config;
    snapshot->catalog = config->catalog;
    snapshot->local = config->local;
    snapshot->known = config->known;
    snapshot->marks = config->marks;
    snapshot->timetables = config->timetables;
    snapshot->places = config->places;
    snapshot->generation = lists->generation + rules_serial(parts->rules) * 0x9e3779b97f4a7c15ULL +
                           geo_serial(parts->geo) * 0xc2b2ae3d27d4eb4fULL;
    snapshot->generation += snapshot->generation == 0;
    snapshot->db = lists->db;
    memcpy(snapshot->categories, lists->categories, sizeof(lists->categories));
    snapshot->category_count = lists->category_count;
    for (unsigned i = 1; i < lists->category_count; i++) {
        snapshot->mixed |= lists->categories[i].mixed ? 1ULL << i : 0;
        snapshot->bypass =
            strcmp(lists->categories[i].id, "bypass") == 0 ? (uint8_t)i : snapshot->bypass;
    }
    snapshot->page_ipv4 = config->page_ipv4;
    snapshot->page_ipv6 = config->page_ipv6;
    snapshot->group_count = config->config->group_count;
}

struct snapshot *snapshot_new(const struct snapshot_parts *parts, const struct moment *moment)
{
    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
    if (!snapshot) {
        return NULL;
    }
    take_parts(snapshot, parts);
    snapshot->effective = calloc(snapshot->group_count, sizeof(*snapshot->effective));
    snapshot->group_stats = calloc(snapshot->group_count, sizeof(*snapshot->group_stats));
    if (!snapshot->effective || !snapshot->group_stats) {
        snapshot_free(snapshot);
        return NULL;
    }
    snapshot->made = *moment;
    policy_effective(snapshot, moment, snapshot->effective);
    policy_set_changes(snapshot, moment, snapshot->effective);
    return snapshot;
}

void snapshot_free(struct snapshot *snapshot)
{
    if (!snapshot) {
        return;
    }
    policy_config_unref(snapshot->parts.config);
    policy_lists_unref(snapshot->parts.lists);
    policy_rules_unref(snapshot->parts.rules);
    geo_unref(snapshot->parts.geo);
    residents_unref(snapshot->parts.residents);
    free(snapshot->effective);
    free(snapshot->group_stats);
    free(snapshot);
}

void snapshot_probe(const struct snapshot *snapshot, const struct dname *name,
                    struct blockdb_probe *ret_probe)
{
    ret_probe->count = 0;
    if (snapshot->db) {
        blockdb_probe(snapshot->db, name, ret_probe);
    }
}

static bool regex_touches(const struct regex_set *set, const struct dname *name)
{
    struct regex_name text;
    int at = regex_prepare(set, name, &text) ? regex_next(&text, 0) : -1;
    while (at >= 0 && !regex_matches(set, (uint32_t)at, &text)) {
        at = regex_next(&text, (uint32_t)at + 1);
    }
    return at >= 0;
}

/* An engine with a safe mode is never blocked. */
static bool marks_touch(const struct snapshot *snapshot, const struct dname *name)
{
    struct mark marks[MARKS_MAX];
    size_t count = marks_find(snapshot->marks, name, marks);
    for (size_t i = 0; i < count; i++) {
        const struct known_item *item = &snapshot->known->items[marks[i].item];
        if (item->kind != KNOWN_ENGINE || !item->target) {
            return true;
        }
    }
    return false;
}

static bool touches_name(const struct snapshot *snapshot, const struct dname *name)
{
    struct blockdb_probe probe;
    struct blockdb_hit hits[DNAME_LABELS_MAX];
    snapshot_probe(snapshot, name, &probe);
    return (snapshot->db && blockdb_find(snapshot->db, &probe, hits) > 0) ||
           rules_touch(snapshot->parts.rules, name) || marks_touch(snapshot, name) ||
           (snapshot->parts.lists->regex && regex_touches(snapshot->parts.lists->regex, name));
}

bool snapshot_touches(const struct snapshot *snapshot, const struct dname *name)
{
    struct dname plain;
    return touches_name(snapshot, name) ||
           (lookalike_find(name, &plain) && touches_name(snapshot, &plain));
}

static bool lists_addresses(const struct snapshot *snapshot)
{
    return snapshot->db && blockdb_info(snapshot->db)->addresses;
}

/* Is any group to be kept from places that the databases know? */
static bool judges_places(const struct snapshot *snapshot)
{
    return snapshot->parts.geo && snapshot->parts.config->judges_places;
}

static bool is_shunned(const struct snapshot *snapshot, const struct addr *addr)
{
    bool shunned = false;
    if (judges_places(snapshot) && !addr_is_internal(addr)) {
        const struct geo_place place = geo_find(snapshot->parts.geo, addr);
        for (size_t i = 0; i < snapshot->group_count && !shunned; i++) {
            shunned = geo_choice_holds(&snapshot->places[i], &place);
        }
    }
    return shunned;
}

bool snapshot_judges_addresses(const struct snapshot *snapshot)
{
    return snapshot->config->dns.rebinding_protection || lists_addresses(snapshot) ||
           judges_places(snapshot);
}

bool snapshot_touches_address(const struct snapshot *snapshot, const struct addr *addr)
{
    struct blockdb_address_hit hits[BLOCKDB_ADDRESS_HITS_MAX];
    return (snapshot->config->dns.rebinding_protection && addr_is_internal(addr)) ||
           (lists_addresses(snapshot) && blockdb_find_address(snapshot->db, addr, hits) > 0) ||
           is_shunned(snapshot, addr);
}

bool snapshot_guards(const struct snapshot *snapshot, const struct dname *name)
{
    const struct policy_config *part = snapshot->parts.config;
    bool excepted = local_names_is_elsewhere(snapshot->local, name) || name->labels < 2;
    for (size_t i = 0; i < part->inside_count && !excepted; i++) {
        excepted = dname_is_below(name, &part->inside[i]) || dname_equal(name, &part->inside[i]);
    }
    return snapshot->config->dns.rebinding_protection && !excepted;
}

bool snapshot_protects(const struct snapshot *snapshot, const struct dname *name)
{
    return rules_protects(snapshot->parts.rules, name) >= 0;
}

static uint16_t least(uint16_t a, uint16_t b)
{
    return a < b ? a : b;
}

/* CLIENT_NONE and KEYRING_NONE are more than any group. */
static uint16_t or_rest(const struct snapshot *snapshot, uint16_t group)
{
    return group < snapshot->group_count ? group : (uint16_t)(snapshot->group_count - 1);
}

static uint16_t group_of_address(const struct snapshot *snapshot, const struct addr *addr)
{
    const struct resident *resident = residents_find(snapshot->parts.residents, addr);
    uint16_t group = client_find(snapshot->parts.config->groups, addr);
    return resident ? least(group, resident->group) : group;
}

uint16_t snapshot_group(const struct snapshot *snapshot, const struct client *client)
{
    const struct keyring *keys = snapshot->parts.config->keys;
    uint16_t group = client->mac ? keyring_find_mac(keys, client->mac) : KEYRING_NONE;
    if (group == KEYRING_NONE) {
        group = group_of_address(snapshot, client->addr);
    }
    if (client->id && *client->id) {
        group = least(group, keyring_find_name(keys, MEMBER_ID, client->id));
    }
    return or_rest(snapshot, group);
}

uint16_t snapshot_group_of_member(const struct snapshot *snapshot, const struct member *member)
{
    const struct keyring *keys = snapshot->parts.config->keys;
    uint16_t group =
        member->kind == MEMBER_PREFIX ? group_of_address(snapshot, &member->prefix.addr)
        : member->kind == MEMBER_MAC  ? keyring_find_mac(keys, member->mac)
                                      : keyring_find_name(keys, member->kind, member->name);
    return or_rest(snapshot, group);
}

bool snapshot_admits(const struct snapshot *snapshot, const struct addr *client)
{
    return client_find(snapshot->parts.config->admitted, client) != CLIENT_NONE;
}

bool snapshot_is_forwarder(const struct snapshot *snapshot, const struct addr *client)
{
    return client_find(snapshot->parts.config->forwarders, client) != CLIENT_NONE;
}

int snapshot_find_group(const struct snapshot *snapshot, const char *name)
{
    for (size_t i = 0; i < snapshot->group_count; i++) {
        if (strcmp(snapshot->config->groups[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -ENOENT;
}

const struct rule *snapshot_rule(const struct snapshot *snapshot, int32_t rule)
{
    return rules_get(snapshot->parts.rules, rule);
}

void snapshot_lists_path(const struct config *config, char *out, size_t cap)
{
    snprintf(out, cap, "%s/blocklist.ggdb", config->server.state_dir);
    if (access(out, R_OK) < 0) {
        policy_config_starter(config, out, cap);
    }
    if (access(out, R_OK) < 0) {
        out[0] = '\0';
    }
}
