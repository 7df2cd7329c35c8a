// SPDX-License-Identifier: Apache-2.0
#include "dns/addresses.h"

#include <errno.h>

#include "base/wire.h"
#include "dns/rr.h"

enum { HINT_IPV4 = 4, HINT_IPV6 = 6 }; /* SvcParamKeys, RFC 9460 section 14.3.2 */

struct walk {
    addresses_visit visit;
    void *context;
};

static int visit_run(const struct walk *walk, const struct packet *run, uint8_t family)
{
    size_t size = family == AF_INET ? 4 : 16;
    int err = run->len % size ? -EBADMSG : 0;
    for (size_t at = 0; err >= 0 && at < run->len; at += size) {
        struct addr addr = {.family = family};
        memcpy(addr.bytes, run->data + at, size);
        err = walk->visit(walk->context, &addr);
    }
    return err;
}

/* SvcPriority, TargetName, then SvcParams: key, length, value (RFC 9460 section 2.2). */
static int visit_hints(const struct walk *walk, const uint8_t *data, size_t len)
{
    struct reader reader = {.data = data, .len = len};
    const uint8_t *label;
    (void)reader_take(&reader, 2);
    do {
        label = reader_take(&reader, 1);
    } while (label && *label && reader_take(&reader, *label));
    int err = 0;
    while (err >= 0 && !reader.bad && reader.pos < len) {
        uint16_t key = reader_u16(&reader);
        uint16_t size = reader_u16(&reader);
        const struct packet run = {reader_take(&reader, size), size};
        if (!reader.bad && (key == HINT_IPV4 || key == HINT_IPV6)) {
            err = visit_run(walk, &run, key == HINT_IPV4 ? AF_INET : AF_INET6);
        }
    }
    return reader.bad ? -EBADMSG : err;
}

static int visit_record(const struct walk *walk, const uint8_t *wire, const struct rr *rr)
{
    const struct packet data = {wire + rr->rdata, rr->rdlen};
    switch (rr->type) {
    case TYPE_A: return visit_run(walk, &data, AF_INET);
    case TYPE_AAAA: return visit_run(walk, &data, AF_INET6);
    case TYPE_SVCB:
    case TYPE_HTTPS: return visit_hints(walk, data.data, data.len);
    default: return 0;
    }
}

int addresses_walk(const uint8_t *wire, size_t len, addresses_visit visit, void *context)
{
    const struct walk walk = {visit, context};
    size_t pos = DNS_HEADER;
    unsigned records = load_u16(wire + 6);
    struct dname name;
    int err = records && dname_read(wire, len, &pos, &name) < 0 ? -EBADMSG : 0;
    pos += 4;
    for (unsigned i = 0; err >= 0 && i < records; i++) {
        struct rr rr;
        err = rr_read(wire, len, &pos, &rr) < 0 ? -EBADMSG : visit_record(&walk, wire, &rr);
    }
    return err;
}
