// SPDX-License-Identifier: Apache-2.0
#include "policy/configured.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/datafile.h"
#include "config/referral.h"
#include "config/schedule.h"
#include "policy/geo.h"
#include "policy/localnames.h"
#include "policy/marks.h"

enum { LOCAL_PREFIXES_MAX = 256 };

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

static int read_places(const struct config *config, struct policy_config *part)
{
    part->places = calloc(config->group_count + 1, sizeof(*part->places));
    int err = part->places ? 0 : -ENOMEM;
    for (size_t i = 0; i < config->group_count && err == 0; i++) {
        err = geo_choice_read(&config->groups[i], &part->places[i]);
        part->judges_places |= part->places[i].any;
    }
    return err;
}

static void free_places(struct geo_choice *places, size_t count)
{
    for (size_t i = 0; places && i < count; i++) {
        geo_choice_clear(&places[i]);
    }
    free(places);
}

static void free_schedules(struct timetable *tables, size_t count)
{
    for (size_t i = 0; tables && i < count; i++) {
        free(tables[i].rows);
    }
    free(tables);
}

static size_t count_members(const struct config *config)
{
    size_t total = 0;
    for (size_t i = 0; i < config->group_count; i++) {
        total += config->groups[i].clients.count;
    }
    return total;
}

/* Addresses into an index, everything else into the keyring. */
static int index_groups(const struct config *config, struct policy_config *part)
{
    size_t total = count_members(config);
    struct rule_run run = {.items = calloc(total + 1, sizeof(*run.items))};
    part->keys = keyring_new(total);
    for (size_t i = 0; part->keys && run.items && i < config->group_count; i++) {
        const struct text_list *clients = &config->groups[i].clients;
        for (size_t k = 0; k < clients->count; k++) {
            struct member member;
            int err = member_parse(clients->items[k], &member);
            if (err == 0 && member.kind == MEMBER_PREFIX) {
                run_add(&run, clients->items[k], (uint16_t)i);
            } else if (err == 0) {
                keyring_add(part->keys, &member, (uint16_t)i);
            }
        }
    }
    part->groups = run.items ? client_index_new(run.items, run.count) : NULL;
    free(run.items);
    return part->keys && part->groups ? 0 : -ENOMEM;
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
    part->admitted = index_list(&config->dns.allow_clients);
    part->forwarders = index_list(&config->dns.trusted_forwarders);
    part->local = local_names_new(config);
    if (index_groups(config, part) < 0 || !part->admitted || !part->forwarders || !part->local ||
        !part->marks || read_schedules(config, &part->timetables) < 0 ||
        read_inside(config, part) < 0 || read_places(config, part) < 0) {
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
    keyring_free(part->keys);
    client_index_free(part->admitted);
    client_index_free(part->forwarders);
    local_names_free(part->local);
    marks_free(part->marks);
    free(part->inside);
    free_schedules(part->timetables, part->timetable_count);
    free_places(part->places, part->timetable_count);
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

int policy_config_shortage(const struct policy_config *part)
{
    return part->known->shortage;
}

const struct keyring *policy_config_keys(const struct policy_config *part)
{
    return part->keys;
}

const char *policy_config_starter(const struct config *config, char *out, size_t cap)
{
    return datafile_path(config->server.data_dir, "starter.ggdb", out, cap);
}
