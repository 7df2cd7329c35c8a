// SPDX-License-Identifier: Apache-2.0
#include "blocklists/format.h"

#include <string.h>

static const struct format formats[] = {
    {"hosts", FORMAT_HOSTS, hosts_parse_line},
    {"domains", FORMAT_DOMAINS, domains_parse_line},
    {"adblock", FORMAT_ADBLOCK, adblock_parse_line},
    {"dnsmasq", FORMAT_DNSMASQ, dnsmasq_parse_line},
    {"unbound", FORMAT_UNBOUND, unbound_parse_line},
    {"bind", FORMAT_BIND, bind_parse_line},
    {"dnscrypt", FORMAT_DNSCRYPT, dnscrypt_parse_line},
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

bool span_is(const struct span *span, const char *word)
{
    return span->len == strlen(word) && memcmp(span->text, word, span->len) == 0;
}

bool span_starts(const struct span *span, const char *prefix)
{
    size_t len = strlen(prefix);
    return span->len >= len && memcmp(span->text, prefix, len) == 0;
}

bool span_contains(const struct span *span, const char *needle)
{
    return memmem(span->text, span->len, needle, strlen(needle)) != NULL;
}

struct span span_trim(const struct span *span)
{
    struct span out = *span;
    while (out.len && span_is_blank(out.text[0])) {
        out.text++;
        out.len--;
    }
    while (out.len && span_is_blank(out.text[out.len - 1])) {
        out.len--;
    }
    return out;
}

struct span span_token(struct span *rest)
{
    *rest = span_trim(rest);
    struct span token = {rest->text, 0};
    while (token.len < rest->len && !span_is_blank(rest->text[token.len])) {
        token.len++;
    }
    rest->text += token.len;
    rest->len -= token.len;
    return token;
}

struct span span_until(const struct span *span, char stop)
{
    const char *at = memchr(span->text, stop, span->len);
    return (struct span){span->text, at ? (size_t)(at - span->text) : span->len};
}
