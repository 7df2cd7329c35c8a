// SPDX-License-Identifier: Apache-2.0
/* server: the control sockets of the daemon, on its main loop.
 *
 * Two listeners: the admin's (settings.def: server.control_socket) and, beside it,
 * the web process's with fewer commands. Each has its own limit of connections, so
 * that a broken web process does not shut the admin out. */
#pragma once
#include "base/clock.h"
#include "base/diag.h"

#include <stdbool.h>
#include <uv.h>

struct accounts; /* account/accounts.h */
struct sessions; /* account/sessions.h */
struct dname;
struct daemon_devices;
struct daemon_status; /* control/status.h */
struct audit_log;
struct watch;
struct reviews;   /* store/reviews.h */
struct rule_list; /* store/rulefile.h */
struct snapshot;  /* policy/snapshot.h */
struct stats;     /* stats/stats.h */

enum {
    CONTROL_PEERS_MAX = 32,          /* of each listener; then the oldest is closed */
    CONTROL_REQUEST_MAX = 64 * 1024, /* octets of one request */
    CONTROL_IDLE_MS = 30 * 1000,     /* for a whole request, and for taking its reply */
};

struct lead; /* policy/explain.h */

/* The daemon, as the commands see it. All is called on the main thread. */
struct control_backend {
    void *owner;
    const struct snapshot *(*snapshot)(void *owner); /* NULL: not ready yet */
    int (*reload)(void *owner, struct diag *diag);
    /* Build the rules into the snapshot; the file was written already. */
    int (*set_rules)(void *owner, const struct rule_list *rules, struct diag *diag);
    void (*status)(void *owner, struct daemon_status *ret_status); /* zeroed before */
    /* Is the name blocked for the group because of what it leads to? NULL: never. */
    bool (*blocked_lead)(void *owner, const struct dname *name, uint16_t group,
                         struct lead *ret_lead);
    void (*devices)(void *owner, struct daemon_devices *ret_devices); /* NULL; zeroed before */
    const char *(*restart_note)(void *owner); /* NULL, or what a reload left undone */
    struct stats *stats;
    const struct clock *clock;
    struct watch *watch;       /* see query/watch.h; NULL: none */
    struct audit_log *audit;   /* see store/audit.h; NULL: none */
    struct reviews *reviews;   /* see store/reviews.h; NULL: none are taken */
    struct accounts *accounts; /* NULL: nobody can sign in */
    struct sessions *sessions;
    const char *rules_path;
    const char *config_path;
};

struct control_setup {
    uv_loop_t *loop;
    const char *socket_path; /* the admin's */
    unsigned idle_ms;        /* 0 = CONTROL_IDLE_MS; tests are shorter */
};

struct control_server;

/* Does a daemon answer there already? -EADDRINUSE then, so that a second one ends before
 * it takes anything from the first; -ENAMETOOLONG. */
__attribute__((warn_unused_result)) int control_look(const char *socket_path, struct diag *diag);

/* Bind and listen, both with mode 0660; a socket file that nobody answers on is
 * replaced. The backend is copied. -EADDRINUSE: a daemon answers there; *diag says what
 * to do. *ret_server is untouched on failure, but the loop must run once more. */
__attribute__((warn_unused_result)) int control_open(const struct control_setup *setup,
                                                     const struct control_backend *backend,
                                                     struct control_server **ret_server,
                                                     struct diag *diag);

/* Close the listeners and all connections and remove the socket files. The memory is
 * freed by the loop's next turns. NULL is allowed. */
void control_close(struct control_server *server);
