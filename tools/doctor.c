// SPDX-License-Identifier: Apache-2.0
#include "tools/doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "config/dashboard.h"
#include "tools/when.h"

enum { FREE_MB_MIN = 16, YEAR_MIN = 2026, TEXT_MAX = 512 };

static const char *const words[] = {
    [FINDING_OK] = "ok", [FINDING_WARNING] = "warning", [FINDING_FAULT] = "fault"};

void doctor_find(struct doctor *doctor, const struct finding *finding, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "level", words[finding->level]);
    cJSON_AddStringToObject(json, "topic", finding->topic);
    cJSON_AddStringToObject(json, "text", text);
    cJSON_AddStringToObject(json, "remedy", finding->remedy);
    cJSON_AddItemToArray(doctor->findings, json);
    doctor->warnings += finding->level == FINDING_WARNING;
    doctor->faults += finding->level == FINDING_FAULT;
}

static bool has_schedules(const struct config *config)
{
    size_t rows = 0;
    for (size_t i = 0; i < config->group_count; i++) {
        rows += config->groups[i].schedule.count;
    }
    return rows > 0;
}

static void see_clock(struct doctor *doctor)
{
    struct timex timex = {0};
    struct tm now;
    char at[WHEN_TEXT_MAX];
    time_t wall = time(NULL);
    bool synced = adjtimex(&timex) != TIME_ERROR;
    localtime_r(&wall, &now);
    if (now.tm_year + 1900 < YEAR_MIN) {
        doctor_find(
            doctor,
            &(struct finding){FINDING_FAULT, "clock",
                              "set the clock; signatures, certificates and schedules need it"},
            "it says %d-%02d-%02d", now.tm_year + 1900, now.tm_mon + 1, now.tm_mday);
    } else if (!synced && has_schedules(doctor->config)) {
        doctor_find(doctor,
                    &(struct finding){FINDING_WARNING, "clock",
                                      "run a time service (chrony, systemd-timesyncd, ntpd)"},
                    "the kernel does not say that it is synchronised; schedules go by it");
    } else {
        doctor_find(doctor, &(struct finding){FINDING_OK, "clock", ""}, "%s %s%s",
                    when_stamp(wall, at), now.tm_zone, synced ? "" : ", not synchronised");
    }
}

static void see_disk(struct doctor *doctor)
{
    struct statvfs info;
    const char *folder = doctor->config->server.state_dir;
    if (statvfs(folder, &info) < 0) {
        doctor_find(doctor,
                    &(struct finding){errno == ENOENT ? FINDING_WARNING : FINDING_FAULT, "disk",
                                      "start greengated once as root: it makes the folder"},
                    "%s: %s", folder, strerror(errno));
        return;
    }
    unsigned long free_mb = (unsigned long)((uint64_t)info.f_bavail * info.f_frsize >> 20);
    if (info.f_flag & ST_RDONLY) {
        doctor_find(doctor, &(struct finding){FINDING_FAULT, "disk", "move server.state_dir"},
                    "%s cannot be written to", folder);
    } else if (free_mb < FREE_MB_MIN) {
        doctor_find(
            doctor,
            &(struct finding){FINDING_FAULT, "disk", "make room, or lower lists.keep_generations"},
            "%s: %lu MB are left; updates need more", folder, free_mb);
    } else {
        doctor_find(doctor, &(struct finding){FINDING_OK, "disk", ""}, "%s: %lu MB are left",
                    folder, free_mb);
    }
}

static void see_data(struct doctor *doctor)
{
    char text[TEXT_MAX];
    for (int kind = 0; kind < KNOWN_KINDS; kind++) {
        if (doctor->known->missing[kind]) {
            diag_print(&doctor->known->diag, text, sizeof(text));
            doctor_find(doctor,
                        &(struct finding){FINDING_FAULT, "data files", "install the package again"},
                        "%s cannot be used: %s", known_file((enum known_kind)kind), text);
        }
    }
}

/* As they are now that names were asked for. */
static void see_upstreams(struct doctor *doctor)
{
    size_t good = 0, asked = 0, all = 0;
    const cJSON *upstream;
    cJSON *status = NULL, *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", "status");
    if (cli_try_ask(doctor->cli, request, &status, NULL) < 0) {
        return; /* it answered before: see_daemon() is about that */
    }
    cJSON_ArrayForEach(upstream, cJSON_GetObjectItemCaseSensitive(status, "upstreams"))
    {
        bool answers = cli_flag(upstream, "ok") && cli_number(upstream, "answers") > 0;
        all++;
        if (cli_number(upstream, "answers") + cli_number(upstream, "failures") == 0) {
            continue;
        }
        good += answers;
        asked++;
        if (!answers) {
            doctor_find(doctor,
                        &(struct finding){FINDING_WARNING, "upstream", "see upstream.servers"},
                        "%s does not answer", cli_text(upstream, "address"));
        }
    }
    cJSON_Delete(status);
    if (asked && !good) {
        doctor_find(
            doctor,
            &(struct finding){FINDING_FAULT, "upstream",
                              "is the network up? does a firewall shut port 53 or 853 out?"},
            "none of %zu answers: names that are not cached cannot be resolved", asked);
    } else if (all) {
        doctor_find(doctor, &(struct finding){FINDING_OK, "upstream", ""}, "%zu of %zu answer%s",
                    good, all, asked < all ? ", not all were asked yet" : "");
    }
}

static void see_lists(struct doctor *doctor)
{
    const cJSON *lists = cJSON_GetObjectItemCaseSensitive(doctor->status, "lists");
    if (!*cli_text(lists, "path")) {
        doctor_find(doctor, &(struct finding){FINDING_FAULT, "lists", "greengate update"},
                    "there is no database");
        return;
    }
    doctor_find(doctor, &(struct finding){FINDING_OK, "lists", ""}, "%.0f names",
                cli_number(lists, "names"));
    if (doctor->config->source_count == 0) {
        doctor_find(doctor, &(struct finding){FINDING_WARNING, "lists", "greengate lists presets"},
                    "no source is configured: the starter list alone protects");
    }
    /* What is overdue or fails stands among the reasons. */
}

/* First of all: what follows is seen through a keyhole. */
static void see_rights(struct doctor *doctor)
{
    if (doctor->denied) {
        doctor_find(doctor, &(struct finding){FINDING_FAULT, "rights", "sudo greengate doctor"},
                    "not run as root: %s may not be used, so the daemon was not asked",
                    doctor->config->server.control_socket);
    }
}

static void see_daemon(struct doctor *doctor)
{
    const cJSON *reason;
    if (doctor->denied) {
        return;
    }
    if (!doctor->status) {
        doctor_find(
            doctor,
            &(struct finding){FINDING_FAULT, "daemon", "start it: systemctl start greengate"},
            "no daemon answers on %s", doctor->config->server.control_socket);
        return;
    }
    const char *state = cli_text(doctor->status, "state");
    if (strcmp(state, "protected") == 0) {
        doctor_find(doctor, &(struct finding){FINDING_OK, "daemon", ""}, "protected");
    }
    cJSON_ArrayForEach(reason, cJSON_GetObjectItemCaseSensitive(doctor->status, "reasons"))
    {
        doctor_find(
            doctor,
            &(struct finding){strcmp(state, "degraded") == 0 ? FINDING_WARNING : FINDING_FAULT,
                              "daemon", "greengate status, and the daemon's log, tell more"},
            "%s: %s", state, reason->valuestring ? reason->valuestring : "");
    }
    if (cli_number(doctor->status, "reasons_more") > 0) {
        doctor_find(doctor,
                    &(struct finding){FINDING_WARNING, "daemon", "greengate lists names each list"},
                    "%s: and %.0f reasons more", state, cli_number(doctor->status, "reasons_more"));
    }
}

/* Where passwords would cross the network in the clear it is not served, or somebody wanted it so. */
static void see_dashboard(struct doctor *doctor)
{
    const struct config *config = doctor->config;
    for (size_t i = 0; i < config->web.admin_listen.count; i++) {
        const char *listen = config->web.admin_listen.items[i];
        struct addr addr;
        if (addr_parse_port(listen, DASHBOARD_PORT, &addr) < 0 ||
            !dashboard_is_bare(config, &addr)) {
            continue;
        }
        if (config->web.admin_plain) {
            doctor_find(doctor,
                        &(struct finding){FINDING_WARNING, "dashboard",
                                          "see that nobody but a proxy that speaks TLS can "
                                          "reach it, or set web.admin_tls_cert"},
                        "%s is served without a certificate: passwords cross the network in the "
                        "clear",
                        listen);
        } else {
            doctor_find(doctor,
                        &(struct finding){FINDING_WARNING, "dashboard",
                                          "set web.admin_tls_cert and admin_tls_key, or use "
                                          "`ssh -L` (docs/dashboard.md)"},
                        "it is not served on %s: without a certificate passwords would cross the "
                        "network in the clear",
                        listen);
        }
    }
}

static void see_radar(struct doctor *doctor)
{
    cJSON *reply = NULL;
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", "radar");
    bool answers = cli_try_ask(doctor->cli, request, &reply, NULL) == 0 && cli_flag(reply, "ok");
    if (answers && *cli_text(reply, "alert")) {
        doctor_find(doctor,
                    &(struct finding){FINDING_WARNING, "ways around",
                                      "greengate radar; greengate firewall print"},
                    "%s", cli_text(reply, "alert"));
    } else if (answers) {
        doctor_find(doctor, &(struct finding){FINDING_OK, "ways around", ""},
                    "no sign that many go around");
    }
    cJSON_Delete(reply);
}

static void examine(struct doctor *doctor)
{
    see_rights(doctor);
    doctor_find(doctor, &(struct finding){FINDING_OK, "configuration", ""}, "%s reads",
                doctor->cli->config_path);
    see_data(doctor);
    see_clock(doctor);
    see_disk(doctor);
    doctor_see_files(doctor);
    see_daemon(doctor);
    if (doctor->status) {
        see_lists(doctor);
        see_radar(doctor);
    }
    doctor_see_listeners(doctor);
    doctor_see_page(doctor);
    see_dashboard(doctor);
    doctor_see_engines(doctor);
    if (doctor->status) {
        see_upstreams(doctor);
    }
    doctor_see_neighbours(doctor);
}

static void print_findings(const struct doctor *doctor)
{
    struct cli *cli = doctor->cli;
    const cJSON *finding;
    cJSON_ArrayForEach(finding, doctor->findings)
    {
        const char *level = cli_text(finding, "level");
        enum cli_color color = strcmp(level, "ok") == 0        ? CLI_GREEN
                               : strcmp(level, "warning") == 0 ? CLI_YELLOW
                                                               : CLI_RED;
        fprintf(cli->out, "%s%-8s%s %-14s %s\n", cli_color(cli, color), level,
                cli_color(cli, CLI_PLAIN), cli_text(finding, "topic"), cli_text(finding, "text"));
        if (*cli_text(finding, "remedy")) {
            fprintf(cli->out, "%-23s -> %s\n", "", cli_text(finding, "remedy"));
        }
    }
    fprintf(cli->out, "%u fault%s, %u warning%s\n", doctor->faults, cli_plural(doctor->faults),
            doctor->warnings, cli_plural(doctor->warnings));
}

static int report(struct doctor *doctor)
{
    int code = doctor->faults ? CLI_FAILED : CLI_DONE;
    if (!doctor->cli->json) {
        print_findings(doctor);
        cJSON_Delete(doctor->findings);
        return code;
    }
    cJSON *json = cJSON_CreateObject();
    char text[64];
    cJSON_AddBoolToObject(json, "ok", !doctor->faults);
    if (doctor->faults) {
        snprintf(text, sizeof(text), "%u fault%s", doctor->faults, cli_plural(doctor->faults));
        cJSON_AddStringToObject(json, "error", text);
        cJSON_AddNumberToObject(json, "exit", CLI_FAILED);
    }
    cJSON_AddNumberToObject(json, "faults", doctor->faults);
    cJSON_AddNumberToObject(json, "warnings", doctor->warnings);
    cJSON_AddItemToObject(json, "findings", doctor->findings);
    int printed = cli_print_json(doctor->cli, json);
    return printed == CLI_DONE ? code : printed;
}

static int run(struct cli *cli, struct config *config)
{
    struct known *known = NULL;
    cJSON *reply = NULL;
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", "status");
    if (known_load(config->server.data_dir, &known) < 0) {
        cJSON_Delete(request);
        return cli_fail(cli, CLI_FAILED, "no memory");
    }
    int err = cli_try_ask(cli, request, &reply, NULL);
    struct doctor doctor = {.cli = cli,
                            .config = config,
                            .known = known,
                            .status = err == 0 && cli_flag(reply, "ok") ? reply : NULL,
                            .denied = err == -EACCES || err == -EPERM,
                            .findings = cJSON_CreateArray()};
    examine(&doctor);
    int code = report(&doctor);
    cJSON_Delete(reply);
    known_free(known);
    return code;
}

int cmd_doctor(struct cli *cli, int argc, char **argv)
{
    struct config *config = NULL;
    struct diag diag = {0};
    const struct cli_option options[] = {{NULL, NULL, NULL}};
    int count = cli_options(cli, argc, argv, options);
    if (count != 0) {
        return count < 0 ? CLI_USAGE : cli_usage(cli, "doctor", "no argument is expected");
    }
    if (config_load(cli->config_path, &config, &diag) < 0) {
        return cli_fail_diag(cli, CLI_BAD_CONFIG, &diag);
    }
    int code = run(cli, config);
    config_free(config);
    return code;
}
