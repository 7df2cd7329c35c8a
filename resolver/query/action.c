// SPDX-License-Identifier: Apache-2.0
#include "query/action.h"

#include "dns/rdata.h"
#include "query/answering.h"

/* One record of local data. */
struct local {
    uint16_t type;
    uint32_t ttl;
    struct packet data;
};

static bool next_record(struct reader *reader, struct local *ret_local)
{
    ret_local->type = reader_u16(reader);
    ret_local->ttl = reader_u32(reader);
    ret_local->data.len = reader_u16(reader);
    ret_local->data.data = reader_take(reader, ret_local->data.len);
    return !reader->bad && reader->data;
}

static struct reader open_data(const struct query *query)
{
    const struct blockdb *db = query->worker->snapshot->db;
    const struct blockdb_data data = blockdb_data(db, query->verdict.data);
    return (struct reader){.data = data.records, .len = data.len};
}

/* A target "*.garden.example" stands for the name asked below garden.example (RPZ draft,
 * section 3.6). False when that is no name any more. */
static bool expand(const struct query *query, const struct packet *data, struct dname *ret_target)
{
    uint8_t wire[2 * DNAME_WIRE_MAX];
    const struct dname *asked = &query->question.name;
    size_t len = data->len, pos = 0;
    const uint8_t *from = data->data;
    if (len > DNAME_WIRE_MAX) {
        return false;
    }
    if (len > 2 && from[0] == 1 && from[1] == '*') {
        memcpy(wire, asked->wire, asked->len - 1U);
        memcpy(wire + asked->len - 1, from + 2, len - 2);
        len = asked->len - 1U + len - 2;
        from = wire;
    }
    return dname_read(from, len, &pos, ret_target) == 0;
}

bool action_rewrites(const struct query *query)
{
    uint16_t type = query->question.type;
    return query->verdict.reason == REASON_SAFE_SEARCH &&
           (type == TYPE_A || type == TYPE_AAAA || type == TYPE_CNAME || type == TYPE_HTTPS ||
            type == TYPE_SVCB);
}

/* The enforced name of an engine, for addresses; it has no service bindings. */
static bool find_safe(const struct query *query, struct dname *ret_target, uint32_t *ret_ttl)
{
    const struct snapshot *snapshot = query->worker->snapshot;
    uint16_t type = query->question.type;
    const struct dname *target = verdict_target(snapshot, &query->verdict, query->group);
    if (!target || type == TYPE_HTTPS || type == TYPE_SVCB) {
        return false;
    }
    *ret_target = *target;
    *ret_ttl = (uint32_t)snapshot->config->block.ttl_s;
    return true;
}

/* The CNAME among the records, which then stands alone (RFC 1034 section 3.6.2). */
static bool find_alias(const struct query *query, struct dname *ret_target, uint32_t *ret_ttl)
{
    if (query->verdict.reason == REASON_SAFE_SEARCH) {
        return find_safe(query, ret_target, ret_ttl);
    }
    struct reader reader = open_data(query);
    struct local local;
    while (next_record(&reader, &local)) {
        if (local.type == TYPE_CNAME && expand(query, &local.data, ret_target)) {
            *ret_ttl = local.ttl;
            return true;
        }
    }
    return false;
}

void action_choose_target(struct query *query)
{
    uint16_t type = query->question.type;
    uint32_t ttl;
    bool given = query->verdict.action == BLOCKDB_LOCAL || action_rewrites(query);
    query->aliased = given && type != TYPE_CNAME && type != TYPE_ANY &&
                     find_alias(query, &query->target, &ttl) &&
                     !dname_equal(&query->target, &query->question.name);
}

bool action_fits(const struct query *query)
{
    const struct dname *sought = action_sought(query);
    struct dname name;
    size_t pos = DNS_HEADER;
    return dname_read(query->room, query->copy.len, &pos, &name) == 0 && dname_equal(&name, sought);
}

/* Records of the answer section of the set-aside answer, names written out: those of
 * compressed owners would lead nowhere here. */
static unsigned put_known(struct query *query, const struct packet *known)
{
    unsigned put = 0, records = load_u16(known->data + 6);
    size_t pos = DNS_HEADER + (size_t)query->target.len + 4;
    for (unsigned i = 0; i < records; i++) {
        struct rr rr;
        uint8_t owner[DNAME_WIRE_MAX];
        size_t at, len;
        if (rr_read(known->data, known->len, &pos, &rr) < 0) {
            break;
        }
        at = rr.owner;
        if (rr.type == TYPE_RRSIG || rr_expand_name(known, &at, owner, &len) < 0) {
            continue;
        }
        uint32_t ttl = query->stale                 ? ANSWERING_STALE_TTL_S
                       : rr.ttl > query->copy.age_s ? rr.ttl - query->copy.age_s
                                                    : 0;
        size_t begin = query->out.len;
        wire_put(&query->out, owner, len);
        wire_put_u16(&query->out, rr.type);
        wire_put_u16(&query->out, CLASS_IN);
        wire_put_u32(&query->out, query_ttl(query, ttl));
        size_t len_at = query->out.len;
        wire_put_u16(&query->out, 0);
        if (rdata_copy(known, &rr, &query->out) < 0) {
            query->out.len = begin; /* half a record is none */
            break;
        }
        wire_patch_u16(&query->out, len_at, (uint16_t)(query->out.len - len_at - 2));
        put++;
    }
    return put;
}

/* The CNAME, then what is known of its target. */
static void put_alias(struct query *query, const struct packet *known, uint32_t ttl)
{
    const struct packet target = {query->target.wire, query->target.len};
    reply_add(&query->out, TYPE_CNAME, query_ttl(query, ttl), &target);
    if (known->len) {
        unsigned put = put_known(query, known);
        wire_patch_u16(&query->out, 6, (uint16_t)(load_u16(query->out.data + 6) + put));
    }
}

static unsigned put_records(struct query *query)
{
    if (query->verdict.action != BLOCKDB_LOCAL) {
        return 0;
    }
    struct reader reader = open_data(query);
    struct local local;
    unsigned put = 0;
    while (next_record(&reader, &local)) {
        if (local.type == query->question.type && local.type != TYPE_CNAME) {
            reply_add(&query->out, local.type, query_ttl(query, local.ttl), &local.data);
            put++;
        }
    }
    return put;
}

void action_write_local(struct query *query, const struct reply_error *why)
{
    struct packet known = {query->worker->aside, 0};
    uint32_t ttl = 0;
    uint16_t failed = query->aliased && query->failure ? RCODE_SERVFAIL : RCODE_NOERROR;
    if (query->aliased && query->known && !failed) {
        known.len = query->copy.len;
        memcpy(query->worker->aside, query->room, known.len);
        failed = known.data[3] & 0xf; /* of the target, NXDOMAIN say */
    }
    query->rcode = (uint8_t)failed;
    wire_init(&query->out, query->room, DNS_MESSAGE_MAX);
    reply_begin(&query->out, &query->question, query->packet, query->rcode);
    if (find_alias(query, &query->target, &ttl)) {
        put_alias(query, &known, ttl);
    } else if (put_records(query) == 0) {
        reply_add_soa(&query->out,
                      query_ttl(query, (uint32_t)query->worker->snapshot->config->block.ttl_s));
    }
    reply_end(&query->out, &query->question, query->rcode, why);
}

void action_write_truncated(struct query *query)
{
    static const struct reply_error none = {-1, NULL};
    query->rcode = RCODE_NOERROR;
    wire_init(&query->out, query->room, DNS_MESSAGE_MAX);
    reply_begin(&query->out, &query->question, query->packet, RCODE_NOERROR);
    store_u16(query->out.data + 2, (uint16_t)(load_u16(query->out.data + 2) | FLAG_TC));
    reply_end(&query->out, &query->question, 0, &none);
}
