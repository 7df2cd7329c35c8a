// SPDX-License-Identifier: Apache-2.0
#include "config/checker.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "config/origins.h"
#include "config/schedule.h"
#include "config/server_url.h"

enum { DNS_PORT = 53, TLS_PORT = 853 };

static int fail_at(struct diag *diag, const struct origin *origin, const char *text)
{
    diag_at(diag, origin->file, origin->line, origin->column);
    return diag_set(diag, -EINVAL, "%s", text);
}

/* The place of item i of a list, else of the list. */
static struct origin item_origin(const struct origin *list, size_t i)
{
    struct origin origin = *list;
    const struct yaml_node *item = origin.node ? origin.node->first : NULL;
    while (item && i-- > 0) {
        item = item->next;
    }
    if (item) {
        origin.line = item->line;
        origin.column = item->column;
    }
    return origin;
}

static int check_counts(const struct config *config, struct diag *diag)
{
    if (config->dns.listen.count == 0) {
        return fail_at(diag, origins_find_key(config, "dns", "listen"),
                       "dns.listen: at least one address is needed");
    }
    if (!*config->web.admin_tls_cert != !*config->web.admin_tls_key) {
        return fail_at(diag, origins_find_key(config, "web", "admin_tls_cert"),
                       "web.admin_tls_cert: web.admin_tls_key is needed too, and the other way "
                       "round");
    }
    if (config->dns.tls_listen.count && (!*config->dns.tls_cert || !*config->dns.tls_key)) {
        return fail_at(diag, origins_find_key(config, "dns", "tls_listen"),
                       "dns.tls_listen: dns.tls_cert and dns.tls_key are needed too");
    }
    if (config->upstream.servers.count == 0) {
        return fail_at(diag, origins_find_key(config, "upstream", "servers"),
                       "upstream.servers: at least one server is needed");
    }
    if (config->web.languages.count == 0) {
        return fail_at(diag, origins_find_key(config, "web", "languages"),
                       "web.languages: at least one language is needed");
    }
    if (config->cache.min_ttl_s > config->cache.max_ttl_s) {
        const struct origin *least = origins_find_key(config, "cache", "min_ttl_s");
        const struct origin *most = origins_find_key(config, "cache", "max_ttl_s");
        return fail_at(diag, most->file ? most : least,
                       "cache: max_ttl_s is smaller than min_ttl_s");
    }
    return 0;
}

static int check_source(const struct config *config, size_t i, struct diag *diag)
{
    const struct config_source *source = &config->sources[i];
    const struct setting *rows = setting_source.rows;
    const struct origin *place = origins_find(config, &setting_source, i, rows);
    char text[256];
    if (!*source->url || !*source->category) {
        snprintf(text, sizeof(text), "source '%s' has no %s", source->id,
                 *source->url ? "category" : "url");
        return fail_at(diag, place, text);
    }
    if (strncmp(source->url, "http://", 7) != 0 || source->insecure || *source->public_key) {
        return 0;
    }
    for (size_t row = 0; row < setting_source.count; row++) {
        if (strcmp(rows[row].key, "url") == 0) {
            place = origins_find(config, &setting_source, i, &rows[row]);
        }
    }
    snprintf(text, sizeof(text),
             "source '%s': anybody on the way can change what http:// brings; use https://, a "
             "public_key, or insecure: true",
             source->id);
    return fail_at(diag, place, text);
}

static int check_groups(const struct config *config, struct diag *diag)
{
    for (size_t i = 0; i < config->group_count; i++) {
        const struct config_group *group = &config->groups[i];
        bool last = i + 1 == config->group_count;
        if (last == (group->clients.count == 0)) {
            continue;
        }
        char text[256];
        const char *why = last ? "is the last and must have no clients, so that it catches the rest"
                               : "has no clients, but only the last group may catch the rest";
        snprintf(text, sizeof(text), "group '%s' %s", group->name, why);
        return fail_at(diag, origins_find(config, &setting_group, i, setting_group.rows), text);
    }
    return 0;
}

/* Names of bells and dates that schedules give. */
static int check_schedules(const struct config *config, size_t group, struct diag *diag)
{
    const struct text_list *rows = &config->groups[group].schedule;
    const struct setting *setting = origins_row(&setting_group, "schedule");
    for (size_t i = 0; i < rows->count; i++) {
        char text[256];
        struct schedule_row row;
        const char *why = schedule_read(rows->items[i], config, &row);
        if (why) {
            struct origin place =
                item_origin(origins_find(config, &setting_group, group, setting), i);
            snprintf(text, sizeof(text), "schedule: this is %s", why);
            return fail_at(diag, &place, text);
        }
    }
    return 0;
}

/* Whether an address is one of this machine's. */
static bool is_ours(const struct addr *addr)
{
    struct ifaddrs *list = NULL;
    bool found = addr_is_loopback(addr);
    if (found || getifaddrs(&list) < 0) {
        return found;
    }
    for (const struct ifaddrs *at = list; at && !found; at = at->ifa_next) {
        struct addr own = {0};
        if (at->ifa_addr) {
            addr_from_sockaddr(at->ifa_addr, &own);
        }
        found = own.family && addr_equal(&own, addr);
    }
    freeifaddrs(list);
    return found;
}

/* Whether a query to `server` would arrive at `listen`. An IPv6 wildcard may take
 * IPv4 too, so families are not told apart there. */
static bool reaches(const struct addr *server, const char *listen, uint16_t port)
{
    struct addr own;
    if (addr_parse_port(listen, port, &own) < 0 || own.port != server->port) {
        return false;
    }
    return addr_is_any(&own) ? is_ours(server) : addr_equal(&own, server);
}

/* Where the item of dns.listen or dns.tls_listen stands. */
static struct origin listen_origin(const struct config *config, const char *listen)
{
    const struct text_list *list = &config->dns.listen;
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i] == listen) {
            return item_origin(origins_find_key(config, "dns", "listen"), i);
        }
    }
    return *origins_find_key(config, "dns", "tls_listen");
}

/* A forwarder that asks itself answers nothing and keeps busy with it. */
static int check_loop(const struct config *config, const char *server, const struct origin *place,
                      struct diag *diag)
{
    struct server_url url;
    if (server_url_parse(server, &url) < 0 || url.transport == SERVER_SYSTEM) {
        return 0;
    }
    const char *listen = checker_find_own(config, &url.addr);
    if (!listen) {
        return 0;
    }
    char text[DIAG_TEXT_MAX];
    snprintf(text, sizeof(text),
             "upstream: %s is our own address (we listen on %s); we would ask ourselves", server,
             listen);
    struct origin other = listen_origin(config, listen);
    return fail_at(diag, place->file ? place : &other, text);
}

static int check_zone_loops(const struct config *config, size_t i, struct diag *diag)
{
    struct origin place = item_origin(origins_find_key(config, "upstream", "zones"), i);
    const char *at = config->upstream.zones.items[i];
    char server[DIAG_TEXT_MAX];
    int err = 0;
    while (err == 0 && (at = strchr(at, ' '))) {
        at++;
        snprintf(server, sizeof(server), "%.*s", (int)strcspn(at, " "), at);
        err = check_loop(config, server, &place, diag);
    }
    return err;
}

const char *checker_find_own(const struct config *config, const struct addr *server)
{
    const struct {
        const struct text_list *list;
        uint16_t port;
    } rows[] = {{&config->dns.listen, DNS_PORT}, {&config->dns.tls_listen, TLS_PORT}};
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < rows[i].list->count; j++) {
            if (reaches(server, rows[i].list->items[j], rows[i].port)) {
                return rows[i].list->items[j];
            }
        }
    }
    return NULL;
}

int checker_check(const struct config *config, struct diag *diag)
{
    int err = check_counts(config, diag);
    for (size_t i = 0; i < config->source_count && err == 0; i++) {
        err = check_source(config, i, diag);
    }
    if (err == 0) {
        err = check_groups(config, diag);
    }
    for (size_t i = 0; i < config->group_count && err == 0; i++) {
        err = check_schedules(config, i, diag);
    }
    for (size_t i = 0; i < config->upstream.servers.count && err == 0; i++) {
        struct origin place = item_origin(origins_find_key(config, "upstream", "servers"), i);
        err = check_loop(config, config->upstream.servers.items[i], &place, diag);
    }
    for (size_t i = 0; i < config->upstream.zones.count && err == 0; i++) {
        err = check_zone_loops(config, i, diag);
    }
    return err;
}
