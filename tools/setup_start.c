// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/probe.h"
#include "tools/setup.h"

enum { DNS_PORT = 53, TIMEOUT_MS = 5000, TRIES = 150, PAUSE_US = 100000 };

#define INIT_SCRIPT "/etc/init.d/greengate"

/* Units that a package may have; those that are there are started. */
static const char *const units[] = {"greengate.service", "greengated.service",
                                    "greengate-web.service", "greengate-update.timer",
                                    "greengate-update-requested.path"};

/* The exit code, or -1; what it prints goes nowhere. */
static int run(char *const *argv)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status = -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    int err = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (err != 0) {
        return -1;
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return -1;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int call(const char *program, const char *first, const char *second, const char *third)
{
    char *argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)first, (char *)(uintptr_t)second,
                    (char *)(uintptr_t)third, NULL};
    return run(argv);
}

static void note(struct setup *setup, const char *key, const char *value)
{
    cJSON *list = cJSON_GetObjectItemCaseSensitive(setup->report, key);
    list = list ? list : cJSON_AddArrayToObject(setup->report, key);
    cJSON_AddItemToArray(list, cJSON_CreateString(value));
}

/* What ran on the configuration before is started anew. Returns whether a service is there. */
static bool start_units(struct setup *setup)
{
    bool any = false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (call("systemctl", "cat", units[i], NULL) != 0) {
            continue;
        }
        any = true;
        bool good = call("systemctl", "enable", "--now", units[i]) == 0 &&
                    call("systemctl", "restart", units[i], NULL) == 0;
        setup_say(setup, good ? "started" : "start_failed",
                  (const char *const[]){"{service}", units[i], NULL});
        note(setup, good ? "started" : "failed", units[i]);
    }
    return any;
}

static bool start_script(struct setup *setup)
{
    if (access(INIT_SCRIPT, X_OK) < 0) {
        return false;
    }
    bool good = call(INIT_SCRIPT, "enable", NULL, NULL) == 0 &&
                call(INIT_SCRIPT, "restart", NULL, NULL) == 0;
    setup_say(setup, good ? "started" : "start_failed",
              (const char *const[]){"{service}", INIT_SCRIPT, NULL});
    note(setup, good ? "started" : "failed", INIT_SCRIPT);
    return true;
}

static bool await_daemon(struct setup *setup)
{
    for (int i = 0; i < TRIES; i++) {
        cJSON *reply = NULL;
        cJSON *request = cJSON_CreateObject();
        struct diag diag = {0};
        cJSON_AddStringToObject(request, "command", "status");
        bool good = cli_try_ask(setup->cli, request, &reply, &diag) == 0 && cli_flag(reply, "ok");
        cJSON_Delete(reply);
        if (good) {
            return true;
        }
        usleep(PAUSE_US);
    }
    return false;
}

static enum probe_result ask(const struct setup *setup, const char *name)
{
    struct dname dname;
    uint16_t rcode;
    struct probe probe = {.timeout_ms = TIMEOUT_MS};
    if (addr_parse_port(setup->listen.items[0], DNS_PORT, &probe.server) < 0 ||
        dname_parse(name, &dname) < 0) {
        return PROBE_SILENCE;
    }
    if (addr_is_any(&probe.server)) {
        probe.server.bytes[probe.server.family == AF_INET ? 0 : 15] =
            probe.server.family == AF_INET ? 127 : 1;
        probe.server.bytes[3] = probe.server.family == AF_INET ? 1 : 0;
    }
    return probe_ask(&probe, &dname, TYPE_A, &rcode);
}

/* Real questions, as a device asks them. */
static void test(struct setup *setup)
{
    const char *const fills[] = {"{address}", setup->listen.items[0], NULL};
    bool answers = ask(setup, setup->base->server.name) != PROBE_SILENCE;
    setup_say(setup, answers ? "test_answers" : "silent", fills);
    note(setup, "tests", answers ? "answers" : "silent");
    if (!answers) {
        return;
    }
    bool resolves = ask(setup, "example.com") == PROBE_ADDRESSES;
    bool filters = ask(setup, "use-application-dns.net") == PROBE_NXDOMAIN;
    setup_say(setup, resolves ? "test_resolves" : "test_no_upstream", NULL);
    setup_say(setup, filters ? "test_filters" : "test_no_filter", NULL);
    note(setup, "tests", resolves ? "resolves" : "does not resolve");
    note(setup, "tests", filters ? "filters" : "does not filter");
}

static void tell_dhcp(struct setup *setup)
{
    char text[SETUP_TEXT_MAX] = "", one[ADDR_TEXT_MAX];
    for (size_t i = 0; i < setup->listen.count; i++) {
        struct addr addr;
        if (addr_parse_port(setup->listen.items[i], DNS_PORT, &addr) < 0 ||
            addr_is_loopback(&addr) || addr_is_any(&addr)) {
            continue;
        }
        size_t used = strlen(text);
        addr.port = 0;
        snprintf(text + used, sizeof(text) - used, "%s%s", used ? ", " : "",
                 addr_print(&addr, one));
        note(setup, "dhcp", one);
    }
    setup_say(setup, *text ? "dhcp" : "dhcp_none",
              (const char *const[]){"{addresses}", text, NULL});
    if (*text) {
        setup_say(setup, "dhcp_second", NULL);
    }
}

void setup_start(struct setup *setup, bool start)
{
    bool there = start && (start_units(setup) || start_script(setup));
    bool runs = cJSON_GetObjectItemCaseSensitive(setup->report, "started") != NULL;
    if (runs && await_daemon(setup)) {
        test(setup);
    } else if (there) {
        setup_say(setup, "silent",
                  (const char *const[]){"{address}", setup->listen.items[0], NULL});
        note(setup, "tests", "silent");
    } else {
        setup_say(setup, start ? "start_by_hand" : "not_started", NULL);
    }
    setup_say(setup, "lists_next", NULL);
    tell_dhcp(setup);
}
