// SPDX-License-Identifier: Apache-2.0
#include "tools/offline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/dashboard.h"
#include "config/schedule.h"
#include "net/tls.h"
#include "policy/geo.h"

static int read_rules(const struct config *config, struct rule_list *ret_rules, struct diag *diag)
{
    char path[4096];
    int len = snprintf(path, sizeof(path), "%s/rules.yaml", config->server.state_dir);
    if (len < 0 || (size_t)len >= sizeof(path)) {
        return diag_set(diag, -ENAMETOOLONG, "server.state_dir is too long");
    }
    return rulefile_load(path, ret_rules, diag);
}

/* Nobody's link is followed: what it leads to would stand in the message, root's too. */
int offline_check_rules(const struct config *config, struct diag *diag)
{
    struct rule_list rules = {0};
    char path[4096], own[64];
    snprintf(path, sizeof(path), "%s/rules.yaml", config->server.state_dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno != ELOOP) {
        return 0;
    }
    diag_at(diag, path, 0, 0);
    if (fd < 0) {
        return diag_set(diag, -ELOOP, "a link, which is not followed");
    }
    snprintf(own, sizeof(own), "/proc/self/fd/%d", fd);
    int err = rulefile_load(own, &rules, diag);
    close(fd);
    diag_at(diag, path, diag->line, diag->column);
    rule_list_clear(&rules);
    return err;
}

int offline_check_certificate(const struct config *config, struct diag *diag)
{
    struct tls_context *context = NULL;
    int err = 0;
    if (config->dns.tls_listen.count > 0) {
        err = tls_context_server(config->dns.tls_cert, config->dns.tls_key, &context, diag);
        tls_context_free(context);
    }
    if (err == -EACCES) {
        diag_clear(diag);
        return 0;
    }
    return err;
}

static int load_rules(struct offline *files, struct diag *diag)
{
    int err = read_rules(policy_config_get(files->parts.config), &files->rule_list, diag);
    if (err < 0) {
        return err;
    }
    rule_list_expire(&files->rule_list, time(NULL));
    err = policy_rules_new(files->rule_list.items, files->rule_list.count, files->parts.config,
                           &files->parts.rules);
    if (err == 0) {
        err = policy_rules_set_windows(files->parts.rules, files->rule_list.windows,
                                       files->rule_list.window_count);
    }
    return err < 0 ? diag_set(diag, err, "no memory for the rules") : 0;
}

/* Windows of time come with the rules. */
int offline_load(struct cli *cli, struct offline *files, struct diag *diag)
{
    char path[4096];
    struct diag ignored = {0};
    int err = policy_config_load(cli->config_path, &files->parts.config, diag);
    if (err < 0) {
        return err;
    }
    schedule_set_timezone(policy_config_get(files->parts.config));
    snapshot_lists_path(policy_config_get(files->parts.config), path, sizeof(path));
    err = policy_lists_open(*path ? path : NULL, files->parts.config, &files->parts.lists, diag);
    if (err == 0) {
        err = load_rules(files, diag);
    }
    if (err == 0 &&
        geo_open(policy_config_get(files->parts.config), &files->parts.geo, &ignored) < 0) {
        files->parts.geo = NULL; /* the daemon goes on without it, too */
    }
    if (err == 0) {
        const struct moment now = {files->at, clock_mono_us(&clock_system) / 1000000, true};
        files->snapshot = snapshot_new(&files->parts, &now);
        err = files->snapshot ? 0 : diag_set(diag, -ENOMEM, "no memory");
    }
    return err;
}

void offline_unload(struct offline *files)
{
    snapshot_free(files->snapshot);
    geo_unref(files->parts.geo);
    policy_rules_unref(files->parts.rules);
    policy_lists_unref(files->parts.lists);
    policy_config_unref(files->parts.config);
    rule_list_clear(&files->rule_list);
}

/* What a start would do without. */
static void add_fault(cJSON *warnings, const char *what, const struct diag *diag)
{
    char place[DIAG_FILE_MAX + DIAG_TEXT_MAX + 32];
    char text[sizeof(place) + 64];
    diag_print(diag, place, sizeof(place));
    snprintf(text, sizeof(text), "%s: %s", what, place);
    cJSON_AddItemToArray(warnings, cJSON_CreateString(text));
}

static void add_faults(cJSON *warnings, const struct config *config)
{
    struct diag rules = {0}, certificate = {0};
    if (offline_check_rules(config, &rules) < 0) {
        add_fault(warnings, "local rules would be left out", &rules);
    }
    if (offline_check_certificate(config, &certificate) < 0) {
        add_fault(warnings, "DNS over TLS would not be served", &certificate);
    }
}

cJSON *offline_warnings(const struct config *config)
{
    const struct text_list *listen = config ? &config->web.admin_listen : NULL;
    cJSON *warnings = cJSON_CreateArray();
    if (config) {
        add_faults(warnings, config);
    }
    for (size_t i = 0; listen && i < listen->count; i++) {
        char text[256];
        struct addr addr;
        if (addr_parse_port(listen->items[i], DASHBOARD_PORT, &addr) == 0 &&
            dashboard_is_bare(config, &addr)) {
            snprintf(text, sizeof(text), "web.admin_listen: %.64s %s", listen->items[i],
                     config->web.admin_plain
                         ? "is served without a certificate (web.admin_plain): passwords cross "
                           "the network in the clear"
                         : "is not served: passwords would cross the network in the clear; set "
                           "web.admin_tls_cert, or web.admin_plain behind a proxy of your own");
            cJSON_AddItemToArray(warnings, cJSON_CreateString(text));
        }
    }
    return warnings;
}
