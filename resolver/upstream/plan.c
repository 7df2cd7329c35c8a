// SPDX-License-Identifier: Apache-2.0
#include "upstream/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/checker.h"
#include "net/tls.h"

enum { DNS_PORT = 53, LINE_MAX_OCTETS = 512, URL_MAX = 400 };

static const char resolv_conf[] = "/etc/resolv.conf";

/* The bit of a server, which is added when it is new; 0 when there are too many. */
static uint64_t add_server(struct upstream_plan *plan, const struct server_url *url, size_t listed)
{
    size_t i = 0;
    while (i < plan->count && !server_url_equal(&plan->servers[i].url, url)) {
        i++;
    }
    if (i == PLAN_SERVERS_MAX) {
        return 0;
    }
    struct plan_server *server = &plan->servers[i];
    if (i == plan->count) {
        plan->count++;
        server->url = *url;
        server->listed = PLAN_UNLISTED;
        server->trusted = url->transport == SERVER_TLS || addr_is_loopback(&url->addr);
    }
    if (server->listed == PLAN_UNLISTED && listed < PLAN_UNLISTED) {
        server->listed = (uint8_t)listed;
    }
    return (uint64_t)1 << i;
}

/* The servers of resolv.conf but for ourselves. */
static uint64_t add_system(struct upstream_plan *plan, const struct config *config, size_t listed)
{
    char line[LINE_MAX_OCTETS];
    uint64_t bits = 0;
    FILE *file = fopen(resolv_conf, "re");
    plan->follows_system = true;
    if (!file) {
        return 0;
    }
    while (fgets(line, sizeof(line), file)) {
        char host[128];
        struct server_url url = {.transport = SERVER_UDP};
        if (sscanf(line, " nameserver %127s", host) == 1 && addr_parse(host, &url.addr) == 0 &&
            !addr_is_any(&url.addr)) {
            url.addr.port = DNS_PORT;
            bits |= checker_find_own(config, &url.addr) ? 0 : add_server(plan, &url, listed);
        }
    }
    fclose(file);
    return bits;
}

static uint64_t add_text(struct upstream_plan *plan, const struct config *config, const char *text,
                         size_t listed)
{
    struct server_url url;
    if (server_url_parse(text, &url) < 0) {
        return 0; /* cannot be: it was checked */
    }
    return url.transport == SERVER_SYSTEM ? add_system(plan, config, listed)
                                          : add_server(plan, &url, listed);
}

/* "DOMAIN SERVER SERVER ..." */
static void add_zone(struct upstream_plan *plan, const struct config *config, const char *text)
{
    struct plan_zone *zone = &plan->zones[plan->zone_count];
    size_t len = strcspn(text, " ");
    char word[URL_MAX];
    zone->servers = 0;
    if (dname_parse_len(text, len, &zone->domain) < 0) {
        return;
    }
    for (const char *at = text + len; *at; at += strcspn(at, " ")) {
        at++;
        snprintf(word, sizeof(word), "%.*s", (int)strcspn(at, " "), at);
        zone->servers |= add_text(plan, config, word, PLAN_UNLISTED);
    }
    plan->zone_count++;
}

/* The system's certificates are read only when a name is to be checked by them. */
static int prepare_tls(struct upstream_plan *plan, struct diag *diag)
{
    bool tls = false, by_name = false;
    for (size_t i = 0; i < plan->count; i++) {
        const struct server_url *url = &plan->servers[i].url;
        tls |= url->transport == SERVER_TLS;
        by_name |= url->transport == SERVER_TLS && !url->pinned;
    }
    int err = tls ? tls_context_client(&plan->tls) : 0;
    if (err == -ENOTSUP) {
        return tls_context_trust_system(NULL, diag); /* says why */
    }
    if (err == 0 && by_name && tls_context_trust_system(plan->tls, diag) < 0) {
        err = -EINVAL;
    }
    return err;
}

int upstream_plan_new(const struct config *config, struct upstream_plan **ret_plan,
                      struct diag *diag)
{
    struct upstream_plan *plan = calloc(1, sizeof(*plan));
    const struct text_list *zones = &config->upstream.zones;
    size_t zone_count = zones->count < PLAN_ZONES_MAX ? zones->count : PLAN_ZONES_MAX;
    if (!plan) {
        return -ENOMEM;
    }
    atomic_init(&plan->references, 1);
    plan->system_mark = upstream_plan_system_mark();
    plan->strategy = (enum upstream_strategy)config->upstream.strategy;
    plan->timeout_ms = (uint32_t)config->upstream.timeout_ms;
    plan->ttl_min = (uint32_t)config->cache.min_ttl_s;
    plan->ttl_max = (uint32_t)config->cache.max_ttl_s;
    plan->zones = calloc(zone_count + 1, sizeof(*plan->zones));
    int err = plan->zones ? 0 : -ENOMEM;
    for (size_t i = 0; i < config->upstream.servers.count && err == 0; i++) {
        plan->general |= add_text(plan, config, config->upstream.servers.items[i], i);
    }
    for (size_t i = 0; i < zone_count && err == 0; i++) {
        add_zone(plan, config, zones->items[i]);
    }
    if (err == 0) {
        err = prepare_tls(plan, diag);
    }
    if (err < 0) {
        upstream_plan_unref(plan);
        return err;
    }
    *ret_plan = plan;
    return 0;
}

struct upstream_plan *upstream_plan_ref(struct upstream_plan *plan)
{
    if (plan) {
        atomic_fetch_add(&plan->references, 1);
    }
    return plan;
}

void upstream_plan_unref(struct upstream_plan *plan)
{
    if (plan && atomic_fetch_sub(&plan->references, 1) == 1) {
        tls_context_free(plan->tls);
        free(plan->zones);
        free(plan);
    }
}

uint64_t upstream_plan_route(const struct upstream_plan *plan, const struct dname *name)
{
    uint64_t servers = plan->general;
    int longest = -1;
    for (size_t i = 0; i < plan->zone_count; i++) {
        const struct plan_zone *zone = &plan->zones[i];
        if (zone->domain.labels > longest && dname_is_below(name, &zone->domain)) {
            longest = zone->domain.labels;
            servers = zone->servers;
        }
    }
    return servers;
}

uint64_t upstream_plan_system_mark(void)
{
    struct stat now;
    if (stat(resolv_conf, &now) < 0) {
        return 0;
    }
    return (uint64_t)now.st_ino * 31 + (uint64_t)now.st_mtim.tv_sec * 1000000000U +
           (uint64_t)now.st_mtim.tv_nsec + (uint64_t)now.st_size + 1;
}
