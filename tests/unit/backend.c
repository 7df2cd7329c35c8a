// SPDX-License-Identifier: Apache-2.0
#include "backend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/status.h"
#include "store/rulefile.h"

static const char *const config_text =
    "groups:\n"
    "  - name: pupils\n    clients: [10.0.0.0/8]\n    block: [adult]\n"
    "  - name: rest\n    clients: []\n    block: []\n"
    "server:\n  data_dir: ";

static const struct snapshot *get_snapshot(void *owner)
{
    return ((struct test_backend *)owner)->snapshot;
}

static int rebuild(struct test_backend *backend, const struct rule_list *rules)
{
    struct policy_rules *part = NULL;
    if (policy_rules_new(rules->items, rules->count, backend->config, &part) < 0) {
        return -ENOMEM;
    }
    snapshot_free(backend->snapshot);
    const struct moment now = {1790000000, 1000, true};
    backend->snapshot = snapshot_new(
        &(struct snapshot_parts){backend->config, backend->lists, part, NULL, NULL}, &now);
    policy_rules_unref(part);
    return backend->snapshot ? 0 : -ENOMEM;
}

static int set_rules(void *owner, const struct rule_list *rules, struct diag *diag)
{
    struct test_backend *backend = owner;
    if (backend->set_rules_result < 0) {
        return diag_set(diag, backend->set_rules_result, "no memory for rules");
    }
    backend->rules_set = rules->count;
    return rebuild(backend, rules);
}

static int reload(void *owner, struct diag *diag)
{
    struct test_backend *backend = owner;
    if (backend->reload_result < 0) {
        diag_at(diag, "greengate.yaml", 3, 5);
        return diag_set(diag, backend->reload_result, "unknown key");
    }
    return 0;
}

static void fill_status(void *owner, struct daemon_status *status)
{
    (void)owner;
    status->state = DAEMON_DEGRADED;
    strcpy(status->reasons[status->reason_count++], "no upstream answers");
    strcpy(status->version, "0.1");
    status->queries = 10;
    status->blocked = 4;
    status->generation = 0xfedcba9876543210;
    strcpy(status->sources[status->source_count++].id, "adult-list");
    strcpy(status->upstreams[status->upstream_count++].address, "192.0.2.1:53");
}

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "test backend: %s\n", what);
        abort();
    }
}

static void load_policy(struct test_backend *backend)
{
    const char *path = backend->config_path;
    struct diag diag = {0};
    char *data_dir = realpath("blocklists/catalog", NULL);
    FILE *file = fopen(path, "w");
    must(data_dir && file && fprintf(file, "%s%s\n", config_text, data_dir) > 0 &&
             fprintf(file, "  state_dir: %s\n  control_socket: %s\n", backend->folder,
                     backend->socket_path) > 0 &&
             fclose(file) == 0,
         "configuration");
    free(data_dir);
    must(policy_config_load(path, &backend->config, &diag) == 0, diag.text);
    must(policy_lists_open(NULL, backend->config, &backend->lists, &diag) == 0, diag.text);
    must(rebuild(backend, &(struct rule_list){0}) == 0, "snapshot");
}

struct test_backend *test_backend_new(void)
{
    struct test_backend *backend = calloc(1, sizeof(*backend));
    must(backend, "memory");
    strcpy(backend->folder, "/tmp/gg-ctl-XXXXXX");
    must(mkdtemp(backend->folder), "folder");
    snprintf(backend->config_path, sizeof(backend->config_path), "%s/greengate.yaml",
             backend->folder);
    snprintf(backend->rules_path, sizeof(backend->rules_path), "%s/rules.yaml", backend->folder);
    snprintf(backend->socket_path, sizeof(backend->socket_path), "%s/run/control.sock",
             backend->folder);
    const struct stats_setup setup = {NULL, 30, &clock_system};
    must(stats_start(&setup, &backend->stats, NULL) == 0, "statistics");
    stats_name_group(backend->stats, "pupils");
    backend->worker = stats_worker_add(backend->stats);
    load_policy(backend);
    backend->control = (struct control_backend){
        .owner = backend,
        .snapshot = get_snapshot,
        .reload = reload,
        .set_rules = set_rules,
        .status = fill_status,
        .stats = backend->stats,
        .clock = &clock_system,
        .rules_path = backend->rules_path,
        .config_path = backend->config_path,
    };
    return backend;
}

void test_backend_free(struct test_backend *backend)
{
    char command[128];
    stats_stop(backend->stats);
    snapshot_free(backend->snapshot);
    policy_lists_unref(backend->lists);
    policy_config_unref(backend->config);
    snprintf(command, sizeof(command), "rm -rf %s", backend->folder);
    must(system(command) == 0, "clean up");
    free(backend);
}

static void on_stop(uv_async_t *async)
{
    struct test_server *server = async->data;
    control_close(server->server);
    uv_close((uv_handle_t *)async, NULL);
}

static void run_loop(void *arg)
{
    struct test_server *server = arg;
    uv_run(&server->loop, UV_RUN_DEFAULT);
}

void test_server_start(struct test_server *server, unsigned idle_ms)
{
    struct diag diag = {0};
    server->backend = test_backend_new();
    uv_loop_init(&server->loop);
    uv_async_init(&server->loop, &server->stop, on_stop);
    server->stop.data = server;
    const struct control_setup setup = {&server->loop, server->backend->socket_path, idle_ms};
    must(control_open(&setup, &server->backend->control, &server->server, &diag) == 0, diag.text);
    uv_thread_create(&server->thread, run_loop, server);
}

void test_server_stop(struct test_server *server)
{
    uv_async_send(&server->stop);
    uv_thread_join(&server->thread);
    must(uv_loop_close(&server->loop) == 0, "a handle was left open");
}
