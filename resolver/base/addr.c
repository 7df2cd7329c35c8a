// SPDX-License-Identifier: Apache-2.0
#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mapped_head[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void unmap(struct addr *addr)
{
    if (addr->family == AF_INET6 && memcmp(addr->bytes, mapped_head, sizeof(mapped_head)) == 0) {
        memmove(addr->bytes, addr->bytes + 12, 4);
        memset(addr->bytes + 4, 0, 12);
        addr->family = AF_INET;
        addr->scope = 0;
    }
}

static int parse_scope(const char *text, uint32_t *ret_scope)
{
    char *end = NULL;
    unsigned long number = strtoul(text, &end, 10);
    if (end != text && *end == '\0' && number <= UINT32_MAX) {
        *ret_scope = (uint32_t)number;
        return 0;
    }
    *ret_scope = if_nametoindex(text);
    return *ret_scope ? 0 : -EINVAL;
}

int addr_parse(const char *text, struct addr *ret_addr)
{
    struct addr addr = {0};
    char host[64];
    if (inet_pton(AF_INET, text, addr.bytes) == 1) {
        addr.family = AF_INET;
        *ret_addr = addr;
        return 0;
    }
    size_t len = strcspn(text, "%");
    if (len >= sizeof(host)) {
        return -EINVAL;
    }
    memcpy(host, text, len);
    host[len] = '\0';
    if (inet_pton(AF_INET6, host, addr.bytes) != 1) {
        return -EINVAL;
    }
    addr.family = AF_INET6;
    if (text[len] == '%' && parse_scope(text + len + 1, &addr.scope) < 0) {
        return -EINVAL;
    }
    unmap(&addr);
    *ret_addr = addr;
    return 0;
}

static int parse_port(const char *text, uint16_t *ret_port)
{
    unsigned value = 0;
    if (*text == '\0' || strlen(text) > 5) {
        return -EINVAL;
    }
    for (; *text; text++) {
        if (*text < '0' || *text > '9') {
            return -EINVAL;
        }
        value = value * 10 + (unsigned)(*text - '0');
    }
    if (value > UINT16_MAX) {
        return -EINVAL;
    }
    *ret_port = (uint16_t)value;
    return 0;
}

int addr_parse_port(const char *text, uint16_t port, struct addr *ret_addr)
{
    char host[80];
    const char *start = text;
    size_t len;
    const char *rest;
    if (*text == '[') {
        start = text + 1;
        len = strcspn(start, "]");
        if (start[len] != ']') {
            return -EINVAL;
        }
        rest = start + len + 1;
    } else {
        const char *colon = strchr(text, ':');
        bool one_colon = colon && !strchr(colon + 1, ':');
        len = one_colon ? (size_t)(colon - text) : strlen(text);
        rest = text + len;
    }
    if (len >= sizeof(host) || (*rest != '\0' && *rest != ':')) {
        return -EINVAL;
    }
    memcpy(host, start, len);
    host[len] = '\0';
    struct addr addr;
    if (addr_parse(host, &addr) < 0 || (*rest == ':' && parse_port(rest + 1, &port) < 0)) {
        return -EINVAL;
    }
    addr.port = port;
    *ret_addr = addr;
    return 0;
}

static bool host_bits_set(const struct prefix *prefix)
{
    size_t size = prefix->addr.family == AF_INET ? 4 : 16;
    for (size_t bit = prefix->bits; bit < size * 8; bit++) {
        if (prefix->addr.bytes[bit / 8] & (0x80 >> bit % 8)) {
            return true;
        }
    }
    return false;
}

int prefix_parse(const char *text, struct prefix *ret_prefix)
{
    char host[80];
    struct prefix prefix = {0};
    size_t len = strcspn(text, "/");
    if (len >= sizeof(host)) {
        return -EINVAL;
    }
    memcpy(host, text, len);
    host[len] = '\0';
    if (addr_parse(host, &prefix.addr) < 0) {
        return -EINVAL;
    }
    uint16_t bits = prefix.addr.family == AF_INET ? 32 : 128;
    uint16_t most = bits;
    if (text[len] == '/' && (parse_port(text + len + 1, &bits) < 0 || bits > most)) {
        return -EINVAL;
    }
    prefix.bits = (uint8_t)bits;
    if (host_bits_set(&prefix)) {
        return -ERANGE;
    }
    *ret_prefix = prefix;
    return 0;
}

bool prefix_covers(const struct prefix *prefix, const struct addr *addr)
{
    if (prefix->addr.family != addr->family) {
        return false;
    }
    size_t whole = prefix->bits / 8;
    unsigned rest = prefix->bits % 8;
    if (memcmp(prefix->addr.bytes, addr->bytes, whole) != 0) {
        return false;
    }
    return rest == 0 || ((prefix->addr.bytes[whole] ^ addr->bytes[whole]) >> (8 - rest)) == 0;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool addr_is_loopback(const struct addr *addr)
{
    static const uint8_t loopback6[16] = {[15] = 1};
    if (addr->family == AF_INET) {
        return addr->bytes[0] == 127;
    }
    return addr->family == AF_INET6 && memcmp(addr->bytes, loopback6, 16) == 0;
}

bool addr_is_any(const struct addr *addr)
{
    static const uint8_t zero[16];
    return memcmp(addr->bytes, zero, 16) == 0;
}

struct block {
    uint8_t bytes[4];
    uint8_t bits;
};

static bool any_covers(const struct block *blocks, size_t count, const struct addr *addr)
{
    for (size_t i = 0; i < count; i++) {
        struct prefix prefix = {.addr = {.family = addr->family}, .bits = blocks[i].bits};
        memcpy(prefix.addr.bytes, blocks[i].bytes, sizeof(blocks[i].bytes));
        if (prefix_covers(&prefix, addr)) {
            return true;
        }
    }
    return false;
}

/* RFC 6890 and the IANA registry of special-purpose addresses, all but anycast. */
static bool is_public4(const struct addr *addr)
{
    static const struct block special[] = {
        {{0}, 8},
        {{10}, 8},
        {{100, 64}, 10},
        {{127}, 8},
        {{169, 254}, 16},
        {{172, 16}, 12},
        {{192, 0, 0}, 24},
        {{192, 0, 2}, 24},
        {{192, 88, 99}, 24},
        {{192, 168}, 16},
        {{198, 18}, 15},
        {{198, 51, 100}, 24},
        {{203, 0, 113}, 24},
        {{224}, 3},
    };
    return !any_covers(special, sizeof(special) / sizeof(special[0]), addr);
}

/* The IPv4 address that an IPv6 one carries at its end: mapped (RFC 4291), NAT64 (RFC
 * 6052). */
static bool carries_ipv4(const struct addr *addr, struct addr *ret_inner)
{
    static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    bool carries = memcmp(addr->bytes, nat64, sizeof(nat64)) == 0 ||
                   memcmp(addr->bytes, mapped, sizeof(mapped)) == 0;
    *ret_inner = (struct addr){.family = AF_INET};
    memcpy(ret_inner->bytes, addr->bytes + 12, 4);
    return carries;
}

/* 6to4 (RFC 3056), and NAT64 of a site (RFC 8215) as /96: nothing that is reachable from
 * anywhere, but an internal address may hide there. */
static bool hides_ipv4(const struct addr *addr, struct addr *ret_inner)
{
    static const uint8_t site_nat64[6] = {0, 0x64, 0xff, 0x9b, 0, 1};
    static const uint8_t six_to_four[2] = {0x20, 0x02};
    bool first = memcmp(addr->bytes, six_to_four, sizeof(six_to_four)) == 0;
    *ret_inner = (struct addr){.family = AF_INET};
    memcpy(ret_inner->bytes, addr->bytes + (first ? 2 : 12), 4);
    return first || memcmp(addr->bytes, site_nat64, sizeof(site_nat64)) == 0;
}

bool addr_is_internal(const struct addr *addr)
{
    static const struct block ipv4[] = {
        {{0}, 8},         {{10}, 8},       {{100, 64}, 10},  {{127}, 8},
        {{169, 254}, 16}, {{172, 16}, 12}, {{192, 168}, 16},
    };
    static const struct block ipv6[] = {
        {{0, 0}, 16}, {{0xfc}, 7}, {{0xfe, 0x80}, 10}, {{0xfe, 0xc0}, 10}};
    struct addr inner;
    if (addr->family == AF_INET6 && (carries_ipv4(addr, &inner) || hides_ipv4(addr, &inner))) {
        addr = &inner;
    }
    return addr->family == AF_INET ? any_covers(ipv4, sizeof(ipv4) / sizeof(ipv4[0]), addr)
                                   : any_covers(ipv6, sizeof(ipv6) / sizeof(ipv6[0]), addr);
}

bool addr_is_public(const struct addr *addr)
{
    static const struct block global[] = {{{0x20}, 3}};
    static const struct block special[] = {
        {{0x20, 0x01, 0x00}, 23},       /* IETF, Teredo */
        {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
        {{0x20, 0x02}, 16},             /* 6to4 */
        {{0x3f, 0xff}, 20},             /* documentation */
    };
    if (addr->family == AF_INET) {
        return is_public4(addr);
    }
    struct addr inner;
    if (addr->family == AF_INET6 && carries_ipv4(addr, &inner)) {
        return is_public4(&inner);
    }
    return addr->family == AF_INET6 && any_covers(global, 1, addr) &&
           !any_covers(special, sizeof(special) / sizeof(special[0]), addr);
}

void addr_from_sockaddr(const struct sockaddr *sa, struct addr *ret_addr)
{
    struct addr addr = {0};
    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
        addr.family = AF_INET;
        addr.port = ntohs(in->sin_port);
        memcpy(addr.bytes, &in->sin_addr, 4);
    } else if (sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
        addr.family = AF_INET6;
        addr.port = ntohs(in6->sin6_port);
        addr.scope = in6->sin6_scope_id;
        memcpy(addr.bytes, &in6->sin6_addr, 16);
        unmap(&addr);
    }
    *ret_addr = addr;
}

socklen_t addr_to_sockaddr(const struct addr *addr, struct sockaddr_storage *ret_sa)
{
    memset(ret_sa, 0, sizeof(*ret_sa));
    if (addr->family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)ret_sa;
        in->sin_family = AF_INET;
        in->sin_port = htons(addr->port);
        memcpy(&in->sin_addr, addr->bytes, 4);
        return sizeof(*in);
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret_sa;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(addr->port);
    in6->sin6_scope_id = addr->scope;
    memcpy(&in6->sin6_addr, addr->bytes, 16);
    return sizeof(*in6);
}

const char *addr_print(const struct addr *addr, char out[ADDR_TEXT_MAX])
{
    char host[INET6_ADDRSTRLEN] = "-";
    if (addr->family) {
        inet_ntop(addr->family, addr->bytes, host, sizeof(host));
    }
    if (!addr->port) {
        snprintf(out, ADDR_TEXT_MAX, "%s", host);
    } else if (addr->family == AF_INET6) {
        snprintf(out, ADDR_TEXT_MAX, "[%s]:%u", host, addr->port);
    } else {
        snprintf(out, ADDR_TEXT_MAX, "%s:%u", host, addr->port);
    }
    return out;
}
