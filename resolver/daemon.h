// SPDX-License-Identifier: Apache-2.0
/* daemon: what greengated is made of, held together by its main thread. */
#pragma once
#include "activation.h"
#include "base/version.h"
#include "control/server.h"
#include "household.h"
#include "pulse.h"
#include "store/rulefile.h"
#include "timekeeper.h"
#include "worker.h"

enum { DAEMON_WORKERS_MAX = PULSE_WORKERS_MAX, DAEMON_PATH_MAX = 4096 };

struct retired {
    struct snapshot *snapshot;
    struct retired *next;
};

struct upstream_plan;

struct daemon {
    const char *config_path;
    const struct clock *clock;
    struct timekeeper time;
    int64_t rules_end; /* the next moment at which a rule or window is over, 0 = none */
    uv_loop_t *loop;
    uint64_t started_us; /* monotonic */

    struct policy_config *config;
    struct policy_config *started_with; /* what needs a restart is compared with it */
    struct policy_lists *lists;
    struct policy_rules *rules;
    struct rule_list rule_list;
    struct snapshot *snapshot;
    struct retired *retired; /* handed over, not yet given up by every worker */
    char lists_path[DAEMON_PATH_MAX];
    bool lists_compiled;     /* they come from state_dir */
    char lists_error[512];   /* the newest database could not be used, "" = fine */
    char reload_error[512];  /* the last reload failed, "" = fine */
    char managed_error[512]; /* managed.yaml could not be used at the start, "" = fine */
    char rules_error[512];   /* rules.yaml could not be used at the start, "" = fine */
    char restart_note[256];  /* settings that changed but need a restart */
    struct geo *geo;         /* NULL: none is wanted, or none could be opened */
    struct household household;
    uint64_t geo_mark;   /* of its files when they were read */
    char geo_error[512]; /* newer ones could not be used, "" = fine */
    char rules_path[DAEMON_PATH_MAX];
    size_t rules_not_needed; /* allow rules whose list says nothing any more */
    bool rules_unsaved;      /* the file still holds rules that are over */
    bool rules_late;         /* they are even in force */

    struct cache *cache;
    struct stats *stats;
    struct claim_table *claims;
    struct guard guard;
    struct upstream_plan *plan; /* of upstream servers */
    uint64_t system_mark;       /* of resolv.conf when it was read */
    struct census *census;
    struct tls_context *identity; /* of DoT; NULL: none is wanted or usable */
    uint64_t identity_mark;       /* of its files when they were read */
    char identity_error[256];     /* they could not be used, "" = fine */
    struct activation activation;
    struct worker_sockets sockets[DAEMON_WORKERS_MAX];
    struct worker *workers[DAEMON_WORKERS_MAX];
    unsigned workers_wanted, worker_count;
    unsigned few_questions; /* no more fit at once for want of descriptors; 0 = enough */
    struct reviews *reviews;
    int64_t reviews_day; /* when they were last looked through */
    struct accounts *accounts;
    struct sessions *sessions;
    struct audit_log *audit;
    struct control_server *control;
    uv_async_t changed;
    uv_timer_t minute, second;
    struct pulse pulse;
    uv_signal_t hup, term, interrupt;
    bool loss_told;     /* of a control socket */
    bool reload_wanted; /* SIGHUP came; any number of them is one reload */
    bool stopping;
};

/* Load configuration, lists and rules into the first snapshot. A damaged database
 * gives way to an older generation, at last to none, and a managed.yaml or rules.yaml
 * that is wrong is left out: DNS is answered all the same. */
__attribute__((warn_unused_result)) int daemon_load(struct daemon *daemon, struct diag *diag);

/* What the workers share: cache, claims, limits. -ENOMEM. */
__attribute__((warn_unused_result)) int daemon_make_shared(struct daemon *daemon);

/* Read all again and hand it over; on any failure the old state stays in force. */
__attribute__((warn_unused_result)) int daemon_reload(struct daemon *daemon, struct diag *diag);

/* Put new local rules in force; the file has been written. */
__attribute__((warn_unused_result)) int
daemon_set_rules(struct daemon *daemon, const struct rule_list *rules, struct diag *diag);

/* Every second: what schedules say now, rules that are over; has resolv.conf changed? */
void daemon_look(struct daemon *daemon);

/* Neighbours have come or gone. */
void daemon_look_around(struct daemon *daemon);

/* Free snapshots that no worker uses any more. Only from a callback that holds none. */
void daemon_collect(struct daemon *daemon);

/* Is a generation pinned; is there no room for another database? Then `out` says it. */
bool daemon_is_pinned(const struct daemon *daemon, char *out, size_t cap);
bool daemon_lacks_room(const struct daemon *daemon, char *out, size_t cap);
/* Was a control socket's file deleted? */
bool daemon_lost_socket(const struct daemon *daemon, char *out, size_t cap);

int64_t daemon_uptime_s(const struct daemon *daemon);

struct daemon_status;
void daemon_describe(struct daemon *daemon, struct daemon_status *ret_status);

/* Free everything but the loop; workers have ended. */
void daemon_clear(struct daemon *daemon);
