// SPDX-License-Identifier: Apache-2.0
#include "dns/rr.h"

#include <errno.h>
#include <string.h>

#include "base/wire.h"

/* Step over a name without reading it; compression ends it. */
static int skip_name(const uint8_t *packet, size_t len, size_t *pos)
{
    size_t at = *pos;
    while (at < len) {
        uint8_t octet = packet[at];
        if (octet == 0) {
            *pos = at + 1;
            return 0;
        }
        if (octet >= 0xc0) {
            *pos = at + 2;
            return at + 2 <= len ? 0 : -EBADMSG;
        }
        if (octet > 63) {
            return -EBADMSG;
        }
        at += 1 + (size_t)octet;
    }
    return -EBADMSG;
}

int rr_read(const uint8_t *packet, size_t len, size_t *pos, struct rr *ret_rr)
{
    struct rr rr = {.owner = *pos};
    size_t at = *pos;
    if (skip_name(packet, len, &at) < 0) {
        return -EBADMSG;
    }
    struct reader reader = {.data = packet, .len = len, .pos = at};
    rr.type = reader_u16(&reader);
    rr.class_code = reader_u16(&reader);
    rr.ttl = reader_u32(&reader);
    rr.rdlen = reader_u16(&reader);
    rr.rdata = reader.pos;
    (void)reader_take(&reader, rr.rdlen);
    if (reader.bad) {
        return -EBADMSG;
    }
    rr.end = reader.pos;
    *pos = reader.pos;
    *ret_rr = rr;
    return 0;
}

int rr_expand_name(const struct packet *packet, size_t *pos, uint8_t out[DNAME_WIRE_MAX],
                   size_t *ret_len)
{
    size_t at = *pos;
    size_t limit = at;
    size_t used = 0;
    bool jumped = false;
    for (;;) {
        if (at >= packet->len) {
            return -EBADMSG;
        }
        uint8_t octet = packet->data[at];
        if (octet >= 0xc0) {
            size_t target = at + 1 < packet->len
                                ? ((size_t)(octet & 0x3f) << 8 | packet->data[at + 1])
                                : SIZE_MAX;
            if (target >= limit) {
                return -EBADMSG;
            }
            *pos = jumped ? *pos : at + 2;
            jumped = true;
            at = limit = target;
            continue;
        }
        size_t step = 1 + (size_t)octet;
        if (octet > 63 || at + step > packet->len || used + step > DNAME_WIRE_MAX) {
            return -EBADMSG;
        }
        memcpy(out + used, packet->data + at, step);
        used += step;
        at += step;
        if (octet == 0) {
            break;
        }
    }
    *pos = jumped ? *pos : at;
    *ret_len = used;
    return 0;
}

/* The name behind order, preference and three character strings (RFC 3403 section 4.1). */
static size_t find_replacement(const uint8_t *data, size_t len)
{
    size_t at = 4;
    for (unsigned i = 0; i < 3; i++) {
        at += at < len ? 1 + (size_t)data[at] : 1;
    }
    return at;
}

size_t rr_target(const uint8_t *packet, const struct rr *rr)
{
    static const struct {
        uint16_t type;
        uint8_t at;
    } targets[] = {{TYPE_CNAME, 0}, {TYPE_DNAME, 0}, {TYPE_MX, 2},   {TYPE_SRV, 6},
                   {TYPE_KX, 2},    {TYPE_SVCB, 2},  {TYPE_HTTPS, 2}};
    if (rr->type == TYPE_NAPTR) {
        return rr->rdata + find_replacement(packet + rr->rdata, rr->rdlen);
    }
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        if (targets[i].type == rr->type) {
            return rr->rdata + targets[i].at;
        }
    }
    return SIZE_MAX;
}
