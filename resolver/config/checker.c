// SPDX-License-Identifier: Apache-2.0
#include "config/checker.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "config/origins.h"

enum { DNS_PORT = 53 };

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
static bool reaches(const struct addr *server, const char *listen)
{
    struct addr own;
    if (addr_parse_port(listen, DNS_PORT, &own) < 0 || own.port != server->port) {
        return false;
    }
    return addr_is_any(&own) ? is_ours(server) : addr_equal(&own, server);
}

/* A forwarder that asks itself answers nothing and keeps busy with it. */
static int check_loop(const struct config *config, size_t i, struct diag *diag)
{
    const char *server = config->upstream.servers.items[i];
    struct addr addr;
    const char *host = strstr(server, "://");
    if (!host || addr_parse_port(host + 3, DNS_PORT, &addr) < 0) {
        return 0;
    }
    const struct text_list *listen = &config->dns.listen;
    for (size_t j = 0; j < listen->count; j++) {
        if (!reaches(&addr, listen->items[j])) {
            continue;
        }
        char text[DIAG_TEXT_MAX];
        snprintf(text, sizeof(text),
                 "upstream.servers: %s is our own address (dns.listen has %s); we would ask "
                 "ourselves",
                 server, listen->items[j]);
        struct origin place = item_origin(origins_find_key(config, "upstream", "servers"), i);
        struct origin other = item_origin(origins_find_key(config, "dns", "listen"), j);
        return fail_at(diag, place.file ? &place : &other, text);
    }
    return 0;
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
    for (size_t i = 0; i < config->upstream.servers.count && err == 0; i++) {
        err = check_loop(config, i, diag);
    }
    return err;
}
