// SPDX-License-Identifier: Apache-2.0
#include "blocklists/format.h"

#include <string.h>

static const struct format formats[] = {
    {"hosts", FORMAT_HOSTS, hosts_parse_line},
    {"domains", FORMAT_DOMAINS, domains_parse_line, .addresses = true},
    {"adblock", FORMAT_ADBLOCK, adblock_parse_line, .addresses = true},
    {"dnsmasq", FORMAT_DNSMASQ, dnsmasq_parse_line},
    {"unbound", FORMAT_UNBOUND, unbound_parse_line},
    {"bind", FORMAT_BIND, bind_parse_line},
    {"dnscrypt", FORMAT_DNSCRYPT, dnscrypt_parse_line, .addresses = true},
    {"rpz", FORMAT_RPZ, rpz_parse_line, .raw = true, .end = rpz_end},
    {"ut1", FORMAT_UT1, ut1_parse_line, .addresses = true},
    {"addresses", FORMAT_ADDRESSES, addresses_parse_line, .addresses = true},
    {"regex", FORMAT_REGEX, regex_parse_line},
};

const struct format *format_find(enum list_format id)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (formats[i].id == id) {
            return &formats[i];
        }
    }
    return NULL;
}

const char *format_name(int id)
{
    const struct format *format = format_find((enum list_format)id);
    return format ? format->name : "?";
}

int format_named(const char *name)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (strcmp(formats[i].name, name) == 0) {
            return (int)formats[i].id;
        }
    }
    return -1;
}

bool span_contains(const struct span *span, const char *needle)
{
    return memmem(span->text, span->len, needle, strlen(needle)) != NULL;
}

struct span span_until(const struct span *span, char stop)
{
    const char *at = memchr(span->text, stop, span->len);
    return (struct span){span->text, at ? (size_t)(at - span->text) : span->len};
}
