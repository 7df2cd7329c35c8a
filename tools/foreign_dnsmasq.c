// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/addr.h"
#include "base/wholefile.h"
#include "config/member.h"
#include "tools/foreign.h"

enum { HOSTS_OCTETS_MAX = 16 << 20, WORD_MAX = 300 };

struct place {
    struct moving *moving;
    const char *file;
    unsigned line;
    char own[WORD_MAX]; /* the network's domain, of domain=; "": none */
};

/* What is so here anyway, or has no meaning here. */
static const char *const silent[] = {
    "domain-needed",   "bogus-priv",      "no-resolv",           "no-poll",
    "no-hosts",        "expand-hosts",    "localise-queries",    "cache-size",
    "log-queries",     "log-facility",    "log-async",           "user",
    "group",           "pid-file",        "bind-interfaces",     "bind-dynamic",
    "local-service",   "stop-dns-rebind", "rebind-localhost-ok", "no-negcache",
    "edns-packet-max", "dns-loop-detect", "clear-on-reload",     "dns-forward-max",
    "local-ttl",
};

static bool is_silent(const char *option)
{
    for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++) {
        if (strcmp(silent[i], option) == 0) {
            return true;
        }
    }
    return false;
}

static bool leads_nowhere(const char *address)
{
    struct addr addr;
    return !*address || strcmp(address, "#") == 0 ||
           (addr_parse(address, &addr) == 0 && (addr_is_any(&addr) || addr_is_loopback(&addr)));
}

/* The next word up to one of `ends`; false at the end of the text. */
static bool next_word(const char **text, const char *ends, char out[WORD_MAX])
{
    if (!*text) {
        return false;
    }
    size_t len = strcspn(*text, ends);
    snprintf(out, WORD_MAX, "%.*s", (int)(len < WORD_MAX ? len : WORD_MAX - 1), *text);
    *text = (*text)[len] ? *text + len + 1 : NULL;
    return true;
}

static void block(struct place *place, const char *domain)
{
    char note[64];
    cJSON *rule = moving_add_rule(place->moving, "block", domain, strchr(domain, '.') == NULL);
    snprintf(note, sizeof(note), "%.40s:%u", place->file, place->line);
    cJSON_AddStringToObject(rule, "note", note);
}

/* address=/a.example/b.example/0.0.0.0 */
static void take_address(struct place *place, const char *value)
{
    char domain[WORD_MAX];
    const char *last = strrchr(value, '/'), *at = value + 1;
    if (*value != '/' || !last || last == value) {
        moving_leave(place->moving, THING("address", value), "/DOMAIN/ADDRESS is expected (%s:%u)",
                     place->file, place->line);
        return;
    }
    while (at && at <= last && next_word(&at, "/", domain) && at) {
        if (leads_nowhere(last + 1)) {
            block(place, domain);
        } else {
            moving_add_record(place->moving, domain, last + 1);
            moving_leave(place->moving, THING("record", domain),
                         "what is below it: a record is for the name alone");
        }
    }
}

static bool is_below(const char *name, const char *parent)
{
    size_t len = strlen(name), end = strlen(parent);
    return end > 0 && len >= end && strcasecmp(name + len - end, parent) == 0 &&
           (len == end || name[len - end - 1] == '.');
}

/* Names that nobody blocks by keeping them inside: of a network, and of the way back. */
static bool is_inside(const struct place *place, const char *domain)
{
    static const char *const inside[] = {"arpa",        "lan",      "local",   "home",
                                         "internal",    "intranet", "private", "corp",
                                         "localdomain", "fritz.box"};
    bool found = is_below(domain, place->own);
    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
        found = found || is_below(domain, inside[i]);
    }
    return found;
}

/* A domain that no server outside may see. */
static void keep_inside(struct place *place, const char *domain, bool local)
{
    if (!strchr(domain, '.')) {
        moving_leave(place->moving, THING("zone", domain),
                     "nobody outside is asked for names of this network anyway");
    } else if (local || is_inside(place, domain)) {
        moving_leave(place->moving, THING("zone", domain),
                     "it was answered from this network alone: name its server in upstream.zones "
                     "or its names in dns.records; if nobody shall reach it: greengate block "
                     "%.200s",
                     domain);
    } else {
        block(place, domain);
    }
}

/* server=/zone/192.0.2.1, server=192.0.2.1, server=/x/ */
static void take_zones(struct place *place, const char *value, bool local)
{
    char domain[WORD_MAX];
    const char *last = strrchr(value, '/'), *at = value + 1;
    if (*value != '/') {
        if (*value) {
            moving_add_upstream(place->moving, value);
        }
        return;
    }
    while (at && at <= last && next_word(&at, "/", domain) && at) {
        if (last[1] && last[1] != '#') {
            moving_add_zone(place->moving, domain, last + 1);
        } else if (last[1] == '#') {
            moving_leave(place->moving, THING("zone", domain),
                         "the usual servers are asked for it anyway");
        } else {
            keep_inside(place, domain, local);
        }
    }
}

static void take_server(struct place *place, const char *value)
{
    take_zones(place, value, false);
}

static void take_local(struct place *place, const char *value)
{
    take_zones(place, value, true);
}

static void take_reverse(struct place *place, const char *value)
{
    char subnet[WORD_MAX], zone[WORD_MAX];
    const char *at = value;
    if (!next_word(&at, ",", subnet) || !at || moving_reverse(subnet, zone, sizeof(zone)) < 0) {
        moving_leave(place->moving, THING("rev-server", value),
                     "only subnets of whole octets (/8, /16, /24) and a server are taken");
        return;
    }
    moving_add_zone(place->moving, zone, at);
}

/* host-record=a.lan,b.lan,192.0.2.1,2001:db8::1,3600 */
static void take_host_record(struct place *place, const char *value)
{
    char word[WORD_MAX], inner[WORD_MAX];
    struct addr addr;
    const char *at = value;
    while (next_word(&at, ",", word)) {
        const char *again = value;
        if (addr_parse(word, &addr) == 0 || word[strspn(word, "0123456789")] == '\0') {
            continue;
        }
        while (next_word(&again, ",", inner)) {
            if (addr_parse(inner, &addr) == 0) {
                moving_add_record(place->moving, word, inner);
            }
        }
    }
}

static cJSON *policy_of_tag(struct moving *moving, const char *tag)
{
    cJSON *policy;
    cJSON_ArrayForEach(policy, cJSON_GetObjectItemCaseSensitive(moving->root, "policies"))
    {
        if (strcmp(moving_text(policy, "name"), tag) == 0) {
            return policy;
        }
    }
    policy = moving_add(moving, "policies");
    cJSON_AddStringToObject(policy, "name", tag);
    cJSON_AddArrayToObject(policy, "clients");
    return policy;
}

/* "45m", "3600", "infinite": how long an address is lent; "ignore": not at all. */
static bool is_lease(const char *word)
{
    size_t digits = strspn(word, "0123456789");
    const char *unit = word + digits;
    return strcasecmp(word, "infinite") == 0 || strcmp(word, "ignore") == 0 ||
           (digits > 0 && (!*unit || (strchr("smhdwSMHDW", *unit) && !unit[1])));
}

/* dhcp-host=02:00:00:00:00:01,set:kids,192.0.2.7,tablet: devices with a tag become a group,
 * and a name with an address a record. */
static void take_dhcp_host(struct place *place, const char *value)
{
    char word[WORD_MAX], mac[WORD_MAX] = "", tag[WORD_MAX] = "", address[WORD_MAX] = "",
                         name[WORD_MAX] = "";
    struct member member;
    struct addr addr;
    const char *at = value;
    while (next_word(&at, ",", word)) {
        uint8_t octets[MEMBER_MAC_LEN];
        if (member_parse_mac(word, strlen(word), octets) == 0) {
            snprintf(mac, sizeof(mac), "%s", word);
        } else if (strncmp(word, "set:", 4) == 0) {
            snprintf(tag, sizeof(tag), "%s", word + 4);
        } else if (addr_parse(word, &addr) == 0) {
            snprintf(address, sizeof(address), "%s", word);
        } else if (!*name && isalnum((unsigned char)word[0]) && !strchr(word, ':') &&
                   !is_lease(word)) {
            snprintf(name, sizeof(name), "%s", word);
        }
    }
    if (*name && *address) {
        moving_add_record(place->moving, name, address);
    }
    const char *client = *mac ? mac : *address ? address : name;
    if (*tag && member_parse(client, &member) == 0) {
        cJSON_AddItemToArray(
            cJSON_GetObjectItemCaseSensitive(policy_of_tag(place->moving, tag), "clients"),
            cJSON_CreateString(client));
    } else {
        moving_leave(place->moving, THING("dhcp-host", value),
                     "addresses are given by a DHCP server; here a device is host:NAME or its MAC "
                     "in groups.clients");
    }
}

void foreign_take_hosts(struct moving *moving, const char *text)
{
    struct moving_lines lines = {.at = text};
    char *save, *address, *name;
    while (moving_next_line(&lines)) {
        lines.line[strcspn(lines.line, "#")] = '\0';
        address = strtok_r(lines.line, " \t", &save);
        while (address && (name = strtok_r(NULL, " \t", &save)) != NULL) {
            if (!leads_nowhere(address)) {
                moving_add_record(moving, name, address);
            }
        }
    }
}

static bool has_blocked(const char *text)
{
    struct moving_lines lines = {.at = text};
    while (moving_next_line(&lines)) {
        lines.line[strcspn(lines.line, " \t")] = '\0';
        struct addr addr;
        if (addr_parse(lines.line, &addr) == 0 && addr_is_any(&addr)) {
            return true;
        }
    }
    return false;
}

/* Names that lead nowhere are a list, the others records. */
static void take_hosts_file(struct place *place, const char *path)
{
    char *text = NULL, url[WORD_MAX + 8];
    size_t len;
    int err = wholefile_read(path, HOSTS_OCTETS_MAX, &text, &len);
    if (err < 0) {
        moving_leave(place->moving, THING("addn-hosts", path), "it cannot be read: %s",
                     strerror(-err));
        return;
    }
    foreign_take_hosts(place->moving, text);
    if (has_blocked(text)) {
        snprintf(url, sizeof(url), "file://%s", path);
        moving_add_list(place->moving, url, "", true);
    }
    free(text);
}

/* Those of all lines, in place of the usual ones. */
static cJSON *listening(struct moving *moving)
{
    cJSON *list = cJSON_GetObjectItemCaseSensitive(moving->root, "listening");
    return list ? list : cJSON_AddArrayToObject(moving->root, "listening");
}

static void take_listen(struct place *place, const char *value)
{
    char word[WORD_MAX], text[ADDR_TEXT_MAX];
    struct addr addr;
    cJSON *list = listening(place->moving);
    while (next_word(&value, ",", word)) {
        if (addr_parse(word, &addr) < 0) {
            moving_leave(place->moving, THING("listen-address", word), "it is no address (%s:%u)",
                         place->file, place->line);
            continue;
        }
        addr.port = 53;
        addr_print(&addr, text);
        const cJSON *same = list->child;
        while (same && strcmp(same->valuestring, text) != 0) {
            same = same->next;
        }
        if (!same) {
            cJSON_AddItemToArray(list, cJSON_CreateString(text));
        }
    }
    if (list->child) {
        moving_set(place->moving, "dns", "listen", cJSON_Duplicate(list, true));
    }
}

static const struct {
    const char *option;
    void (*take)(struct place *place, const char *value);
} options[] = {
    {"address", take_address},
    {"server", take_server},
    {"local", take_local},
    {"rev-server", take_reverse},
    {"host-record", take_host_record},
    {"dhcp-host", take_dhcp_host},
    {"addn-hosts", take_hosts_file},
    {"listen-address", take_listen},
};

static void leave_option(struct place *place, const char *option, const char *whole)
{
    if (strncmp(option, "dhcp", 4) == 0 || strcmp(option, "enable-ra") == 0) {
        moving_leave(place->moving, THING("option", whole),
                     "no addresses are given here: keep a DHCP server");
    } else if (strncmp(option, "conf-", 5) == 0 || strcmp(option, "servers-file") == 0) {
        moving_leave(place->moving, THING("option", whole),
                     "give that file to greengate import too");
    } else if (strcmp(option, "cname") == 0) {
        moving_leave(place->moving, THING("record", whole),
                     "an alias cannot be a record: give its target's address to the name");
    } else {
        moving_leave(place->moving, THING("option", whole), "there is nothing like it here (%s:%u)",
                     place->file, place->line);
    }
}

static void take_option(struct place *place, char *line)
{
    char whole[WORD_MAX];
    snprintf(whole, sizeof(whole), "%.*s", WORD_MAX - 1, line);
    char *value = strchr(line, '=');
    if (value) {
        *value++ = '\0';
        value += strspn(value, " \t");
    }
    line[strcspn(line, " \t")] = '\0';
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (strcmp(options[i].option, line) == 0 && value) {
            options[i].take(place, value);
            return;
        }
    }
    if (strcmp(line, "strict-order") == 0 || strcmp(line, "all-servers") == 0) {
        moving_set(place->moving, "upstream", "strategy",
                   cJSON_CreateString(line[0] == 's' ? "ordered" : "parallel"));
    } else if (!is_silent(line)) {
        leave_option(place, line, whole);
    }
}

/* "domain=corp.example,192.168.1.0/24", wherever it stands. */
static void see_domain(const char *text, char out[WORD_MAX])
{
    struct moving_lines lines = {.at = text};
    while (moving_next_line(&lines)) {
        if (strncmp(lines.line, "domain", 6) == 0 && strcspn(lines.line + 6, "= \t") == 0) {
            const char *value = lines.line + 6 + strspn(lines.line + 6, "= \t");
            snprintf(out, WORD_MAX, "%.*s", (int)strcspn(value, ", \t#"), value);
        }
    }
}

void foreign_take_dnsmasq(struct moving *moving, const char *text, const char *place)
{
    struct moving_lines lines = {.at = text};
    struct place at = {moving, place, 0, ""};
    see_domain(text, at.own);
    while (moving_next_line(&lines)) {
        at.line = lines.number;
        /* A comment behind a value has a blank before it. */
        char *comment = strstr(lines.line, " #");
        if (comment) {
            *comment = '\0';
            while (comment > lines.line && isspace((unsigned char)comment[-1])) {
                *--comment = '\0';
            }
        }
        if (lines.cut) {
            moving_leave(moving, THING("option", lines.line), "the line is too long (%s:%u)", place,
                         lines.number);
        } else {
            take_option(&at, lines.line);
        }
    }
}

static bool looks_right(const char *text)
{
    struct moving_lines lines = {.at = text};
    static const char *const sure[] = {
        "address=", "server=",         "local=",        "host-record=", "dhcp-",      "addn-hosts=",
        "domain=",  "listen-address=", "interface=",    "no-resolv",    "port=",      "cname=",
        "conf-",    "rev-server=",     "domain-needed", "bogus-priv",   "cache-size="};
    while (moving_next_line(&lines)) {
        for (size_t i = 0; i < sizeof(sure) / sizeof(sure[0]); i++) {
            if (strncmp(lines.line, sure[i], strlen(sure[i])) == 0) {
                return true;
            }
        }
    }
    return false;
}

int foreign_read_dnsmasq(struct moving *moving, const struct foreign_file *file, struct diag *diag)
{
    const char *slash = strrchr(file->path, '/');
    if (!file->data || strlen(file->data) != file->len || !looks_right(file->data)) {
        return diag_set(diag, -EINVAL,
                        "it is no configuration of dnsmasq: no line of it is an option such as "
                        "server= or address=");
    }
    moving_set(moving, "dns", "listen", cJSON_Parse("[\"0.0.0.0:53\", \"[::]:53\"]"));
    foreign_take_dnsmasq(moving, file->data, slash ? slash + 1 : file->path);
    cJSON_AddStringToObject(moving_add(moving, "policies"), "name", "everybody else");
    return 0;
}
