// SPDX-License-Identifier: Apache-2.0
/* The daemon's health, gathered for `greengate status`. */
#include "daemon.h"

#include <stdio.h>
#include <string.h>

#include "config/known.h"
#include "control/status.h"
#include "policy/lists.h"
#include "policy/rules.h"
#include "policy/snapshot.h"
#include "records.h"
#include "store/audit.h"

enum { DOWN_AFTER = 3, DOWN_MARGIN_US = 1000000, OVERDUE_FACTOR = 3 };

__attribute__((format(printf, 2, 3))) static void add_reason(struct daemon_status *status,
                                                             const char *format, ...)
{
    va_list args;
    if (status->reason_count == DAEMON_REASONS_MAX) {
        status->reasons_more++;
        return;
    }
    size_t at = status->reason_count++;
    va_start(args, format);
    vsnprintf(status->reasons[at], sizeof(status->reasons[at]), format, args);
    va_end(args);
}

static void describe_lists(const struct daemon *daemon, struct daemon_status *status)
{
    const struct blockdb *db = daemon->snapshot->db;
    if (!db) {
        return;
    }
    const struct blockdb_info *info = blockdb_info(db);
    snprintf(status->lists_path, sizeof(status->lists_path), "%.255s", daemon->lists_path);
    status->names = info->names;
    status->generation = info->generation;
    status->built_at = info->built_at;
    for (unsigned i = 0; i < info->sources && i < DAEMON_SOURCES_MAX; i++) {
        const struct blockdb_source *source = blockdb_source(db, i);
        struct daemon_source *to = &status->sources[status->source_count++];
        snprintf(to->id, sizeof(to->id), "%s", source->id);
        snprintf(to->category, sizeof(to->category), "%s", source->category);
        to->entries = source->entries;
        to->fetched_at = source->fetched_at;
    }
}

/* A window may keep a source waiting for a day more. */
static int64_t overdue_after(const struct config *config, const struct config_source *source)
{
    int64_t hours = source->update_every_h ? source->update_every_h : config->lists.update_every_h;
    bool windowed = *source->update_window || *config->lists.update_window;
    return (hours * OVERDUE_FACTOR + (windowed ? 24 : 0)) * 3600;
}

/* Sources of the configuration: those in force are marked, the others added. */
static void describe_sources(const struct daemon *daemon, struct daemon_status *status)
{
    const struct config *config = daemon->snapshot->config;
    status->now = clock_wall_s(daemon->clock);
    snprintf(status->sources_folder, sizeof(status->sources_folder), "%.240s/sources",
             config->server.state_dir);
    for (size_t i = 0; i < config->source_count; i++) {
        const struct config_source *source = &config->sources[i];
        size_t at = 0;
        while (at < status->source_count && strcmp(status->sources[at].id, source->id) != 0) {
            at++;
        }
        if (!source->enabled || at == DAEMON_SOURCES_MAX) {
            continue;
        }
        struct daemon_source *to = &status->sources[at];
        if (at == status->source_count) {
            status->source_count++;
            snprintf(to->id, sizeof(to->id), "%s", source->id);
            snprintf(to->category, sizeof(to->category), "%s", source->category);
        }
        to->configured = true;
        to->overdue_s = overdue_after(config, source);
    }
}

static bool starter_only(const struct daemon *daemon)
{
    const char *end = strstr(daemon->lists_path, "/starter.ggdb");
    return end && end[strlen("/starter.ggdb")] == '\0';
}

/* A pause is easily forgotten. */
static void judge_time(const struct daemon *daemon, struct daemon_status *status)
{
    const struct snapshot *snapshot = daemon->snapshot;
    const char *doubt = timekeeper_words(&daemon->time);
    if (*doubt) {
        add_reason(status, "%s", doubt);
    }
    for (size_t i = 0; i < snapshot->group_count; i++) {
        if (snapshot->effective[i].paused) {
            add_reason(status, "filtering is paused for group %s; see `greengate schedule`",
                       snapshot->config->groups[i].name);
        }
    }
}

static void judge_known(const struct known *known, struct daemon_status *status)
{
    static const char *const loss[KNOWN_KINDS] = {
        [KNOWN_SERVICE] = "services are not blocked",
        [KNOWN_ENGINE] = "search engines are not answered with their safe mode",
        [KNOWN_WAY] = "ways around are blocked as far as lists know them",
    };
    for (int kind = 0; kind < KNOWN_KINDS; kind++) {
        if (known->missing[kind]) {
            add_reason(status, "%s in server.data_dir cannot be read: %s",
                       known_file((enum known_kind)kind), loss[kind]);
        }
    }
}

static void judge_lists(const struct daemon *daemon, struct daemon_status *status)
{
    const struct config *config = daemon->snapshot->config;
    if (!daemon->snapshot->db) {
        add_reason(status, "no blocklist database: nothing is blocked; run `greengate update`");
    } else if (starter_only(daemon)) {
        add_reason(status, "only the small starter list is in force; %s",
                   config->source_count ? "no source could be fetched yet: see `greengate lists`"
                                        : "`greengate lists presets` shows what to add");
    }
    const struct regex_report *report = &daemon->lists->report;
    if (report->left_out) {
        add_reason(status, "%u pattern%s left out; %.180s", report->left_out,
                   report->left_out == 1 ? " is" : "s are", report->diag.text);
    }
    if (daemon->lists_error[0]) {
        add_reason(status, "the newest database is not used: %.150s", daemon->lists_error);
    }
}

_Static_assert(STATS_LATENCIES == (int)UPSTREAM_LATENCIES, "the same buckets");

static void add_health(struct daemon_upstream *to, const struct upstream_health *health)
{
    uint32_t srtt_ms = health->srtt_us / 1000;
    to->failures += health->failed;
    to->srtt_ms = srtt_ms > to->srtt_ms ? srtt_ms : to->srtt_ms;
    to->latency_sum_us += health->latency_sum_us;
    for (unsigned i = 0; i < STATS_LATENCIES; i++) {
        to->latencies[i] += health->latencies[i];
        to->answers += health->latencies[i];
    }
}

/* What is the newest that workers know of a server? One that was not asked since before an
 * outage must not vouch for it, nor one that lost a few packets speak against it. */
struct newest {
    uint64_t answered_us; /* to a worker that finds it up */
    uint64_t down_us;     /* the last failure of a worker that finds it down */
};

static void add_newest(struct newest *newest, const struct upstream_health *health)
{
    bool down = health->failures_in_row >= DOWN_AFTER;
    uint64_t answered_us = down ? 0 : health->answered_us;
    uint64_t down_us = down ? health->failed_us : 0;
    newest->answered_us = answered_us > newest->answered_us ? answered_us : newest->answered_us;
    newest->down_us = down_us > newest->down_us ? down_us : newest->down_us;
}

static void describe_upstream(const struct daemon *daemon, size_t index, struct daemon_upstream *to)
{
    struct newest newest = {0};
    for (unsigned k = 0; k < daemon->worker_count; k++) {
        const struct upstream_health *health =
            upstream_health(worker_upstream(daemon->workers[k]), index);
        if (health && health->asked > 0) {
            add_health(to, health);
            add_newest(&newest, health);
        }
    }
    to->ok = newest.down_us <= newest.answered_us + DOWN_MARGIN_US;
    to->ok |= newest.down_us == 0;
}

static void describe_upstreams(const struct daemon *daemon, struct daemon_status *status)
{
    const struct text_list *servers = &daemon->snapshot->config->upstream.servers;
    unsigned up = 0;
    if (daemon->stopping) {
        return; /* the workers are giving theirs up */
    }
    for (size_t i = 0; i < servers->count && i < DAEMON_UPSTREAMS_MAX; i++) {
        struct daemon_upstream *to = &status->upstreams[status->upstream_count++];
        snprintf(to->address, sizeof(to->address), "%s", servers->items[i]);
        describe_upstream(daemon, i, to);
        up += to->ok;
    }
    if (up == 0) {
        add_reason(status, "no upstream answers; see upstream.servers");
    }
}

static void describe_drops(const struct daemon *daemon, struct daemon_status *status)
{
    _Static_assert(QUERY_DROPS <= (int)DAEMON_DROPS_MAX, "every reason has a row");
    for (unsigned reason = 0; reason < QUERY_DROPS; reason++) {
        struct daemon_drop *drop = &status->drops[status->drop_count++];
        drop->reason = query_drop_words[reason];
        for (unsigned i = 0; i < daemon->worker_count; i++) {
            drop->count += worker_query(daemon->workers[i])->drops[reason];
        }
    }
}

static void describe_counts(const struct daemon *daemon, struct daemon_status *status)
{
    bool page_unset = false;
    for (unsigned i = 0; i < daemon->worker_count; i++) {
        const struct stats_worker *stats = worker_query(daemon->workers[i])->stats;
        for (unsigned k = 0; k < STATS_TRANSPORTS; k++) {
            status->queries += stats->transports[k];
        }
        for (size_t k = 0; k < daemon->snapshot->group_count; k++) {
            uint16_t group = daemon->snapshot->group_stats[k];
            for (unsigned c = 0; c < STATS_CATEGORIES_MAX; c++) {
                status->blocked += stats->sums[group][c][STATS_BLOCKED];
            }
        }
        page_unset |= worker_query(daemon->workers[i])->page_unset;
    }
    if (page_unset) {
        add_reason(status, "no sinkhole address for some clients: set block.page_ipv4 and "
                           "block.page_ipv6");
    }
}

static void judge_records(const struct daemon *daemon, struct daemon_status *status)
{
    char text[DIAG_FILE_MAX + DIAG_TEXT_MAX + 32];
    int waiting = records_waiting(daemon, text, sizeof(text));
    status->reviews_waiting = waiting > 0 ? (unsigned)waiting : 0;
    if (waiting < 0) {
        add_reason(status, "no requests of the warning page are taken: %.150s", text);
    }
    if (records_lock_out(daemon, text, sizeof(text))) {
        add_reason(status, "nobody can sign in to the dashboard: %.150s", text);
    }
}

static void judge_load(const struct daemon *daemon, struct daemon_status *status)
{
    if (pulse_stuck(daemon) > 0) {
        add_reason(status, "%u of %u workers do not respond: restart greengated",
                   pulse_stuck(daemon), daemon->worker_count);
    }
    if (pulse_has_shed(daemon)) {
        add_reason(status, "overloaded: queries were dropped in the last minute; "
                           "see greengate_dropped_total in `greengate metrics`");
    }
    if (daemon->few_questions) {
        add_reason(status, "only %u questions at once can be asked: raise LimitNOFILE",
                   daemon->few_questions);
    }
}

/* What keeps updates from being of use. A pin is as easily forgotten as a pause. */
static void judge_state_folder(const struct daemon *daemon, struct daemon_status *status)
{
    char text[200];
    status->pinned = daemon_is_pinned(daemon, text, sizeof(text));
    if (status->pinned) {
        add_reason(status, "%s", text);
    }
    if (daemon_lacks_room(daemon, text, sizeof(text))) {
        add_reason(status, "%s", text);
    }
    if (daemon_lost_socket(daemon, text, sizeof(text))) {
        add_reason(status, "%s", text);
    }
}

/* First of all: whoever wrote the file thinks that it is in force. */
static void judge_reload(const struct daemon *daemon, struct daemon_status *status)
{
    if (daemon->reload_error[0]) {
        add_reason(status, "the last reload failed, the configuration before is in force: %.130s",
                   daemon->reload_error);
    }
}

/* What was read once and could not be read again. */
static void judge_files(const struct daemon *daemon, struct daemon_status *status)
{
    if (*audit_trouble(daemon->audit)) {
        add_reason(status, "changes are not written to audit.log: %s",
                   audit_trouble(daemon->audit));
    }
    if (daemon->managed_error[0]) {
        add_reason(status, "what commands changed is not in force: %.150s", daemon->managed_error);
    }
    if (daemon->rules_late) {
        add_reason(status, "rules that are over are still in force: no memory or descriptors");
    }
    if (daemon->rules_error[0]) {
        add_reason(status, "local rules are not in force: %.130s; mend or move it, then reload",
                   daemon->rules_error);
    }
    if (daemon->rules_unsaved) {
        add_reason(status, "rules that are over could not be taken out of rules.yaml");
    }
    if (daemon->identity_error[0]) {
        add_reason(status, "%s: %.150s",
                   daemon->identity ? "the old certificate is still in use"
                                    : "DNS over TLS is not served",
                   daemon->identity_error);
    }
    if (*household_trouble(daemon)) {
        add_reason(status,
                   "devices are not known by their MAC: the neighbour table cannot be read: %s",
                   household_trouble(daemon));
    }
    if (daemon->geo_error[0]) {
        add_reason(status, "%s database of places cannot be used: %.150s",
                   daemon->geo ? "a newer" : "the", daemon->geo_error);
    }
    if (daemon->restart_note[0]) {
        add_reason(status, "%s", daemon->restart_note);
    }
}

int64_t daemon_uptime_s(const struct daemon *daemon)
{
    return (int64_t)((clock_mono_us(daemon->clock) - daemon->started_us) / 1000000);
}

void daemon_describe(struct daemon *daemon, struct daemon_status *ret_status)
{
    char text[200];
    struct cache_use use;
    struct daemon_status *status = ret_status;
    snprintf(status->version, sizeof(status->version), "%s", GREENGATE_VERSION);
    status->uptime_s = daemon_uptime_s(daemon);
    status->workers = daemon->worker_count;
    cache_measure(daemon->cache, &use);
    status->cache_entries = use.entries;
    status->cache_bytes = use.bytes;
    status->cache_bytes_max = use.bytes_max;
    describe_lists(daemon, status);
    describe_sources(daemon, status);
    judge_reload(daemon, status);
    judge_lists(daemon, status);
    judge_state_folder(daemon, status);
    describe_upstreams(daemon, status);
    describe_counts(daemon, status);
    describe_drops(daemon, status);
    judge_load(daemon, status);
    if (stats_degraded(daemon->stats, text, sizeof(text))) {
        add_reason(status, "statistics: %.180s", text);
    }
    if (rules_lack_built_in(daemon->rules)) {
        add_reason(status, "protected.yaml in server.data_dir cannot be read: only "
                           "lists.never_block protects names");
    }
    const struct regex_report *patterns = rules_patterns(daemon->rules);
    if (patterns->left_out) {
        add_reason(status, "%u rule%s without effect: %.160s", patterns->left_out,
                   patterns->left_out == 1 ? " is" : "s are", patterns->diag.text);
    }
    if (rules_lack_canaries(daemon->rules)) {
        add_reason(status, "canaries.yaml in server.data_dir cannot be read: browsers are not "
                           "told to leave the resolver as it is");
    }
    judge_known(daemon->snapshot->known, status);
    judge_time(daemon, status);
    status->rules_not_needed = daemon->rules_not_needed;
    judge_records(daemon, status);
    judge_files(daemon, status);
    status->state = !daemon->snapshot->db  ? DAEMON_UNPROTECTED
                    : status->reason_count ? DAEMON_DEGRADED
                                           : DAEMON_PROTECTED;
}
