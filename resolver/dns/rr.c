// SPDX-License-Identifier: Apache-2.0
#include "dns/rr.h"

#include <errno.h>
#include <string.h>

#include "base/wire.h"

/* Types whose data holds names that older servers may compress: octets before the
 * names, how many names, octets after them (RFC 3597 section 4, RFC 1035, 1183,
 * 2535, 2782, 3403, 6672). */
struct layout {
    uint16_t type;
    uint8_t before, names, after;
};

enum {
    STRINGS = 254, /* before: two numbers and three character strings (NAPTR) */
    REST = 255,    /* after: as much as there is */
};

static const struct layout layouts[] = {
    {2, 0, 1, 0},      {3, 0, 1, 0},     {4, 0, 1, 0},
    {5, 0, 1, 0},      {6, 0, 2, 20},    {7, 0, 1, 0},
    {8, 0, 1, 0},      {9, 0, 1, 0},     {12, 0, 1, 0},
    {14, 0, 2, 0},     {15, 2, 1, 0},    {17, 0, 2, 0},
    {18, 2, 1, 0},     {21, 2, 1, 0},    {26, 2, 2, 0},
    {33, 6, 1, 0},     {36, 2, 1, 0},    {39, 0, 1, 0},
    {24, 18, 1, REST}, {30, 0, 1, REST}, {TYPE_NAPTR, STRINGS, 1, 0},
};

/* Types whose data holds one name that must not be compressed (RFC 3597 section 4,
 * RFC 4034, RFC 9460), and where it begins. A pointer there would lead nowhere in the
 * message that we write. */
static const struct {
    uint16_t type;
    uint8_t at;
} plain_names[] = {{46, 18}, {47, 0}, {58, 0}, {64, 2}, {65, 2}, {107, 2}};

static const struct layout *find_layout(uint16_t type)
{
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        if (layouts[i].type == type) {
            return &layouts[i];
        }
    }
    return NULL;
}

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

/* Where the name of a NAPTR begins, which may be behind its end: after two numbers and
 * three character strings (RFC 3403 section 4.1). */
static size_t skip_strings(const uint8_t *data, const struct rr *rr)
{
    size_t at = 4;
    for (unsigned i = 0; i < 3; i++) {
        at += at < rr->rdlen ? 1 + (size_t)data[at] : 1;
    }
    return at;
}

static int copy_named(const struct packet *packet, const struct rr *rr, const struct layout *layout,
                      struct wire *out)
{
    /* Names inside the data may point anywhere before, but must end inside it. */
    struct packet view = {packet->data, rr->end};
    const uint8_t *data = packet->data + rr->rdata;
    size_t before = layout->before == STRINGS ? skip_strings(data, rr) : layout->before;
    size_t at = rr->rdata + before;
    if (at > rr->end) {
        return -EBADMSG;
    }
    wire_put(out, data, before);
    for (unsigned i = 0; i < layout->names; i++) {
        uint8_t name[DNAME_WIRE_MAX];
        size_t len;
        if (rr_expand_name(&view, &at, name, &len) < 0) {
            return -EBADMSG;
        }
        wire_put(out, name, len);
    }
    if (at > rr->end || (layout->after != REST && at + layout->after != rr->end)) {
        return -EBADMSG;
    }
    wire_put(out, packet->data + at, rr->end - at);
    return 0;
}

/* Where the name begins that must be plain, or SIZE_MAX. */
static size_t find_plain_name(const struct rr *rr)
{
    for (size_t i = 0; i < sizeof(plain_names) / sizeof(plain_names[0]); i++) {
        if (plain_names[i].type == rr->type) {
            return plain_names[i].at;
        }
    }
    return SIZE_MAX;
}

size_t rr_target(const uint8_t *packet, const struct rr *rr)
{
    static const struct {
        uint16_t type;
        uint8_t at;
    } targets[] = {{TYPE_CNAME, 0}, {TYPE_DNAME, 0}, {TYPE_MX, 2},   {TYPE_SRV, 6},
                   {TYPE_KX, 2},    {TYPE_SVCB, 2},  {TYPE_HTTPS, 2}};
    if (rr->type == TYPE_NAPTR) {
        return rr->rdata + skip_strings(packet + rr->rdata, rr);
    }
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        if (targets[i].type == rr->type) {
            return rr->rdata + targets[i].at;
        }
    }
    return SIZE_MAX;
}

static int check_plain_name(const uint8_t *data, const struct rr *rr)
{
    size_t start = find_plain_name(rr);
    if (start == SIZE_MAX) {
        return 0;
    }
    for (size_t at = start; at < rr->rdlen && data[at] <= 63; at += 1 + (size_t)data[at]) {
        if (data[at] == 0) {
            return at - start < DNAME_WIRE_MAX ? 0 : -EBADMSG;
        }
    }
    return -EBADMSG;
}

int rr_copy_data(const struct packet *packet, const struct rr *rr, struct wire *out)
{
    const struct layout *layout = find_layout(rr->type);
    if ((rr->type == TYPE_A && rr->rdlen != 4) || (rr->type == TYPE_AAAA && rr->rdlen != 16)) {
        return -EBADMSG;
    }
    if (layout) {
        int err = copy_named(packet, rr, layout, out);
        if (err < 0) {
            return err;
        }
    } else if (check_plain_name(packet->data + rr->rdata, rr) < 0) {
        return -EBADMSG;
    } else {
        wire_put(out, packet->data + rr->rdata, rr->rdlen);
    }
    return out->full ? -ENOBUFS : 0;
}
