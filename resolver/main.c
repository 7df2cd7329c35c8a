// SPDX-License-Identifier: Apache-2.0
/* greengated: the resolver. Starts, swaps snapshots, obeys signals. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "confine/confinement.h"
#include "control/client.h"
#include "handover.h"
#include "identity.h"
#include "base/notify.h"
#include "query/alias.h"
#include "records.h"
#include "sockets.h"

#define CONFIG_DEFAULT "/etc/greengate/greengate.yaml"

enum { EXIT_USAGE = 2, EXIT_CONFIG = 4, MINUTE_MS = 60000 };

static void say(const char *what, const struct diag *diag)
{
    char text[DIAG_FILE_MAX + DIAG_TEXT_MAX + 64];
    diag_print(diag, text, sizeof(text));
    fprintf(stderr, "greengated: %s%s%s\n", what, text[0] ? ": " : "", text);
}

static void say_text(const char *text)
{
    fprintf(stderr, "greengated: %s\n", text);
}

static const struct snapshot *give_snapshot(void *owner)
{
    return ((struct daemon *)owner)->snapshot;
}

/* A setting that leads where this process cannot look any more. */
static void note_outside(struct daemon *daemon)
{
    const char *key = confinement_outside(policy_config_get(daemon->config));
    if (key && !daemon->restart_note[0]) {
        snprintf(daemon->restart_note, sizeof(daemon->restart_note),
                 "%s leads out of the folders that greengated confined itself to when it started: "
                 "restart it to use that",
                 key);
    }
}

static int do_reload(void *owner, struct diag *diag)
{
    struct daemon *daemon = owner;
    char reloading[64];
    if (daemon->stopping) {
        return diag_set(diag, -ECANCELED, "greengated is stopping");
    }
    snprintf(reloading, sizeof(reloading), "RELOADING=1\nMONOTONIC_USEC=%llu",
             (unsigned long long)clock_mono_us(daemon->clock));
    notify_send(reloading);
    int err = daemon_reload(daemon, diag);
    if (err < 0) {
        confinement_explain(diag);
        diag_print(diag, daemon->reload_error, sizeof(daemon->reload_error));
        say("reload failed, the old state stays in force", diag);
    } else {
        daemon->reload_error[0] = '\0';
        identity_refresh(daemon);
        note_outside(daemon);
        fprintf(stderr, "greengated: reloaded%s%s\n", daemon->restart_note[0] ? "; " : "",
                daemon->restart_note);
    }
    notify_send("READY=1");
    return err;
}

static int do_set_rules(void *owner, const struct rule_list *rules, struct diag *diag)
{
    struct daemon *daemon = owner;
    int err = daemon_set_rules(daemon, rules, diag);
    if (err == 0) {
        daemon->rules_error[0] = '\0'; /* the file was read, and written anew */
    }
    return err;
}

static void do_status(void *owner, struct daemon_status *ret_status)
{
    daemon_describe(owner, ret_status);
}

static bool find_lead(void *owner, const struct dname *name, uint16_t group, struct lead *ret_lead)
{
    const struct daemon *daemon = owner;
    const struct alias_look look = {daemon->snapshot, daemon->cache, daemon->clock, name, group};
    return alias_find_blocked(&look, ret_lead);
}

static void count_devices(void *owner, struct daemon_devices *ret_devices)
{
    household_count(owner, ret_devices);
}

static const char *give_restart_note(void *owner)
{
    return ((struct daemon *)owner)->restart_note;
}

/* All signals that wait come in one callback: they are one wish. */
static void on_hup(uv_signal_t *handle, int number)
{
    struct daemon *daemon = handle->data;
    (void)number;
    daemon->reload_wanted = true;
    uv_async_send(&daemon->changed);
}

/* Once in a turn of the loop, so that the control socket and SIGTERM have theirs. */
static void reload_if_wanted(struct daemon *daemon)
{
    struct diag diag = {0};
    bool wanted = daemon->reload_wanted && !daemon->stopping;
    daemon->reload_wanted = false;
    if (wanted && do_reload(daemon, &diag) == 0) {
        records_note_reload(daemon);
    }
}

/* Whoever finds no socket looks into the log. */
static void tell_lost_socket(struct daemon *daemon)
{
    char text[200];
    bool lost = daemon_lost_socket(daemon, text, sizeof(text));
    if (lost && !daemon->loss_told) {
        say_text(text);
    }
    daemon->loss_told = lost;
}

static void on_minute(uv_timer_t *timer)
{
    tell_lost_socket(timer->data);
    identity_refresh(timer->data);
    records_expire(timer->data);
}

static void on_second(uv_timer_t *timer)
{
    pulse_beat(timer->data);
    daemon_look(timer->data);
}

static void close_main_handles(struct daemon *daemon)
{
    control_close(daemon->control);
    daemon->control = NULL;
    household_stop(daemon);
    uv_close((uv_handle_t *)&daemon->minute, NULL);
    uv_close((uv_handle_t *)&daemon->second, NULL);
    uv_close((uv_handle_t *)&daemon->hup, NULL);
    uv_close((uv_handle_t *)&daemon->term, NULL);
    uv_close((uv_handle_t *)&daemon->interrupt, NULL);
    uv_close((uv_handle_t *)&daemon->changed, NULL);
}

/* A worker took over a snapshot, or ended; or SIGHUP came. */
static void on_changed(uv_async_t *handle)
{
    struct daemon *daemon = handle->data;
    daemon_collect(daemon);
    unsigned ended = 0;
    for (unsigned i = 0; i < daemon->worker_count; i++) {
        ended += worker_has_ended(daemon->workers[i]);
    }
    if (!daemon->stopping && ended > 0) {
        fprintf(stderr, "greengated: a worker's loop ended by itself\n");
        exit(1); /* whoever watches us starts us again */
    }
    reload_if_wanted(daemon);
    if (daemon->stopping && ended == daemon->worker_count &&
        !uv_is_closing((uv_handle_t *)&daemon->changed)) {
        close_main_handles(daemon);
    }
}

static void on_stop(uv_signal_t *handle, int number)
{
    struct daemon *daemon = handle->data;
    (void)number;
    if (daemon->stopping) {
        return;
    }
    daemon->stopping = true;
    notify_send("STOPPING=1");
    for (unsigned i = 0; i < daemon->worker_count; i++) {
        worker_stop(daemon->workers[i]);
    }
}

static int open_state(struct daemon *daemon, struct diag *diag)
{
    char path[DAEMON_PATH_MAX];
    const struct config *config = policy_config_get(daemon->config);
    int err = records_open(daemon, diag);
    if (err < 0) {
        return err;
    }
    snprintf(path, sizeof(path), "%s/stats.db", config->server.state_dir);
    const struct stats_setup stats = {
        .path = path,
        .keep_days = config->stats.keep_days,
        .clock = daemon->clock,
        .min_clients =
            config->stats.privacy == PRIVACY_DOMAINS ? (unsigned)config->stats.min_clients : 0,
    };
    err = stats_start(&stats, &daemon->stats, diag);
    if (err < 0) {
        return err;
    }
    err = daemon_make_shared(daemon);
    return err < 0 ? diag_set(diag, err, "no memory for cache.size_mb") : 0;
}

static int start_workers(struct daemon *daemon, struct diag *diag)
{
    unsigned sockets_max = sockets_raise_limit(daemon);
    for (unsigned i = 0; i < daemon->workers_wanted; i++) {
        const struct worker_setup setup = {
            .snapshot = daemon->snapshot,
            .cache = daemon->cache,
            .stats = stats_worker_add(daemon->stats),
            .domains = stats_domains_add(daemon->stats),
            .clock = daemon->clock,
            .sockets = &daemon->sockets[i],
            .plan = daemon->plan,
            .claims = daemon->claims,
            .guard = &daemon->guard,
            .presence = daemon->household.presence,
            .watch = daemon->household.watch,
            .census = daemon->census,
            .workers = daemon->workers_wanted,
            .sockets_max = sockets_max,
            .changed = &daemon->changed,
        };
        int err = setup.stats ? worker_start(&setup, &daemon->workers[i]) : -ENOMEM;
        if (err < 0) {
            return diag_set(diag, err, "cannot start a worker: %s", strerror(-err));
        }
        daemon->worker_count++;
    }
    return 0;
}

/* greengate-web may be somebody else, whose group is let in there alone. */
static int share_web_socket(const struct config *config, struct diag *diag)
{
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    int err = client_web_socket(config->server.control_socket, path, sizeof(path));
    return err < 0 ? err : confinement_share_socket(config, path, diag);
}

static int open_control(struct daemon *daemon, struct diag *diag)
{
    const struct config *config = policy_config_get(daemon->config);
    const struct control_setup setup = {daemon->loop, config->server.control_socket, 0};
    const struct control_backend backend = {
        .owner = daemon,
        .snapshot = give_snapshot,
        .reload = do_reload,
        .set_rules = do_set_rules,
        .status = do_status,
        .blocked_lead = find_lead,
        .restart_note = give_restart_note,
        .devices = count_devices,
        .audit = daemon->audit,
        .reviews = daemon->reviews,
        .accounts = daemon->accounts,
        .sessions = daemon->sessions,
        .watch = daemon->household.watch,
        .stats = daemon->stats,
        .clock = daemon->clock,
        .rules_path = daemon->rules_path,
        .config_path = daemon->config_path,
    };
    int err = control_open(&setup, &backend, &daemon->control, diag);
    return err < 0 ? err : share_web_socket(config, diag);
}

static void init_handles(struct daemon *daemon)
{
    uv_async_init(daemon->loop, &daemon->changed, on_changed);
    uv_timer_init(daemon->loop, &daemon->minute);
    uv_timer_init(daemon->loop, &daemon->second);
    uv_signal_init(daemon->loop, &daemon->hup);
    uv_signal_init(daemon->loop, &daemon->term);
    uv_signal_init(daemon->loop, &daemon->interrupt);
    daemon->changed.data = daemon->second.data = daemon->minute.data = daemon->hup.data = daemon;
    daemon->term.data = daemon->interrupt.data = daemon;
    uv_timer_start(&daemon->minute, on_minute, MINUTE_MS, MINUTE_MS);
    household_start(daemon);
    uv_timer_start(&daemon->second, on_second, pulse_interval_ms(), pulse_interval_ms());
    uv_signal_start(&daemon->hup, on_hup, SIGHUP);
    uv_signal_start(&daemon->term, on_stop, SIGTERM);
    uv_signal_start(&daemon->interrupt, on_stop, SIGINT);
}

/* The workers answer already; what they hear is newer. */
static void take_cache(struct daemon *daemon)
{
    struct diag diag = {0};
    uint64_t count;
    if (handover_take(daemon, &count, &diag) < 0) {
        say("the cache begins empty", &diag);
    } else if (count > 0) {
        fprintf(stderr, "greengated: %llu answers of the last run kept\n",
                (unsigned long long)count);
    }
}

static void leave_cache(struct daemon *daemon)
{
    int err = handover_leave(daemon);
    if (err < 0 && err != -EXDEV) {
        fprintf(stderr, "greengated: the cache could not be kept for the next run: %s\n",
                strerror(-err));
    }
}

/* In this order: what needs root, the drop, what is written, the threads, and the
 * control socket last, since an answer on it means ready. */
static int start(struct daemon *daemon, struct diag *diag)
{
    const struct config *config = policy_config_get(daemon->config);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned workers = config->server.workers ? (unsigned)config->server.workers
                       : cores > 0            ? (unsigned)cores
                                              : 1;
    daemon->workers_wanted = workers > DAEMON_WORKERS_MAX ? DAEMON_WORKERS_MAX : workers;
    int err = control_look(config->server.control_socket, diag);
    if (err < 0) {
        return err; /* a socket of ours would already take queries of the daemon that runs */
    }
    activation_take(&daemon->activation);
    err = sockets_open(daemon, diag);
    if (err == 0) {
        identity_load(daemon);
        err = confinement_of_daemon(&(struct confinement){config, daemon->config_path, say_text},
                                    diag);
    }
    if (err == 0) {
        err = open_state(daemon, diag);
    }
    if (err < 0) {
        return err;
    }
    init_handles(daemon);
    err = daemon_set_rules(daemon, &daemon->rule_list, diag); /* with statistics' ids */
    if (err == 0) {
        err = start_workers(daemon, diag);
        identity_hand_out(daemon);
    }
    if (err == 0) {
        take_cache(daemon);
    }
    if (err == 0) {
        err = open_control(daemon, diag);
    }
    if (err == 0) {
        confinement_of_calls(say_text);
    }
    return err;
}

/* Of a file that a start would do without, too. */
static int report(const struct daemon *daemon)
{
    struct diag diag = {0};
    if (identity_check(daemon, &diag) < 0) {
        say("DNS over TLS would not be served", &diag);
        return EXIT_CONFIG;
    }
    if (daemon->rules_error[0]) {
        return EXIT_CONFIG; /* said already */
    }
    printf("%s: ok\n", daemon->config_path);
    return 0;
}

static int run(struct daemon *daemon, bool check_only)
{
    struct diag diag = {0};
    int err = daemon_load(daemon, &diag);
    if (err < 0) {
        say("cannot start", &diag);
        return EXIT_CONFIG;
    }
    if (daemon->managed_error[0]) {
        fprintf(stderr, "greengated: %s; what commands changed is left out\n",
                daemon->managed_error);
    }
    if (daemon->rules_error[0]) {
        fprintf(stderr, "greengated: %s; local rules are left out\n", daemon->rules_error);
    }
    if (check_only) {
        return report(daemon);
    }
    daemon->loop = uv_default_loop();
    daemon->started_us = clock_mono_us(daemon->clock);
    err = start(daemon, &diag);
    if (err < 0) {
        say("cannot start", &diag);
        return 1;
    }
    if (daemon->lists_error[0]) {
        fprintf(stderr, "greengated: %s\n", daemon->lists_error);
    }
    if (daemon->identity_error[0]) {
        fprintf(stderr, "greengated: DNS over TLS is not served: %s\n", daemon->identity_error);
    }
    fprintf(stderr, "greengated: ready, %u workers\n", daemon->worker_count);
    records_invite(daemon);
    notify_send("READY=1");
    uv_run(daemon->loop, UV_RUN_DEFAULT);
    leave_cache(daemon);
    daemon_clear(daemon);
    uv_loop_close(daemon->loop);
    fprintf(stderr, "greengated: stopped\n");
    return 0;
}

static int usage(int status)
{
    fputs("usage: greengated [-c FILE] [-t]\n"
          "  -c FILE  the configuration; default " CONFIG_DEFAULT "\n"
          "  -t       check it and exit\n",
          status ? stderr : stdout);
    return status;
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {{"help", no_argument, NULL, 'h'}, {0}};
    static struct daemon daemon; /* zeros need no room in the file */
    signal(SIGHUP, SIG_IGN);     /* it would end us until the loop takes it: all is read now */
    signal(SIGPIPE, SIG_IGN);
    daemon.config_path = CONFIG_DEFAULT;
    daemon.clock = &clock_system;
    bool check_only = false;
    int option;
    while ((option = getopt_long(argc, argv, "c:th", long_options, NULL)) != -1) {
        switch (option) {
        case 'c': daemon.config_path = optarg; break;
        case 't': check_only = true; break;
        case 'h': return usage(0);
        default: return usage(EXIT_USAGE);
        }
    }
    return run(&daemon, check_only);
}
