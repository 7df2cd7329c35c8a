// SPDX-License-Identifier: Apache-2.0
#include "tools/announcement.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum {
    RA_TYPE = 134,
    RA_HEADER = 16,
    OPTION_RDNSS = 25,
    DHCP_FIXED = 236, /* before the magic cookie */
    DHCP_OPTIONS = 240,
    DHCP_DNS = 6,
    DHCP_TYPE = 53,
    DHCP_WANTED = 55,
    DHCP_PAD = 0,
    DHCP_END = 255,
};
static const uint8_t cookie[4] = {99, 130, 83, 99};

static void add(struct announcement *said, int family, const uint8_t *bytes)
{
    if (said->count < ANNOUNCEMENT_RESOLVERS) {
        struct addr *addr = &said->resolvers[said->count++];
        *addr = (struct addr){.family = (uint8_t)family};
        memcpy(addr->bytes, bytes, family == AF_INET ? 4 : 16);
    }
}

int announcement_read_ra(const uint8_t *data, size_t len, struct announcement *ret_said)
{
    struct announcement said = {0};
    if (len < RA_HEADER || data[0] != RA_TYPE || data[1] != 0) {
        return -EINVAL;
    }
    for (size_t at = RA_HEADER; at < len;) {
        size_t octets = len - at >= 2 ? (size_t)data[at + 1] * 8 : 0;
        if (octets == 0 || octets > len - at) {
            return -EINVAL;
        }
        static const uint8_t over[4];
        bool rdnss =
            data[at] == OPTION_RDNSS && octets >= 24 && memcmp(data + at + 4, over, 4) != 0;
        for (size_t i = 8; rdnss && i + 16 <= octets; i += 16) {
            add(&said, AF_INET6, data + at + i);
        }
        at += octets;
    }
    *ret_said = said;
    return 0;
}

static uint32_t read_id(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

int announcement_read_dhcp(const uint8_t *data, size_t len, uint32_t id,
                           struct announcement *ret_said)
{
    struct announcement said = {0};
    if (len < DHCP_OPTIONS || data[0] != 2 || read_id(data + 4) != id ||
        memcmp(data + DHCP_FIXED, cookie, 4) != 0) {
        return -EINVAL;
    }
    for (size_t at = DHCP_OPTIONS; at < len && data[at] != DHCP_END;) {
        if (data[at] == DHCP_PAD) {
            at++;
            continue;
        }
        if (len - at < 2 || data[at + 1] > len - at - 2) {
            return -EINVAL;
        }
        size_t octets = data[at + 1];
        for (size_t i = 0; data[at] == DHCP_DNS && i + 4 <= octets; i += 4) {
            add(&said, AF_INET, data + at + 2 + i);
        }
        at += 2 + octets;
    }
    *ret_said = said;
    return 0;
}

void announcement_make_inform(const struct addr *own, uint32_t id, uint8_t out[ANNOUNCEMENT_INFORM])
{
    static const uint8_t options[] = {DHCP_TYPE, 1,       8 /* DHCPINFORM */, DHCP_WANTED, 1,
                                      DHCP_DNS,  DHCP_END};
    memset(out, 0, ANNOUNCEMENT_INFORM);
    out[0] = 1; /* BOOTREQUEST */
    out[1] = 1; /* Ethernet */
    out[2] = 6;
    for (unsigned i = 0; i < 4; i++) {
        out[4 + i] = (uint8_t)(id >> (24 - 8 * i));
    }
    memcpy(out + 12, own->bytes, 4); /* ciaddr */
    memcpy(out + 28, "\x02gate", 5); /* a hardware address of its own, locally administered */
    memcpy(out + DHCP_FIXED, cookie, 4);
    memcpy(out + DHCP_OPTIONS, options, sizeof(options));
}
