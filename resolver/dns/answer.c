// SPDX-License-Identifier: Apache-2.0
#include "dns/answer.h"

#include <errno.h>

#include "dns/chain.h"
#include "dns/rdata.h"

enum { NO_STEP = CHAIN_LINKS_MAX + 1 }; /* of a record that is left out */

/* The records of the answer section that belong to one name of the chain. */
struct step {
    unsigned first; /* its place among all records */
    unsigned left;  /* not written yet */
};

struct rewrite {
    const struct ask *ask;
    const struct packet *packet;
    const struct answer_limits *limits;
    struct wire out;
    uint16_t *ttl_at;
    size_t ttl_count;
    uint32_t ttl_least;
    struct chain chain;
    uint8_t *step_of; /* of each record of the answer section */
    struct step steps[CHAIN_LINKS_MAX + 1];
    struct rrsets sets;
    size_t answers_at; /* where the answer section begins */
    size_t last_at;    /* where an alias tells the chain's last name in the new message */
    unsigned told;     /* records before those of the last name */
    unsigned matches;  /* records of the asked type */
    unsigned foreign;  /* records that the question does not lead to */
    bool has_soa;
    bool refers; /* the authority section names servers to ask instead */
};

static int read_owner(const struct packet *packet, const struct rr *rr, struct dname *owner)
{
    size_t pos = rr->owner;
    return dname_read(packet->data, packet->len, &pos, owner);
}

static uint32_t clamp_ttl(const struct rewrite *work, uint32_t ttl)
{
    ttl = ttl & 0x80000000U ? 0 : ttl; /* RFC 2181 section 8 */
    ttl = ttl < work->limits->ttl_min ? work->limits->ttl_min : ttl;
    return ttl > work->limits->ttl_max ? work->limits->ttl_max : ttl;
}

/* link: the owner's place in the chain, or -1. */
static void put_owner(struct rewrite *work, const struct rr *rr, int link)
{
    if (link >= 0 && work->chain.offset[link]) {
        wire_put_u16(&work->out, 0xc000 | work->chain.offset[link]);
        return;
    }
    uint8_t name[DNAME_WIRE_MAX];
    size_t pos = rr->owner, len = 0;
    if (rr_expand_name(work->packet, &pos, name, &len) < 0) {
        work->out.full = true; /* cannot be: it was read before */
        return;
    }
    if (link >= 0 && work->out.len < 0x4000) {
        work->chain.offset[link] = (uint16_t)work->out.len;
    }
    wire_put(&work->out, name, len);
}

static void note_set(struct rewrite *work, const struct rr *rr, int link, uint32_t ttl)
{
    bool signs = rr->type == TYPE_RRSIG && rr->rdlen >= 2;
    const struct rrset set = {
        .owner = link,
        .type = signs ? load_u16(work->packet->data + rr->rdata) : rr->type,
        .ttl = ttl,
    };
    rrsets_add(&work->sets, &set);
}

/* Remember where a CNAME's target stands. */
static void note_target(struct rewrite *work, size_t start)
{
    struct dname target;
    size_t pos = start;
    int link = dname_read(work->out.data, work->out.len, &pos, &target) < 0
                   ? -1
                   : chain_find(&work->chain, &target);
    if (link >= 0 && start < 0x4000 && !work->chain.offset[link]) {
        work->chain.offset[link] = (uint16_t)start;
    }
    if (link > 0 && link == (int)work->chain.count - 1) {
        work->last_at = start;
    }
}

/* Write one record. */
static int put_record(struct rewrite *work, const struct rr *rr, const struct dname *owner,
                      uint32_t ttl)
{
    if (work->ttl_count == ANSWER_RECORDS_MAX) {
        return -EBADMSG;
    }
    int link = chain_find(&work->chain, owner);
    note_set(work, rr, link, ttl);
    put_owner(work, rr, link);
    wire_put_u16(&work->out, rr->type);
    wire_put_u16(&work->out, CLASS_IN);
    if (work->out.len < DNS_MESSAGE_MAX) {
        work->ttl_at[work->ttl_count++] = (uint16_t)work->out.len;
    }
    wire_put_u32(&work->out, ttl);
    size_t len_at = work->out.len;
    wire_put_u16(&work->out, 0);
    size_t start = work->out.len;
    int err = rdata_copy(work->packet, rr, &work->out);
    if (err < 0) {
        return -EBADMSG;
    }
    wire_patch_u16(&work->out, len_at, (uint16_t)(work->out.len - start));
    if (rr->type == TYPE_CNAME) {
        note_target(work, start);
    }
    work->ttl_least = ttl < work->ttl_least ? ttl : work->ttl_least;
    return 0;
}

static bool is_dnssec(uint16_t type)
{
    return type == TYPE_RRSIG || type == TYPE_NSEC || type == TYPE_NSEC3;
}

static bool is_denial(const struct rewrite *work, const struct rr *rr)
{
    uint16_t type = rr->type;
    if (type == TYPE_RRSIG && rr->rdlen >= 2) { /* never without what it signs */
        type = load_u16(work->packet->data + rr->rdata);
        return work->ask->dnssec_ok && (type == TYPE_NSEC || type == TYPE_NSEC3 ||
                                        (type == TYPE_SOA && work->matches == 0));
    }
    return work->ask->dnssec_ok && is_dnssec(type);
}

/* The step of the chain at which a record is told, -1 when it is left out. */
static int find_step(const struct rewrite *work, const struct rr *rr, const struct dname *owner)
{
    uint16_t asked = work->ask->type;
    if (rr->type == TYPE_DNAME && asked != TYPE_DNAME && asked != TYPE_ANY) {
        return chain_find_below(&work->chain, owner);
    }
    if (rr->type == TYPE_RRSIG && work->ask->dnssec_ok) {
        int link = chain_find(&work->chain, owner);
        return link >= 0 ? link : chain_find_below(&work->chain, owner);
    }
    bool wanted = rr->type == asked || rr->type == TYPE_CNAME || asked == TYPE_ANY;
    return wanted ? chain_find(&work->chain, owner) : -1;
}

/* Servers that know addresses alone give them for every type, and some put their SOA among
 * the answers: that says no. */
static bool is_a_no(const struct rewrite *work, uint16_t type, const struct dname *owner)
{
    bool told = type == TYPE_A || type == TYPE_AAAA || type == TYPE_SOA;
    return told && chain_find(&work->chain, owner) >= 0;
}

/* Read each owner, and tell the step of each record. */
static int find_steps(struct rewrite *work, unsigned records, size_t *pos)
{
    for (unsigned i = 0; i < records; i++) {
        struct rr rr;
        struct dname owner;
        if (rr_read(work->packet->data, work->packet->len, pos, &rr) < 0 ||
            read_owner(work->packet, &rr, &owner) < 0 || rr.class_code != CLASS_IN) {
            return -EBADMSG;
        }
        int step = find_step(work, &rr, &owner);
        if (step >= 0) {
            struct step *mine = &work->steps[step];
            mine->first = mine->left++ ? mine->first : i;
        } else if (!is_dnssec(rr.type) && !is_a_no(work, rr.type, &owner)) {
            work->foreign++;
        }
        work->step_of[i] = step < 0 ? NO_STEP : (uint8_t)step;
    }
    return 0;
}

/* The first step from that one on of which records are left, or the chain's end. */
static unsigned next_step(const struct rewrite *work, unsigned step)
{
    while (step < work->chain.count && work->steps[step].left == 0) {
        step++;
    }
    return step;
}

/* One pass over the answer section that writes the records of a step, and of those after
 * it as long as each begins behind the one before. Returns the step to go on with, or -EBADMSG. */
static int copy_steps(struct rewrite *work, unsigned records, unsigned step)
{
    size_t pos = work->answers_at;
    for (unsigned i = 0; i < records && step < work->chain.count; i++) {
        struct rr rr;
        struct dname owner;
        if (rr_read(work->packet->data, work->packet->len, &pos, &rr) < 0) {
            return -EBADMSG;
        }
        if (work->step_of[i] != step) {
            continue;
        }
        if (read_owner(work->packet, &rr, &owner) < 0 ||
            put_record(work, &rr, &owner, clamp_ttl(work, rr.ttl)) < 0) {
            return -EBADMSG;
        }
        work->matches += rr.type == work->ask->type || work->ask->type == TYPE_ANY;
        if (--work->steps[step].left == 0) {
            step = next_step(work, step);
            if (step < work->chain.count && work->steps[step].first < i) {
                break;
            }
        }
    }
    return (int)step;
}

/* An alias comes before what it leads to (RFC 1034 section 4.3.1), in whatever order an
 * upstream told them: some clients read the answer once. */
static int copy_answers(struct rewrite *work, unsigned records, size_t *pos)
{
    unsigned kept = 0;
    if (find_steps(work, records, pos) < 0) {
        return -EBADMSG;
    }
    for (unsigned i = 0; i < work->chain.count; i++) {
        work->told = kept;
        kept += work->steps[i].left;
    }
    unsigned step = next_step(work, 0);
    while (step < work->chain.count) {
        int next = copy_steps(work, records, step);
        if (next < 0) {
            return -EBADMSG;
        }
        step = (unsigned)next;
    }
    wire_patch_u16(&work->out, 6, (uint16_t)kept);
    return 0;
}

/* The TTL of a negative answer: the least of the SOA's own and its MINIMUM field
 * (RFC 2308 section 5). */
static uint32_t negative_ttl(const struct rewrite *work, const struct rr *rr)
{
    uint32_t minimum = load_u32(work->packet->data + rr->end - 4);
    uint32_t ttl = rr->ttl & 0x80000000U ? 0 : rr->ttl;
    ttl = minimum < ttl ? minimum : ttl;
    return ttl > work->limits->negative_max ? work->limits->negative_max : ttl;
}

static int copy_authority(struct rewrite *work, unsigned records, size_t *pos)
{
    unsigned kept = 0;
    bool negative = work->matches == 0;
    const struct dname *last = &work->chain.name[work->chain.count - 1];
    for (unsigned i = 0; i < records; i++) {
        struct rr rr;
        struct dname owner;
        if (rr_read(work->packet->data, work->packet->len, pos, &rr) < 0 ||
            read_owner(work->packet, &rr, &owner) < 0 || rr.class_code != CLASS_IN) {
            return -EBADMSG;
        }
        bool soa = rr.type == TYPE_SOA && negative && !work->has_soa &&
                   (dname_is_below(last, &owner) || chain_find_below(&work->chain, &owner) >= 0);
        work->refers |= rr.type == TYPE_NS && dname_is_below(&work->ask->name, &owner);
        if (!soa && !is_denial(work, &rr)) {
            continue;
        }
        if (soa && rr.rdlen < 22) {
            return -EBADMSG;
        }
        uint32_t ttl = soa ? negative_ttl(work, &rr) : clamp_ttl(work, rr.ttl);
        if (put_record(work, &rr, &owner, ttl) < 0) {
            return -EBADMSG;
        }
        work->has_soa |= soa;
        kept++;
    }
    wire_patch_u16(&work->out, 8, (uint16_t)kept);
    return 0;
}

/* Additional records are only walked, since a damaged one spoils the packet. */
static int check_additional(const struct rewrite *work, unsigned records, size_t *pos)
{
    for (unsigned i = 0; i < records; i++) {
        struct rr rr;
        if (rr_read(work->packet->data, work->packet->len, pos, &rr) < 0) {
            return -EBADMSG;
        }
        if (rr.type == TYPE_OPT && rr.ttl >> 24 != 0) {
            return -EBADMSG; /* BADVERS and the like say nothing about the name */
        }
    }
    return *pos == work->packet->len ? 0 : -EBADMSG;
}

static void begin(struct rewrite *work, const struct answer_room *room)
{
    const struct ask *ask = work->ask;
    uint16_t flags = load_u16(work->packet->data + 2);
    uint16_t kept = (uint16_t)(FLAG_QR | FLAG_RD | FLAG_RA | (flags & 0xf));
    kept |= ask->checking_disabled ? FLAG_CD : 0;
    kept |= work->limits->keep_ad ? flags & FLAG_AD : 0;
    wire_init(&work->out, (void *)room->wire, DNS_MESSAGE_MAX);
    wire_put_u16(&work->out, 0);
    wire_put_u16(&work->out, kept);
    wire_put_u16(&work->out, 1);
    wire_put_u32(&work->out, 0);
    wire_put_u16(&work->out, 0);
    wire_put(&work->out, ask->name.wire, ask->name.len);
    wire_put_u16(&work->out, ask->type);
    wire_put_u16(&work->out, CLASS_IN);
    work->chain.name[0] = ask->name;
    work->chain.offset[0] = DNS_HEADER;
    work->chain.count = 1;
    work->ttl_least = UINT32_MAX;
}

static void finish(const struct rewrite *work, struct answer *ret_answer)
{
    uint16_t flags = load_u16(work->packet->data + 2);
    uint8_t rcode = (uint8_t)(flags & 0xf);
    bool negative = work->matches == 0;
    *ret_answer = (struct answer){
        .wire = work->out.data,
        .len = work->out.len,
        .ttl_at = work->ttl_at,
        .ttl_count = work->ttl_count,
        .ttl = work->ttl_least,
        .rcode = rcode,
        .negative = negative,
        .open = negative && !work->has_soa && rcode == RCODE_NOERROR && work->last_at,
        .links = (uint8_t)(work->chain.count - 1),
        .told = (uint16_t)work->told,
        .last = (uint16_t)work->last_at,
    };
    /* RFC 2308 section 2.2: without a SOA it is no denial. */
    ret_answer->referral = work->refers && negative && !work->has_soa && work->chain.count == 1 &&
                           rcode == RCODE_NOERROR && !(flags & FLAG_AA);
    bool final = rcode == RCODE_NOERROR || rcode == RCODE_NXDOMAIN;
    if (!final || (negative && !work->has_soa) || work->ttl_count == 0) {
        ret_answer->ttl = 0; /* RFC 2308 section 5: no SOA, nothing to go by */
    }
}

int answer_rebuild(const struct answer_source *source, struct answer_room *room,
                   struct answer *ret_answer)
{
    const struct packet *packet = &source->packet;
    struct rewrite work = {.ask = source->ask,
                           .packet = packet,
                           .limits = &source->limits,
                           .ttl_at = room->ttl_at,
                           .step_of = room->step_of};
    unsigned answers = load_u16(packet->data + 6);
    unsigned authority = load_u16(packet->data + 8);
    unsigned additional = load_u16(packet->data + 10);
    if (answers > ANSWER_RECORDS_MAX) {
        return -EBADMSG;
    }
    begin(&work, room);
    size_t pos = DNS_HEADER + (size_t)source->ask->name.len + 4;
    work.answers_at = pos;
    bool follows = source->ask->type != TYPE_CNAME && source->ask->type != TYPE_ANY;
    if ((follows && chain_follow(&work.chain, packet, pos, answers) < 0) ||
        copy_answers(&work, answers, &pos) < 0 || copy_authority(&work, authority, &pos) < 0 ||
        check_additional(&work, additional, &pos) < 0 || work.out.full) {
        return -EBADMSG;
    }
    if (work.matches == 0 && work.foreign > 0) {
        return -EBADMSG; /* it answers another question */
    }
    rrsets_level(&work.sets, work.out.data, work.ttl_at);
    finish(&work, ret_answer);
    return 0;
}

void answer_age(uint8_t *wire, const uint16_t *ttl_at, size_t count, uint32_t age)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t ttl = load_u32(wire + ttl_at[i]);
        store_u32(wire + ttl_at[i], ttl > age ? ttl - age : 0);
    }
}

void answer_set_ttl(uint8_t *wire, const uint16_t *ttl_at, size_t count, uint32_t ttl)
{
    for (size_t i = 0; i < count; i++) {
        store_u32(wire + ttl_at[i], ttl);
    }
}

void answer_cap_ttl(uint8_t *wire, const uint16_t *ttl_at, size_t count, uint32_t most)
{
    for (size_t i = 0; i < count; i++) {
        if (load_u32(wire + ttl_at[i]) > most) {
            store_u32(wire + ttl_at[i], most);
        }
    }
}

int answer_walk_targets(const uint8_t *wire, size_t len, answer_visit visit, void *context)
{
    size_t pos = DNS_HEADER;
    struct dname name;
    unsigned records = load_u16(wire + 6);
    if (records == 0) {
        return 0;
    }
    if (dname_read(wire, len, &pos, &name) < 0) {
        return -EBADMSG;
    }
    pos += 4;
    for (unsigned i = 0; i < records; i++) {
        struct rr rr;
        if (rr_read(wire, len, &pos, &rr) < 0) {
            return -EBADMSG;
        }
        size_t at = rr_target(wire, &rr);
        if (at == SIZE_MAX) {
            continue;
        }
        int err = dname_read(wire, len, &at, &name) < 0 ? -EBADMSG : 0;
        if (err == 0 && name.labels) { /* the root: the owner itself (RFC 9460 section 2.5) */
            err = visit(context, &name);
        }
        if (err < 0) {
            return err;
        }
    }
    return 0;
}
