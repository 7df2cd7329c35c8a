// SPDX-License-Identifier: Apache-2.0
#include "dns/reverse.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The labels before the family's own, read from the right: the parts of the address. */
struct parts {
    uint8_t family; /* 0: not a reverse name */
    unsigned count;
    uint8_t values[32];
    bool odd; /* a label that is no part of an address ends them */
};

static int digit_of(uint8_t octet)
{
    return octet >= '0' && octet <= '9'   ? octet - '0'
           : octet >= 'a' && octet <= 'f' ? octet - 'a' + 10
                                          : -1;
}

/* A decimal octet without leading zeros. */
static int octet_of(const uint8_t *label)
{
    int value = 0;
    if (label[0] > 3 || (label[0] > 1 && label[1] == '0')) {
        return -1;
    }
    for (unsigned i = 1; i <= label[0]; i++) {
        if (label[i] < '0' || label[i] > '9') {
            return -1;
        }
        value = value * 10 + label[i] - '0';
    }
    return value <= 255 ? value : -1;
}

static struct parts read_parts(const struct dname *name)
{
    static const uint8_t in_addr[] = "\7in-addr\4arpa", ip6[] = "\3ip6\4arpa";
    struct parts parts = {0};
    size_t len;
    if (name->labels < 2) {
        return parts;
    }
    const uint8_t *end = dname_suffix(name, name->labels - 2U, &len);
    parts.family = len == sizeof(in_addr) && memcmp(end, in_addr, len) == 0 ? AF_INET
                   : len == sizeof(ip6) && memcmp(end, ip6, len) == 0       ? AF_INET6
                                                                            : 0;
    unsigned most = parts.family == AF_INET ? 4 : 32;
    for (int i = name->labels - 3; parts.family && i >= 0 && !parts.odd; i--) {
        const uint8_t *label = name->wire + name->offset[i];
        int value = parts.family == AF_INET ? octet_of(label)
                    : label[0] == 1         ? digit_of(label[1])
                                            : -1;
        parts.odd = value < 0 || parts.count == most;
        if (!parts.odd) {
            parts.values[parts.count++] = (uint8_t)value;
        }
    }
    return parts;
}

int reverse_read(const struct dname *name, struct addr *ret_addr)
{
    struct parts parts = read_parts(name);
    unsigned whole = parts.family == AF_INET ? 4 : 32;
    if (!parts.family || parts.odd || parts.count != whole) {
        return -EINVAL;
    }
    *ret_addr = (struct addr){.family = parts.family};
    for (unsigned i = 0; i < whole; i++) {
        if (parts.family == AF_INET) {
            ret_addr->bytes[i] = parts.values[i];
        } else {
            ret_addr->bytes[i / 2] |= (uint8_t)(parts.values[i] << (i % 2 ? 0 : 4));
        }
    }
    return 0;
}

void reverse_write(const struct addr *addr, struct dname *ret_name)
{
    char text[80];
    size_t len = 0;
    unsigned parts = addr->family == AF_INET ? 4 : 32;
    for (unsigned i = parts; i-- > 0;) {
        unsigned value = addr->family == AF_INET ? addr->bytes[i]
                         : i % 2                 ? addr->bytes[i / 2] & 0xf
                                                 : addr->bytes[i / 2] >> 4;
        len += (size_t)snprintf(text + len, sizeof(text) - len,
                                addr->family == AF_INET ? "%u." : "%x.", value);
    }
    snprintf(text + len, sizeof(text) - len, addr->family == AF_INET ? "in-addr.arpa" : "ip6.arpa");
    int err = dname_parse(text, ret_name);
    assert(err == 0);
    (void)err;
}

/* The last part of a zone may be a range. */
static const struct zone {
    uint8_t family, count;
    uint8_t parts[32];
    uint8_t last_to;
} zones[] = {
    {AF_INET, 1, {0}, 0},
    {AF_INET, 1, {10}, 10},
    {AF_INET, 1, {127}, 127},
    {AF_INET, 2, {100, 64}, 127}, /* RFC 7793 */
    {AF_INET, 2, {169, 254}, 254},
    {AF_INET, 2, {172, 16}, 31},
    {AF_INET, 2, {192, 168}, 168},
    {AF_INET, 3, {192, 0, 2}, 2},
    {AF_INET, 3, {198, 51, 100}, 100},
    {AF_INET, 3, {203, 0, 113}, 113},
    {AF_INET, 4, {255, 255, 255, 255}, 255},
    {AF_INET6, 32, {0}, 1}, /* :: and ::1 */
    {AF_INET6, 2, {0xf, 0xd}, 0xd},
    {AF_INET6, 3, {0xf, 0xe, 8}, 0xb},
    {AF_INET6, 8, {2, 0, 0, 1, 0, 0xd, 0xb, 8}, 8},
};

static bool covers(const struct zone *zone, const struct parts *parts)
{
    unsigned last = zone->count - 1U;
    return zone->family == parts->family && parts->count >= zone->count &&
           memcmp(zone->parts, parts->values, last) == 0 &&
           parts->values[last] >= zone->parts[last] && parts->values[last] <= zone->last_to;
}

bool reverse_is_private(const struct dname *name, unsigned *ret_skip)
{
    struct parts parts = read_parts(name);
    for (size_t i = 0; parts.family && i < sizeof(zones) / sizeof(zones[0]); i++) {
        if (covers(&zones[i], &parts)) {
            *ret_skip = name->labels - 2U - zones[i].count;
            return true;
        }
    }
    return false;
}
