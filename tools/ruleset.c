// SPDX-License-Identifier: Apache-2.0
#include "tools/ruleset.h"

#include <stdlib.h>
#include <string.h>

#include "config/member.h"
#include "config/server_url.h"

enum { SET_COLUMNS = 4 };

static bool is_ipv6(const char *address)
{
    return strchr(address, ':') != NULL;
}

static void print_head(const struct ruleset *set, FILE *out)
{
    fputs("# greengate: this network's DNS goes through the filter.\n", out);
    if (set->openwrt) {
        fputs("# Save as /usr/share/nftables.d/ruleset-post/greengate.nft, then: fw4 restart\n",
              out);
    } else {
        fputs(
            "# Save as /etc/nftables.d/greengate.nft, then: nft -f /etc/nftables.d/greengate.nft\n",
            out);
    }
    fputs("# Undo: nft delete table inet greengate\n\n"
          "table inet greengate\n"
          "delete table inet greengate\n\n"
          "table inet greengate {\n",
          out);
}

/* From where clients are to a chain; what comes from elsewhere passes. */
static void print_entrance(const struct ruleset *set, const char *chain, FILE *out)
{
    for (size_t i = 0; i < set->interface_count; i++) {
        fprintf(out, "\t\tiifname \"%s\" goto %s\n", set->interfaces[i], chain);
    }
}

static void print_doh(const struct ruleset *set, bool ipv6, FILE *out)
{
    size_t shown = 0;
    fprintf(out, "\tset doh%d {\n\t\ttype %s\n\t\telements = {", ipv6 ? 6 : 4,
            ipv6 ? "ipv6_addr" : "ipv4_addr");
    for (size_t i = 0; i < set->doh.count; i++) {
        if (is_ipv6(set->doh.items[i]) == ipv6) {
            fprintf(out, "%s%s%s", shown ? "," : "", shown % SET_COLUMNS ? " " : "\n\t\t\t",
                    set->doh.items[i]);
            shown++;
        }
    }
    fputs("\n\t\t}\n\t}\n\n", out);
}

/* The last group that is exempt: groups after it need no row of their own. */
static size_t exempt_end(const struct ruleset *set)
{
    size_t end = 0;
    for (size_t i = 0; i < set->config->group_count; i++) {
        end = set->exempt[i] ? i + 1 : end;
    }
    return end;
}

/* What of groups[].clients a packet shows, and how nftables names it. */
static const struct row_kind {
    enum member_kind kind;
    uint8_t family;
    const char *match;
} row_kinds[] = {
    {MEMBER_MAC, 0, "ether saddr"},
    {MEMBER_PREFIX, AF_INET, "ip saddr"},
    {MEMBER_PREFIX, AF_INET6, "ip6 saddr"},
};

/* The client as nftables writes it; false when it is of another kind. */
static bool print_member(const struct row_kind *kind, const char *client, char *out, size_t cap)
{
    struct member member;
    bool is_of = member_parse(client, &member) == 0 && member.kind == kind->kind &&
                 (member.kind != MEMBER_PREFIX || member.prefix.addr.family == kind->family);
    const uint8_t *mac = member.mac;
    if (is_of && member.kind == MEMBER_MAC) {
        snprintf(out, cap, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
                 mac[5]);
    } else {
        snprintf(out, cap, "%s", client);
    }
    return is_of;
}

/* Clients of one kind of a group, with what becomes of them. */
static void print_row(const struct config_group *group, const struct row_kind *kind,
                      const char *verdict, FILE *out)
{
    size_t shown = 0;
    char client[ADDR_TEXT_MAX + 8];
    for (size_t i = 0; i < group->clients.count; i++) {
        if (print_member(kind, group->clients.items[i], client, sizeof(client))) {
            if (shown) {
                fprintf(out, ", %s", client);
            } else {
                fprintf(out, "\t\t%s { %s", kind->match, client);
            }
            shown++;
        }
    }
    if (shown) {
        fprintf(out, " } %s comment \"group %s\"\n", verdict, group->name);
    }
}

/* Hosts and ids are names, which packets do not bear. */
static void print_unknown(const struct config_group *group, FILE *out)
{
    for (size_t i = 0; i < group->clients.count; i++) {
        struct member member;
        if (member_parse(group->clients.items[i], &member) == 0 &&
            (member.kind == MEMBER_HOST || member.kind == MEMBER_ID)) {
            fprintf(out, "\t\t# %s of group %s is not told by a packet\n", group->clients.items[i],
                    group->name);
        }
    }
}

/* A server that we ask may stand among the clients, and ask others itself: led to us, the two
 * would ask each other in a circle. */
static void print_upstream(const char *text, FILE *out)
{
    struct server_url url;
    char address[ADDR_TEXT_MAX];
    if (server_url_parse(text, &url) == 0 && url.transport != SERVER_SYSTEM &&
        !addr_is_loopback(&url.addr)) {
        url.addr.port = 0;
        fprintf(out, "\t\t%s saddr %s accept comment \"a server that we ask\"\n",
                url.addr.family == AF_INET ? "ip" : "ip6", addr_print(&url.addr, address));
    }
}

static void print_upstreams(const struct config *config, FILE *out)
{
    for (size_t i = 0; i < config->upstream.servers.count; i++) {
        print_upstream(config->upstream.servers.items[i], out);
    }
    for (size_t i = 0; i < config->upstream.zones.count; i++) {
        char *zone = strdup(config->upstream.zones.items[i]), *save = NULL;
        char *word = zone ? strtok_r(zone, " ", &save) : NULL; /* the domain */
        while (word && (word = strtok_r(NULL, " ", &save)) != NULL) {
            print_upstream(word, out);
        }
        free(zone);
    }
}

/* The first group that covers a client decides, as it does for names. */
static void print_groups(const struct ruleset *set, const char *chain, FILE *out)
{
    char go[32];
    snprintf(go, sizeof(go), "goto %s", chain);
    size_t end = exempt_end(set);
    print_upstreams(set->config, out);
    for (size_t i = 0; i < end; i++) {
        const char *verdict = set->exempt[i] ? "accept" : go;
        for (size_t k = 0; k < sizeof(row_kinds) / sizeof(row_kinds[0]); k++) {
            print_row(&set->config->groups[i], &row_kinds[k], verdict, out);
        }
        print_unknown(&set->config->groups[i], out);
    }
    fprintf(out, "\t\t%s\n", go);
}

static void print_way(const struct ruleset_way *way, bool ipv6, FILE *out)
{
    const char *family = ipv6 ? "ipv6" : "ipv4";
    char to[ADDR_TEXT_MAX];
    if (way->kind == WAY_REDIRECT) {
        fprintf(out,
                "\t\tmeta nfproto %s meta l4proto { tcp, udp } th dport 53 counter redirect to "
                ":%u\n",
                family, way->to.port);
    } else if (way->kind == WAY_DNAT) {
        fprintf(out, "\t\tmeta l4proto { tcp, udp } th dport 53 counter dnat %s to %s\n",
                ipv6 ? "ip6" : "ip", addr_print(&way->to, to));
    }
}

static void print_steering(const struct ruleset *set, FILE *out)
{
    fputs("\t# Port 53, whatever address was asked. What this machine asks itself does not pass\n"
          "\t# here, so our own questions to upstream servers are left alone.\n"
          "\tchain prerouting {\n"
          "\t\ttype nat hook prerouting priority dstnat - 5; policy accept;\n"
          "\t\tmeta l4proto != { tcp, udp } accept\n"
          "\t\tth dport != 53 accept\n",
          out);
    print_entrance(set, "asking", out);
    fputs("\t}\n\n\tchain asking {\n", out);
    print_groups(set, "steer", out);
    fputs("\t}\n\n\tchain steer {\n", out);
    print_way(&set->ipv4, false, out);
    print_way(&set->ipv6, true, out);
    fputs("\t}\n\n", out);
}

static void print_shut(const char *what, FILE *out)
{
    fprintf(out, "\t\t%s meta l4proto tcp counter reject with tcp reset\n", what);
    fprintf(out, "\t\t%s counter reject\n", what);
}

static void print_barrier(const struct ruleset *set, FILE *out)
{
    fputs("\t# Other ways out. Refused at once, so that devices fall back without waiting.\n"
          "\tchain forward {\n"
          "\t\ttype filter hook forward priority filter - 5; policy accept;\n"
          "\t\tmeta l4proto != { tcp, udp } accept\n",
          out);
    print_entrance(set, "leaving", out);
    fputs("\t}\n\n\tchain leaving {\n", out);
    print_groups(set, "barrier", out);
    fputs("\t}\n\n\tchain barrier {\n", out);
    fputs("\t\t# DNS that could not be led to us\n", out);
    print_shut("th dport 53", out);
    fputs("\t\t# DNS over TLS (RFC 7858) and over QUIC (RFC 9250), with its earlier ports\n", out);
    print_shut("th dport 853", out);
    fputs("\t\tudp dport { 784, 8853 } counter reject\n", out);
    fputs("\t\t# DNS over HTTPS at addresses that serve nothing else; HTTP/3 too\n", out);
    print_shut("ip daddr @doh4 th dport 443", out);
    print_shut("ip6 daddr @doh6 th dport 443", out);
    fputs("\t}\n}\n", out);
}

void ruleset_print(const struct ruleset *set, FILE *out)
{
    print_head(set, out);
    print_doh(set, false, out);
    print_doh(set, true, out);
    print_steering(set, out);
    print_barrier(set, out);
}
