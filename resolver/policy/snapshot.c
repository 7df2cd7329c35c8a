// SPDX-License-Identifier: Apache-2.0
#include "policy/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/referral.h"
#include "config/schedule.h"
#include "policy/client.h"
#include "policy/lists.h"
#include "policy/localnames.h"
#include "policy/lookalike.h"
#include "policy/marks.h"
#include "policy/rules.h"

enum { LOCAL_PREFIXES_MAX = 256 };

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
    struct client_index *groups;
    struct client_index *admitted;
    struct client_index *forwarders;
    struct local_names *local;
    struct addr page_ipv4, page_ipv6;
};

struct data_files {
    struct catalog *catalog;
    struct known *known;
};

/* A growing run of client rules. */
struct rule_run {
    struct client_rule *items;
    size_t count;
};

static void run_add(struct rule_run *run, const char *text, uint16_t value)
{
    struct client_rule *rule = &run->items[run->count];
    *rule = (struct client_rule){.value = value};
    run->count += prefix_parse(text, &rule->prefix) == 0;
}

static int read_inside(const struct config *config, struct policy_config *part)
{
    const struct text_list *names = &config->dns.rebinding_exceptions;
    part->inside = calloc(names->count + 1, sizeof(*part->inside));
    for (size_t i = 0; part->inside && i < names->count; i++) {
        part->inside_count += dname_parse(names->items[i], &part->inside[part->inside_count]) == 0;
    }
    return part->inside ? 0 : -ENOMEM;
}

/* Rows of groups.schedule, in the order of the groups. They have been checked. */
static int read_schedules(const struct config *config, struct timetable **ret_timetables)
{
    struct timetable *tables = calloc(config->group_count + 1, sizeof(*tables));
    if (!tables) {
        return -ENOMEM;
    }
    *ret_timetables = tables;
    for (size_t i = 0; i < config->group_count; i++) {
        const struct text_list *rows = &config->groups[i].schedule;
        tables[i].rows = calloc(rows->count + 1, sizeof(*tables[i].rows));
        if (!tables[i].rows) {
            return -ENOMEM;
        }
        for (size_t k = 0; k < rows->count; k++) {
            (void)schedule_read(rows->items[k], config, &tables[i].rows[k]);
        }
    }
    return 0;
}

static void free_schedules(struct timetable *tables, size_t count)
{
    for (size_t i = 0; tables && i < count; i++) {
        free(tables[i].rows);
    }
    free(tables);
}

static struct client_index *index_groups(const struct config *config)
{
    size_t total = 1;
    for (size_t i = 0; i < config->group_count; i++) {
        total += config->groups[i].clients.count;
    }
    struct rule_run run = {.items = calloc(total, sizeof(*run.items))};
    if (!run.items) {
        return NULL;
    }
    for (size_t i = 0; i < config->group_count; i++) {
        const struct text_list *clients = &config->groups[i].clients;
        for (size_t k = 0; k < clients->count; k++) {
            run_add(&run, clients->items[k], (uint16_t)i);
        }
    }
    struct client_index *index = client_index_new(run.items, run.count);
    free(run.items);
    return index;
}

static struct client_index *index_list(const struct text_list *list)
{
    struct rule_run run = {.items = calloc(list->count + LOCAL_PREFIXES_MAX, sizeof(*run.items))};
    if (!run.items) {
        return NULL;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], "local") == 0) {
            run.count += client_local_prefixes(run.items + run.count, LOCAL_PREFIXES_MAX, 0);
        } else {
            run_add(&run, list->items[i], 0);
        }
    }
    struct client_index *index = client_index_new(run.items, run.count);
    free(run.items);
    return index;
}

/* Takes over the configuration and its data files on success. */
static int make_part(struct config *config, const struct data_files *data,
                     struct policy_config **ret_part, struct diag *diag)
{
    /* A group that blocks an unknown category would protect less than its author thinks. */
    int err = referral_check(config, &(struct referral){data->catalog, data->known}, diag);
    if (err < 0) {
        return err;
    }
    struct policy_config *part = calloc(1, sizeof(*part));
    if (!part) {
        return -ENOMEM;
    }
    part->refs = 1;
    part->marks = marks_new(data->known);
    part->timetable_count = config->group_count;
    part->groups = index_groups(config);
    part->admitted = index_list(&config->dns.allow_clients);
    part->forwarders = index_list(&config->dns.trusted_forwarders);
    part->local = local_names_new(config);
    if (!part->groups || !part->admitted || !part->forwarders || !part->local || !part->marks ||
        read_schedules(config, &part->timetables) < 0 || read_inside(config, part) < 0) {
        policy_config_unref(part);
        return -ENOMEM;
    }
    if (addr_parse(config->block.page_ipv4, &part->page_ipv4) < 0) {
        part->page_ipv4.family = 0;
    }
    if (addr_parse(config->block.page_ipv6, &part->page_ipv6) < 0) {
        part->page_ipv6.family = 0;
    }
    part->config = config;
    part->catalog = data->catalog;
    part->known = data->known;
    *ret_part = part;
    return 0;
}

/* Takes the configuration over. */
static int make_with_catalog(struct config *config, struct policy_config **ret_part,
                             struct diag *diag)
{
    struct data_files data = {0};
    int err = catalog_load(config->server.data_dir, &data.catalog, diag);
    if (err == 0) {
        err = known_load(config->server.data_dir, &data.known);
    }
    if (err == 0) {
        err = make_part(config, &data, ret_part, diag);
    }
    if (err < 0) {
        catalog_free(data.catalog);
        known_free(data.known);
        config_free(config);
    }
    return err;
}

int policy_config_load(const char *path, struct policy_config **ret_part, struct diag *diag)
{
    struct config *config = NULL;
    int err = config_load(path, &config, diag);
    return err < 0 ? err : make_with_catalog(config, ret_part, diag);
}

int policy_config_load_own(const char *path, struct policy_config **ret_part, struct diag *diag)
{
    struct config *config = NULL;
    int err = config_load_with(path, NULL, &config, diag);
    return err < 0 ? err : make_with_catalog(config, ret_part, diag);
}

void policy_config_ref(struct policy_config *part)
{
    part->refs++;
}

void policy_config_unref(struct policy_config *part)
{
    if (!part || --part->refs) {
        return;
    }
    client_index_free(part->groups);
    client_index_free(part->admitted);
    client_index_free(part->forwarders);
    local_names_free(part->local);
    marks_free(part->marks);
    free(part->inside);
    free_schedules(part->timetables, part->timetable_count);
    known_free(part->known);
    catalog_free(part->catalog);
    config_free(part->config);
    free(part);
}

const struct config *policy_config_get(const struct policy_config *part)
{
    return part->config;
}

const struct catalog *policy_config_catalog(const struct policy_config *part)
{
    return part->catalog;
}

static void take_parts(struct snapshot *snapshot, struct policy_config *config,
                       struct policy_lists *lists, struct policy_rules *rules)
{
    config->refs++;
    lists_ref(lists);
    rules_ref(rules);
    snapshot->policy_config = config;
    snapshot->lists = lists;
    snapshot->rules = rules;
    snapshot->config = config->config;
    snapshot->catalog = config->catalog;
    snapshot->local = config->local;
    snapshot->known = config->known;
    snapshot->marks = config->marks;
    snapshot->timetables = config->timetables;
    snapshot->generation = lists->generation + rules_serial(rules) * 0x9e3779b97f4a7c15ULL;
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

struct snapshot *snapshot_new(struct policy_config *config, struct policy_lists *lists,
                              struct policy_rules *rules, const struct moment *moment)
{
    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
    if (!snapshot) {
        return NULL;
    }
    take_parts(snapshot, config, lists, rules);
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
    policy_config_unref(snapshot->policy_config);
    policy_lists_unref(snapshot->lists);
    policy_rules_unref(snapshot->rules);
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
           rules_touch(snapshot->rules, name) || marks_touch(snapshot, name) ||
           (snapshot->lists->regex && regex_touches(snapshot->lists->regex, name));
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

bool snapshot_judges_addresses(const struct snapshot *snapshot)
{
    return snapshot->config->dns.rebinding_protection || lists_addresses(snapshot);
}

bool snapshot_touches_address(const struct snapshot *snapshot, const struct addr *addr)
{
    struct blockdb_address_hit hits[BLOCKDB_ADDRESS_HITS_MAX];
    return (snapshot->config->dns.rebinding_protection && addr_is_internal(addr)) ||
           (lists_addresses(snapshot) && blockdb_find_address(snapshot->db, addr, hits) > 0);
}

bool snapshot_guards(const struct snapshot *snapshot, const struct dname *name)
{
    const struct policy_config *part = snapshot->policy_config;
    bool excepted = local_names_is_elsewhere(snapshot->local, name) || name->labels < 2;
    for (size_t i = 0; i < part->inside_count && !excepted; i++) {
        excepted = dname_is_below(name, &part->inside[i]) || dname_equal(name, &part->inside[i]);
    }
    return snapshot->config->dns.rebinding_protection && !excepted;
}

bool snapshot_protects(const struct snapshot *snapshot, const struct dname *name)
{
    return rules_protects(snapshot->rules, name) >= 0;
}

uint16_t snapshot_group(const struct snapshot *snapshot, const struct addr *client)
{
    uint16_t group = client_find(snapshot->policy_config->groups, client);
    return group == CLIENT_NONE ? (uint16_t)(snapshot->group_count - 1) : group;
}

bool snapshot_admits(const struct snapshot *snapshot, const struct addr *client)
{
    return client_find(snapshot->policy_config->admitted, client) != CLIENT_NONE;
}

bool snapshot_is_forwarder(const struct snapshot *snapshot, const struct addr *client)
{
    return client_find(snapshot->policy_config->forwarders, client) != CLIENT_NONE;
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
    return rules_get(snapshot->rules, rule);
}

void snapshot_lists_path(const struct config *config, char *out, size_t cap)
{
    snprintf(out, cap, "%s/blocklist.ggdb", config->server.state_dir);
    if (access(out, R_OK) < 0) {
        snprintf(out, cap, "%s/starter.ggdb", config->server.data_dir);
    }
    if (access(out, R_OK) < 0) {
        out[0] = '\0';
    }
}
