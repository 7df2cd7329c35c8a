// SPDX-License-Identifier: Apache-2.0
/* backend: a daemon for the control socket's tests, with real policy and statistics
 * and a folder of its own. */
#pragma once
#include "control/commands.h"
#include "policy/snapshot.h"
#include "stats/stats.h"

struct test_backend {
    struct control_backend control; /* first: the owner is this struct */
    char folder[64];
    char config_path[128];
    char rules_path[128];
    char socket_path[128];
    struct stats *stats;
    struct stats_worker *worker;
    struct policy_config *config;
    struct policy_lists *lists;
    struct snapshot *snapshot;
    int set_rules_result, reload_result;
    size_t rules_set; /* rules given by the last set_rules */
};

/* Two groups: pupils (10.0.0.0/8, adult blocked) and rest. */
struct test_backend *test_backend_new(void);
void test_backend_free(struct test_backend *backend);

/* The backend's control server on a loop and a thread of its own; idle_ms 0 = usual. */
struct test_server {
    struct test_backend *backend;
    struct control_server *server;
    uv_loop_t loop;
    uv_async_t stop;
    uv_thread_t thread;
};
void test_server_start(struct test_server *server, unsigned idle_ms);

/* Aborts when a handle was left open. */
void test_server_stop(struct test_server *server);
