// SPDX-License-Identifier: Apache-2.0
#include "daemon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/schedule.h"
#include "geography.h"
#include "intake.h"
#include "policy/overridden.h"
#include "records.h"
#include "upstream/claim.h"
#include "upstreams.h"

/* Changes of schedules are looked for once for a day and a half, so again before that is over. */
enum { LOOK_AHEAD_AGAIN_S = 6 * 3600, DRIFT_S = 2 };

/* Statistics know groups and categories by ids that outlive a snapshot. */
static void name_for_stats(struct daemon *daemon, struct snapshot *snapshot)
{
    if (!daemon->stats) {
        return;
    }
    for (size_t i = 0; i < snapshot->group_count; i++) {
        snapshot->group_stats[i] =
            stats_name_group(daemon->stats, snapshot->config->groups[i].name);
    }
    for (unsigned i = 1; i < snapshot->category_count; i++) {
        snapshot->categories[i].stats_id =
            stats_name_category(daemon->stats, snapshot->categories[i].id);
    }
}

/* Build a snapshot of the current parts and hand it to every worker. */
static int swap_snapshot(struct daemon *daemon)
{
    struct retired *retired = calloc(1, sizeof(*retired));
    daemon->time.clock = daemon->clock;
    daemon->time.wait_for_sync = policy_config_get(daemon->config)->server.wait_for_sync;
    const struct moment now = timekeeper_look(&daemon->time);
    const struct snapshot_parts parts = {daemon->config, daemon->lists, daemon->rules, daemon->geo,
                                         daemon->household.residents};
    struct snapshot *next = snapshot_new(&parts, &now);
    if (!next || !retired) {
        free(retired);
        snapshot_free(next);
        return -ENOMEM;
    }
    name_for_stats(daemon, next);
    if (daemon->snapshot) {
        retired->snapshot = daemon->snapshot;
        retired->next = daemon->retired;
        daemon->retired = retired;
    } else {
        free(retired);
    }
    daemon->snapshot = next;
    for (unsigned i = 0; i < daemon->worker_count; i++) {
        worker_hand_over(daemon->workers[i], next);
    }
    return 0; /* the old one goes in daemon_collect(): whoever called may still look at it */
}

/* Index rules and windows. For want of memory or descriptors protected names are not given
 * up that are in force. */
static int make_rules(const struct daemon *daemon, const struct rule_list *list,
                      const struct policy_config *config, struct policy_rules **ret_rules)
{
    struct policy_rules *rules = NULL;
    int err = policy_rules_new(list->items, list->count, config, &rules);
    if (err == 0) {
        err = policy_rules_set_windows(rules, list->windows, list->window_count);
    }
    if (err == 0 && daemon->rules && policy_rules_shortage(daemon->rules) == 0) {
        err = policy_rules_shortage(rules);
    }
    if (err < 0) {
        policy_rules_unref(rules);
        return err;
    }
    *ret_rules = rules;
    return 0;
}

/* Is it a database that updates made, and not the starter list? */
static bool is_compiled(const struct config *config, const char *path)
{
    size_t len = strlen(config->server.state_dir);
    return strncmp(path, config->server.state_dir, len) == 0 && path[len] == '/';
}

/* Looked at when lists or rules have changed. */
static void count_not_needed(struct daemon *daemon)
{
    daemon->rules_not_needed = 0;
    for (size_t i = 0; i < daemon->rule_list.count; i++) {
        daemon->rules_not_needed +=
            overridden_is_gone(daemon->snapshot, &daemon->rule_list.items[i]);
    }
}

int daemon_load(struct daemon *daemon, struct diag *diag)
{
    int err = intake_first_config(daemon, diag);
    if (err < 0) {
        return err;
    }
    const struct config *config = policy_config_get(daemon->config);
    schedule_set_timezone(config);
    snprintf(daemon->rules_path, sizeof(daemon->rules_path), "%s/rules.yaml",
             config->server.state_dir);
    err = intake_first_lists(daemon);
    if (err == 0) {
        intake_first_rules(daemon);
        rule_list_expire(&daemon->rule_list, clock_wall_s(daemon->clock));
        err = make_rules(daemon, &daemon->rule_list, daemon->config, &daemon->rules);
        daemon->rules_end = rule_list_next_end(&daemon->rule_list);
    }
    if (err == 0) {
        err = upstream_plan_new(config, &daemon->plan, diag);
    }
    daemon->lists_compiled = is_compiled(config, daemon->lists_path);
    daemon->started_with = daemon->config;
    (void)geography_refresh(daemon);
    (void)household_refresh(daemon);
    policy_config_ref(daemon->started_with);
    err = err < 0 ? err : swap_snapshot(daemon);
    if (err == 0) {
        count_not_needed(daemon);
    }
    return err;
}

static bool same_list(const struct text_list *a, const struct text_list *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < b->count; i++) {
        same = strcmp(a->items[i], b->items[i]) == 0;
    }
    return same;
}

/* Settings that are used only when the program starts: those in force differ from the
 * file's until a restart. */
static void note_restart(struct daemon *daemon, const struct config *now)
{
    const struct config *first = policy_config_get(daemon->started_with);
    const struct {
        const char *key;
        bool same;
    } keys[] = {
        {"dns.listen", same_list(&first->dns.listen, &now->dns.listen)},
        {"dns.tls_listen", same_list(&first->dns.tls_listen, &now->dns.tls_listen)},
        {"server.timezone", strcmp(first->server.timezone, now->server.timezone) == 0},
        {"server.workers", first->server.workers == now->server.workers},
        {"server.user", strcmp(first->server.user, now->server.user) == 0},
        {"server.state_dir", strcmp(first->server.state_dir, now->server.state_dir) == 0},
        {"server.control_socket",
         strcmp(first->server.control_socket, now->server.control_socket) == 0},
        {"cache.size_mb", first->cache.size_mb == now->cache.size_mb},
        {"stats.keep_days", first->stats.keep_days == now->stats.keep_days},
        {"stats.privacy", first->stats.privacy == now->stats.privacy},
        {"stats.min_clients", first->stats.min_clients == now->stats.min_clients},
    };
    daemon->restart_note[0] = '\0';
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (!keys[i].same) {
            snprintf(daemon->restart_note, sizeof(daemon->restart_note),
                     "%s changed: restart greengated to use it", keys[i].key);
            return;
        }
    }
}

/* The parts of a reload, until they replace the old ones. */
struct parts {
    struct policy_config *config;
    struct policy_lists *lists;
    struct policy_rules *rules;
    struct rule_list list;
    struct upstream_plan *plan;
    char path[DAEMON_PATH_MAX];
    bool lists_failed;
    struct diag left_out; /* why local rules are, as they were at the start; "" = are not */
};

/* Rules that the start had to leave out do not keep new lists out too. */
static int load_rules(const struct daemon *daemon, struct parts *parts, struct diag *diag)
{
    int err = rulefile_load(daemon->rules_path, &parts->list, &parts->left_out);
    if (err < 0 && daemon->rules_error[0]) {
        return rule_list_copy(&daemon->rule_list, &parts->list);
    }
    if (err < 0 && diag) {
        *diag = parts->left_out;
    }
    return err;
}

static int load_lists(const struct daemon *daemon, struct parts *parts, struct diag *diag)
{
    snapshot_lists_path(policy_config_get(parts->config), parts->path, sizeof(parts->path));
    if (daemon->lists_compiled && !is_compiled(policy_config_get(parts->config), parts->path)) {
        return diag_set(diag, -ENOENT, "%s/blocklist.ggdb is missing or cannot be read",
                        policy_config_get(parts->config)->server.state_dir);
    }
    return policy_lists_open(parts->path, parts->config, &parts->lists, diag);
}

static int load_parts(const struct daemon *daemon, struct parts *parts, struct diag *diag)
{
    int err = intake_config(daemon, &parts->config, diag);
    if (err < 0) {
        return err;
    }
    if (policy_config_shortage(daemon->config) == 0) {
        err = policy_config_shortage(parts->config);
    }
    if (err < 0) {
        return diag_set(diag, err, "a file in server.data_dir cannot be read: %s", strerror(-err));
    }
    err = load_lists(daemon, parts, diag);
    parts->lists_failed = err < 0;
    if (err == 0) {
        err = load_rules(daemon, parts, diag);
    }
    if (err == 0) {
        rule_list_expire(&parts->list, clock_wall_s(daemon->clock));
        err = make_rules(daemon, &parts->list, parts->config, &parts->rules);
    }
    if (err == 0) {
        err = upstream_plan_new(policy_config_get(parts->config), &parts->plan, diag);
    }
    return err;
}

static void drop_parts(struct parts *parts)
{
    policy_config_unref(parts->config);
    policy_lists_unref(parts->lists);
    policy_rules_unref(parts->rules);
    rule_list_clear(&parts->list);
    upstream_plan_unref(parts->plan);
}

int daemon_reload(struct daemon *daemon, struct diag *diag)
{
    struct parts next = {0};
    int err = load_parts(daemon, &next, diag);
    if (err < 0) {
        err = diag_need(diag, err);
        if (next.lists_failed) {
            diag_print(diag, daemon->lists_error, sizeof(daemon->lists_error));
        }
        drop_parts(&next);
        return err;
    }
    note_restart(daemon, policy_config_get(next.config));
    struct parts old = {.config = daemon->config,
                        .lists = daemon->lists,
                        .rules = daemon->rules,
                        .list = daemon->rule_list};
    daemon->config = next.config;
    daemon->lists = next.lists;
    daemon->rules = next.rules;
    daemon->rule_list = next.list;
    timekeeper_believe(&daemon->time);
    (void)geography_refresh(daemon);
    (void)household_refresh(daemon);
    err = swap_snapshot(daemon);
    if (err < 0) {
        daemon->config = old.config;
        daemon->lists = old.lists;
        daemon->rules = old.rules;
        daemon->rule_list = old.list;
        drop_parts(&next);
        return diag_need(diag, err);
    }
    daemon->rules_end = rule_list_next_end(&daemon->rule_list);
    upstreams_set(daemon, next.plan);
    memcpy(daemon->lists_path, next.path, sizeof(next.path));
    daemon->lists_compiled = is_compiled(policy_config_get(daemon->config), next.path);
    daemon->lists_error[0] = '\0';
    daemon->managed_error[0] = '\0';
    diag_print(&next.left_out, daemon->rules_error, sizeof(daemon->rules_error));
    count_not_needed(daemon);
    drop_parts(&old); /* the retired snapshot holds its own references */
    return 0;
}

int daemon_set_rules(struct daemon *daemon, const struct rule_list *rules, struct diag *diag)
{
    struct policy_rules *next = NULL;
    struct policy_rules *old = daemon->rules;
    struct rule_list list = {0};
    int err = rule_list_copy(rules, &list);
    if (err == 0) {
        err = make_rules(daemon, &list, daemon->config, &next);
    }
    if (err == 0) {
        daemon->rules = next;
        err = swap_snapshot(daemon);
    }
    if (err < 0) {
        daemon->rules = old;
        policy_rules_unref(next);
        rule_list_clear(&list);
        return diag_set(diag, err, "the rules could not be put in force: %s", strerror(-err));
    }
    policy_rules_unref(old);
    daemon->rules_late = false;
    rule_list_clear(&daemon->rule_list);
    daemon->rule_list = list;
    daemon->rules_end = rule_list_next_end(&list);
    count_not_needed(daemon);
    return 0;
}

/* Take out what is over. */
static void expire_rules(struct daemon *daemon, int64_t now)
{
    struct rule_list list = {0};
    if (rule_list_copy(&daemon->rule_list, &list) < 0) {
        return;
    }
    if (rule_list_expire(&list, now) > 0) {
        /* In force first: a full disk must not keep an allowance alive. */
        daemon->rules_late = daemon_set_rules(daemon, &list, NULL) < 0;
        if (!daemon->rules_late && rulefile_save(daemon->rules_path, &list, NULL) < 0) {
            daemon->rules_unsaved = true; /* tried again at the next change */
        }
    }
    rule_list_clear(&list);
}

/* Is a change due, or could one be that was too far ahead to be seen? */
static bool may_have_changed(const struct snapshot *snapshot, const struct moment *now)
{
    const struct moment *made = &snapshot->made;
    bool due = now->trusted != made->trusted || now->wall_s < made->wall_s;
    for (size_t i = 0; i < snapshot->group_count && !due; i++) {
        int64_t at = snapshot->effective[i].change_at;
        due = at && at <= now->wall_s;
    }
    return due;
}

/* What a schedule says is worked out once for all queries. */
static void keep_time(struct daemon *daemon)
{
    const struct moment now = timekeeper_look(&daemon->time);
    const struct snapshot *snapshot = daemon->snapshot;
    int64_t drift =
        (now.wall_s - snapshot->made.wall_s) - (int64_t)(now.mono_s - snapshot->made.mono_s);
    bool stale = now.mono_s - snapshot->made.mono_s > LOOK_AHEAD_AGAIN_S || drift > DRIFT_S ||
                 drift < -DRIFT_S;
    stale |= geography_refresh(daemon);
    stale |= household_refresh(daemon);
    if (daemon->rules_end && daemon->rules_end <= now.wall_s) {
        expire_rules(daemon, now.wall_s);
    } else if (stale || may_have_changed(snapshot, &now)) {
        (void)swap_snapshot(daemon); /* without memory at the next look */
    }
}

void daemon_look_around(struct daemon *daemon)
{
    if (household_refresh(daemon)) {
        (void)swap_snapshot(daemon); /* without memory at the next look */
    }
}

void daemon_look(struct daemon *daemon)
{
    keep_time(daemon);
    upstreams_refresh(daemon);
}

int daemon_make_shared(struct daemon *daemon)
{
    const struct config *config = policy_config_get(daemon->config);
    daemon->cache = cache_new((size_t)config->cache.size_mb << 20);
    daemon->claims = claim_table_new();
    daemon->census = census_new();
    bool whole = daemon->cache && daemon->claims && daemon->census;
    return whole ? guard_init(&daemon->guard) : -ENOMEM;
}

void daemon_clear(struct daemon *daemon)
{
    for (unsigned i = 0; i < daemon->worker_count; i++) {
        worker_free(daemon->workers[i]);
    }
    daemon->worker_count = 0;
    daemon_collect(daemon);
    if (daemon->stats) {
        stats_stop(daemon->stats);
    }
    snapshot_free(daemon->snapshot);
    policy_config_unref(daemon->started_with);
    policy_config_unref(daemon->config);
    policy_lists_unref(daemon->lists);
    policy_rules_unref(daemon->rules);
    geography_clear(daemon);
    household_clear(daemon);
    rule_list_clear(&daemon->rule_list);
    cache_free(daemon->cache);
    upstream_plan_unref(daemon->plan);
    claim_table_free(daemon->claims);
    guard_clear(&daemon->guard);
    census_free(daemon->census);
    tls_context_free(daemon->identity);
    records_close(daemon);
}
