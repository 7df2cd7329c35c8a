// SPDX-License-Identifier: Apache-2.0
#include "query/local.h"

#include "dns/reverse.h"
#include "policy/localnames.h"

enum { RECORD_TTL_S = 60, ZONE_TTL_S = 10800 }; /* RFC 6303 section 3 has the second */
enum { TLS_PORT = 853, SVCB_ALPN = 1, SVCB_PORT = 3, SVCB_IPV4HINT = 4, SVCB_IPV6HINT = 6 };

/* What there is to say. */
enum kind {
    KIND_NONE,
    KIND_RECORDS,   /* addresses of dns.records */
    KIND_SELF,      /* server.name: the address that was asked */
    KIND_LOCALHOST, /* loopback */
    KIND_POINTER,   /* the name of an address */
    KIND_RESOLVER,  /* resolver.arpa: about ourselves */
    KIND_DISCOVERY, /* _dns: which encrypted services we offer */
    KIND_APEX,      /* the name of a zone that is empty but for its SOA and NS */
    KIND_EMPTY,     /* there is such a name, without data */
    KIND_GONE,      /* there is none */
};

/* A zone that is answered here, with all below it. */
static const struct special {
    uint8_t len;
    const char *wire;
    uint8_t apex, below; /* enum kind */
} specials[] = {
#define SPECIAL(wire, apex, below)                                                                 \
    {                                                                                              \
        sizeof(wire), wire, apex, below                                                            \
    }
    SPECIAL("\11localhost", KIND_LOCALHOST, KIND_LOCALHOST), /* RFC 6761 section 6.3 */
    SPECIAL("\7invalid", KIND_GONE, KIND_GONE),              /* RFC 6761 section 6.4 */
    SPECIAL("\5onion", KIND_GONE, KIND_GONE),                /* RFC 7686 section 2 */
    SPECIAL("\5local", KIND_GONE, KIND_GONE),                /* RFC 6762 section 22.1 */
    SPECIAL("\4home\4arpa", KIND_APEX, KIND_GONE),           /* RFC 8375 section 4 */
    SPECIAL("\10resolver\4arpa", KIND_RESOLVER, KIND_GONE),  /* RFC 9462 section 6.4 */
#undef SPECIAL
};

static const struct local_names *names_of(const struct query *query)
{
    return query->worker->snapshot->local;
}

static enum kind settle(struct query *query, enum kind kind, unsigned skip)
{
    query->home = (uint8_t)kind;
    query->home_skip = (uint8_t)skip;
    return kind;
}

/* One of our names? */
static enum kind find_named(struct query *query)
{
    const struct local_names *names = names_of(query);
    const struct dname *name = &query->question.name;
    size_t count;
    if (!local_names_may_have(names, name)) {
        return KIND_NONE;
    }
    if (local_names_find(names, name, &count)) {
        return settle(query, KIND_RECORDS, 0);
    }
    const struct dname *own = local_names_own(names);
    if (dname_equal(name, own)) {
        return settle(query, KIND_SELF, 0);
    }
    bool discovery = name->len == own->len + LOCAL_NAMES_PREFIX &&
                     memcmp(name->wire, "\4_dns", LOCAL_NAMES_PREFIX) == 0 &&
                     memcmp(name->wire + LOCAL_NAMES_PREFIX, own->wire, own->len) == 0;
    return discovery ? settle(query, KIND_DISCOVERY, LOCAL_NAMES_PREFIX) : KIND_NONE;
}

/* The name that an address has here: NULL when it has none. */
static const struct dname *name_of(const struct query *query, const struct addr *addr)
{
    static const struct dname localhost = {.len = 11, .labels = 1, .wire = "\11localhost"};
    const struct addr first = {.family = AF_INET, .bytes = {127, 0, 0, 1}};
    bool loopback = addr->family == AF_INET6 ? addr_is_loopback(addr) : addr_equal(addr, &first);
    if (loopback) {
        return &localhost;
    }
    const struct dname *name = local_names_of(names_of(query), addr);
    bool asked = !name && addr_equal(addr, &query->local);
    return asked ? local_names_own(names_of(query)) : name;
}

/* Does a record's address lie below this reverse name? Then the name exists (RFC 8020). */
static bool has_below(const struct query *query)
{
    size_t count;
    const struct local_record *records = local_names_all(names_of(query), &count);
    const struct dname *name = &query->question.name;
    for (size_t i = 0; i < count; i++) {
        struct dname reverse;
        reverse_write(&records[i].address, &reverse);
        if (dname_is_below(&reverse, name)) {
            return true;
        }
    }
    return false;
}

static bool find_pointer(struct query *query)
{
    const struct dname *name = &query->question.name;
    struct addr addr;
    unsigned labels = 0;
    bool private = reverse_is_private(name, &labels);
    unsigned skip = labels < name->labels ? name->offset[labels] : 0;
    bool found = reverse_read(name, &addr) == 0 && name_of(query, &addr);
    return found && settle(query, KIND_POINTER, private ? skip : 0) != KIND_NONE;
}

static enum kind find_reverse(struct query *query)
{
    const struct dname *name = &query->question.name;
    unsigned labels = 0;
    bool private = reverse_is_private(name, &labels);
    unsigned skip = labels < name->labels ? name->offset[labels] : 0;
    if (!private) {
        return KIND_NONE;
    }
    if (labels == 0) {
        return settle(query, KIND_APEX, 0);
    }
    return settle(query, has_below(query) ? KIND_EMPTY : KIND_GONE, skip);
}

static enum kind find_special(struct query *query)
{
    const struct dname *name = &query->question.name;
    for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
        const struct special *zone = &specials[i];
        unsigned skip = (unsigned)name->len - zone->len;
        if (name->len < zone->len || memcmp(name->wire + skip, zone->wire, zone->len) != 0) {
            continue;
        }
        bool starts = skip == 0;
        for (unsigned k = 0; k < name->labels; k++) {
            starts |= name->offset[k] == skip;
        }
        if (starts) {
            return settle(query, skip ? zone->below : zone->apex, skip);
        }
    }
    return KIND_NONE;
}

/* Does the last label begin a zone that may be ours? */
static bool may_be_special(const struct dname *name)
{
    if (name->labels == 0) {
        return false;
    }
    const uint8_t *last = name->wire + name->offset[name->labels - 1];
    switch (last[0]) {
    case 4: return memcmp(last, "\4arpa", 5) == 0;
    case 5: return memcmp(last, "\5local", 6) == 0 || memcmp(last, "\5onion", 6) == 0;
    case 7: return memcmp(last, "\7invalid", 8) == 0;
    case 9: return memcmp(last, "\11localhost", 10) == 0;
    default: return false;
    }
}

bool local_judge(struct query *query)
{
    static const uint8_t discovery[] = "\4_dns\10resolver\4arpa";
    const struct dname *name = &query->question.name;
    if (find_named(query) != KIND_NONE) {
        return true;
    }
    if (!may_be_special(name)) {
        return false;
    }
    if (find_pointer(query)) {
        return true;
    }
    if (local_names_is_elsewhere(names_of(query), name)) {
        return false;
    }
    if (find_reverse(query) != KIND_NONE) {
        return true;
    }
    enum kind kind = find_special(query);
    if (name->len == sizeof(discovery) && memcmp(name->wire, discovery, name->len) == 0) {
        kind = settle(query, KIND_DISCOVERY, name->offset[1]);
    }
    /* The insecure delegation of home.arpa is the root's to show (RFC 8375 section 4). */
    bool elsewhere = kind == KIND_APEX && query->question.type == TYPE_DS;
    if (elsewhere) {
        query->home = KIND_NONE;
    }
    return query->home != KIND_NONE;
}

static void put(struct query *query, const void *data, size_t len)
{
    const struct packet packet = {data, len};
    reply_add(&query->out, query->question.type, query_ttl(query, RECORD_TTL_S), &packet);
}

static bool put_address(struct query *query, const struct addr *addr)
{
    uint16_t type = addr->family == AF_INET ? TYPE_A : TYPE_AAAA;
    if (query->question.type != type) {
        return false;
    }
    put(query, addr->bytes, type == TYPE_A ? 4 : 16);
    return true;
}

static bool put_records(struct query *query)
{
    size_t count;
    bool any = false;
    const struct local_record *records =
        local_names_find(names_of(query), &query->question.name, &count);
    for (size_t i = 0; records && i < count; i++) {
        any |= put_address(query, &records[i].address);
    }
    return any;
}

static bool put_localhost(struct query *query)
{
    static const struct addr loopback[2] = {{.family = AF_INET, .bytes = {127, 0, 0, 1}},
                                            {.family = AF_INET6, .bytes = {[15] = 1}}};
    return put_address(query, &loopback[0]) || put_address(query, &loopback[1]);
}

static bool put_pointer(struct query *query)
{
    struct addr addr;
    const struct dname *name = NULL;
    if (query->question.type == TYPE_PTR && reverse_read(&query->question.name, &addr) == 0) {
        name = name_of(query, &addr);
    }
    if (name) {
        put(query, name->wire, name->len);
    }
    return name != NULL;
}

/* RFC 9606: the extended errors that we give. */
static bool put_resinfo(struct query *query)
{
    static const char info[] = "\x1e"
                               "exterr=0,3-4,15,17-20,22-23,30";
    if (query->question.type != TYPE_RESINFO) {
        return false;
    }
    put(query, info, sizeof(info) - 1);
    return true;
}

/* The hint of RFC 9460 section 7.3: the address that was asked serves DoT too. */
static void put_hint(struct wire *out, const struct addr *addr)
{
    size_t len = addr->family == AF_INET ? 4 : 16;
    wire_put_u16(out, addr->family == AF_INET ? SVCB_IPV4HINT : SVCB_IPV6HINT);
    wire_put_u16(out, (uint16_t)len);
    wire_put(out, addr->bytes, len);
}

/* RFC 9462 section 4, RFC 9461: DNS over TLS under our own name, when it is offered. */
static bool put_discovery(struct query *query)
{
    const struct text_list *listen = &query->worker->snapshot->config->dns.tls_listen;
    const struct dname *own = local_names_own(names_of(query));
    uint8_t octets[DNAME_WIRE_MAX + 64];
    struct wire out;
    struct addr addr;
    if (query->question.type != TYPE_SVCB || listen->count == 0 ||
        addr_parse_port(listen->items[0], TLS_PORT, &addr) < 0) {
        return false;
    }
    wire_init(&out, octets, sizeof(octets));
    wire_put_u16(&out, 1); /* priority */
    wire_put(&out, own->wire, own->len);
    wire_put_u16(&out, SVCB_ALPN);
    wire_put_u16(&out, 4);
    wire_put(&out, "\3dot", 4);
    if (addr.port != TLS_PORT) {
        wire_put_u16(&out, SVCB_PORT);
        wire_put_u16(&out, 2);
        wire_put_u16(&out, addr.port);
    }
    put_hint(&out, &query->local);
    put(query, out.data, out.len);
    return true;
}

static bool put_apex(struct query *query)
{
    if (query->question.type == TYPE_SOA) {
        reply_answer_soa(&query->out, ZONE_TTL_S);
    } else if (query->question.type == TYPE_NS) {
        reply_add_ns(&query->out, &query->question, ZONE_TTL_S);
    }
    return query->question.type == TYPE_SOA || query->question.type == TYPE_NS;
}

uint8_t local_rcode(const struct query *query)
{
    return query->home == KIND_GONE ? RCODE_NXDOMAIN : RCODE_NOERROR;
}

void local_write(struct query *query)
{
    bool any = false;
    switch (query->home) {
    case KIND_RECORDS: any = put_records(query); break;
    case KIND_SELF: any = put_address(query, &query->local) || put_resinfo(query); break;
    case KIND_LOCALHOST: any = put_localhost(query); break;
    case KIND_POINTER: any = put_pointer(query); break;
    case KIND_RESOLVER: any = put_resinfo(query); break;
    case KIND_DISCOVERY: any = put_discovery(query); break;
    case KIND_APEX: any = put_apex(query); break;
    default: break;
    }
    if (!any) {
        bool named = query->home == KIND_RECORDS || query->home == KIND_SELF;
        reply_add_zone_soa(&query->out, query->home_skip, named ? RECORD_TTL_S : ZONE_TTL_S);
    }
}
