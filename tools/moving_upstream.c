// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "tools/moving.h"

enum { URL_MAX = 300, DNS_PORT = 53, DOT_PORT = 853 };

/* Public resolvers that are known by a name: a resolver cannot ask itself for it.
 * DNS over HTTPS is asked over TLS there: the same server, the same certificate. */
static const struct {
    const char *name, *address;
} known[] = {
    {"dns.quad9.net", "9.9.9.9"},
    {"dns9.quad9.net", "9.9.9.9"},
    {"dns10.quad9.net", "9.9.9.10"},
    {"dns11.quad9.net", "9.9.9.11"},
    {"one.one.one.one", "1.1.1.1"},
    {"cloudflare-dns.com", "1.1.1.1"},
    {"dns.cloudflare.com", "1.1.1.1"},
    {"1dot1dot1dot1.cloudflare-dns.com", "1.1.1.1"},
    {"security.cloudflare-dns.com", "1.1.1.2"},
    {"family.cloudflare-dns.com", "1.1.1.3"},
    {"dns.google", "8.8.8.8"},
    {"dns.adguard-dns.com", "94.140.14.14"},
    {"dns.adguard.com", "94.140.14.14"},
    {"family.adguard-dns.com", "94.140.14.15"},
    {"unfiltered.adguard-dns.com", "94.140.14.140"},
};

enum scheme { PLAIN, TCP, TLS, HTTPS, OTHER };

/* How others write a transport. */
static const struct {
    const char *prefix;
    enum scheme scheme;
} schemes[] = {
    {"udp://", PLAIN}, {"tcp+udp:", PLAIN}, {"tcp://", TCP},  {"tcp-tls:", TLS},
    {"tls://", TLS},   {"https://", HTTPS}, {"h3://", HTTPS}, {"quic://", OTHER},
    {"quic:", OTHER},  {"sdns://", OTHER},  {"udp:", PLAIN},  {"tcp:", TCP},
};

static enum scheme take_scheme(const char **text)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t len = strlen(schemes[i].prefix);
        if (strncasecmp(*text, schemes[i].prefix, len) == 0) {
            *text += len;
            return schemes[i].scheme;
        }
    }
    return PLAIN;
}

static const char *find_known(const char *name)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcasecmp(known[i].name, name) == 0) {
            return known[i].address;
        }
    }
    return NULL;
}

/* "HOST:PORT", "HOST#PORT" or a host; the port when there is one. */
static unsigned long take_port(char *host, unsigned long otherwise)
{
    char *sign = strrchr(host, '#');
    sign = sign ? sign : strchr(host, ':') == strrchr(host, ':') ? strchr(host, ':') : NULL;
    if (!sign || !isdigit((unsigned char)sign[1])) {
        return otherwise;
    }
    *sign = '\0';
    return strtoul(sign + 1, NULL, 10);
}

/* Of DNS over TLS and HTTPS, by a name or an address. */
static const char *secure(const char *text, bool https, char out[URL_MAX])
{
    char host[URL_MAX];
    struct addr addr;
    const char *name = strchr(text, '#'); /* a certificate's name, as we and blocky write it */
    snprintf(host, sizeof(host), "%.*s", (int)strcspn(text, name ? "#/" : "/"), text);
    if (addr_parse_port(host, DOT_PORT, &addr) == 0) {
        char address[ADDR_TEXT_MAX];
        addr.port = https ? DOT_PORT : addr.port;
        snprintf(out, URL_MAX, "tls://%s%s", addr_print(&addr, address), name ? name : "");
        return NULL;
    }
    unsigned long port = take_port(host, DOT_PORT);
    const char *address = find_known(host);
    if (!address) {
        return https ? "DNS over HTTPS is not asked, and its address is not known here: give it as "
                       "tls://ADDRESS:853#NAME if it speaks DNS over TLS too"
                     : "a resolver cannot ask itself for the server's name: give it as "
                       "tls://ADDRESS:853#NAME";
    }
    snprintf(out, URL_MAX, "tls://%s:%lu#%.253s", address, https ? DOT_PORT : port, host);
    return NULL;
}

static const char *plain(const char *text, bool tcp, char out[URL_MAX])
{
    char host[URL_MAX], address[ADDR_TEXT_MAX];
    struct addr addr;
    snprintf(host, sizeof(host), "%s", text);
    unsigned long port = strchr(host, '#') ? take_port(host, DNS_PORT) : DNS_PORT;
    if (port == 0 || port > 65535 || addr_parse_port(host, (uint16_t)port, &addr) < 0 ||
        addr.port == 0) {
        return "it is no address: a resolver cannot ask itself for a server's name";
    }
    snprintf(out, URL_MAX, "%s://%s", tcp ? "tcp" : "udp", addr_print(&addr, address));
    return NULL;
}

/* A server as we write it, or why it cannot be one. */
static const char *convert(const char *text, char out[URL_MAX])
{
    const char *rest = text;
    enum scheme scheme = take_scheme(&rest);
    switch (scheme) {
    case PLAIN: return plain(rest, false, out);
    case TCP: return plain(rest, true, out);
    case TLS: return secure(rest, false, out);
    case HTTPS: return secure(rest, true, out);
    default: return "DNS over QUIC and DNSCrypt are not asked";
    }
}

void moving_add_upstream(struct moving *moving, const char *text)
{
    char url[URL_MAX];
    const char *why = strlen(text) < URL_MAX ? convert(text, url) : "it is too long";
    if (why) {
        moving_leave(moving, THING("upstream", text), "%s", why);
        return;
    }
    cJSON *upstream = moving_add(moving, "upstreams");
    cJSON_AddStringToObject(upstream, "url", url);
    cJSON_AddStringToObject(upstream, "as", text);
}

void moving_add_zone(struct moving *moving, const char *domain, const char *servers)
{
    char url[URL_MAX], word[URL_MAX];
    cJSON *list = cJSON_CreateArray();
    while (*servers) {
        size_t len = strcspn(servers, ", \t");
        snprintf(word, sizeof(word), "%.*s", (int)len, servers);
        const char *why = len == 0 || len >= sizeof(word) ? NULL : convert(word, url);
        if (why) {
            moving_leave(moving, THING("zone", domain), "%.200s: %s", word, why);
        } else if (len) {
            cJSON_AddItemToArray(list, cJSON_CreateString(url));
        }
        servers += len + (servers[len] != '\0');
    }
    if (cJSON_GetArraySize(list) == 0) {
        cJSON_Delete(list);
        return;
    }
    cJSON *zone = moving_add(moving, "zones");
    cJSON_AddStringToObject(zone, "domain", domain + (domain[0] == '.'));
    cJSON_AddItemToObject(zone, "servers", list);
}
