// SPDX-License-Identifier: Apache-2.0
#include "dns/join.h"

#include <errno.h>

#include "dns/rdata.h"

enum { POINTERS_END = 0x4000 }; /* RFC 1035 section 4.1.4 */

/* A message being written, and the last owner that stands in it in full. */
struct joint {
    struct wire out;
    size_t owner_at;
    size_t owner_len;
};

bool join_follows(uint16_t type)
{
    /* These two may stand beside a CNAME and are then its own (RFC 4035 section 2.5). */
    return type != TYPE_CNAME && type != TYPE_RRSIG && type != TYPE_NSEC &&
           (type < TYPE_META_FIRST || type > TYPE_ANY);
}

static void put_owner(struct joint *joint, const uint8_t *name, size_t len)
{
    bool same =
        joint->owner_len == len && memcmp(joint->out.data + joint->owner_at, name, len) == 0;
    if (same) {
        wire_put_u16(&joint->out, (uint16_t)(0xc000 | joint->owner_at));
        return;
    }
    joint->owner_at = joint->out.len;
    joint->owner_len = joint->out.len < POINTERS_END ? len : 0;
    wire_put(&joint->out, name, len);
}

/* The next record, its names written out: pointers would lead elsewhere here. */
static int put_record(struct joint *joint, const struct packet *from, size_t *pos)
{
    struct rr rr;
    uint8_t owner[DNAME_WIRE_MAX];
    size_t len;
    if (rr_read(from->data, from->len, pos, &rr) < 0) {
        return -EBADMSG;
    }
    size_t at = rr.owner;
    if (rr_expand_name(from, &at, owner, &len) < 0) {
        return -EBADMSG;
    }
    put_owner(joint, owner, len);
    wire_put_u16(&joint->out, rr.type);
    wire_put_u16(&joint->out, rr.class_code);
    wire_put_u32(&joint->out, rr.ttl);
    size_t len_at = joint->out.len;
    wire_put_u16(&joint->out, 0);
    if (rdata_copy(from, &rr, &joint->out) < 0) {
        return -EBADMSG;
    }
    wire_patch_u16(&joint->out, len_at, (uint16_t)(joint->out.len - len_at - 2));
    return 0;
}

static int put_records(struct joint *joint, const struct packet *from, unsigned count, size_t *pos)
{
    int err = 0;
    for (unsigned i = 0; i < count && err == 0; i++) {
        err = put_record(joint, from, pos);
    }
    return err;
}

static int skip_records(const struct packet *packet, unsigned count, size_t *pos)
{
    struct rr rr;
    int err = 0;
    for (unsigned i = 0; i < count && err == 0; i++) {
        err = rr_read(packet->data, packet->len, pos, &rr);
    }
    return err;
}

static void begin(struct joint *joint, const struct join_source *source, struct join_room *room)
{
    const uint8_t *first = source->first->wire, *second = source->second->wire;
    uint16_t flags = load_u16(second + 2);
    if (!(load_u16(first + 2) & FLAG_AD)) {
        flags &= (uint16_t)~FLAG_AD;
    }
    *joint = (struct joint){.owner_len = 0};
    wire_init(&joint->out, room->wire, sizeof(room->wire));
    wire_put_u16(&joint->out, 0);
    wire_put_u16(&joint->out, flags);
    wire_put_u16(&joint->out, 1);
    wire_put_u16(&joint->out, (uint16_t)(source->first->told + load_u16(second + 6)));
    wire_put_u16(&joint->out, (uint16_t)(load_u16(first + 8) + load_u16(second + 8)));
    wire_put_u16(&joint->out, 0);
    wire_put(&joint->out, source->ask->name.wire, source->ask->name.len);
    wire_put_u16(&joint->out, source->ask->type);
    wire_put_u16(&joint->out, CLASS_IN);
}

/* Behind the question of a rebuilt answer. */
static size_t find_records(const struct answer *answer)
{
    size_t pos = DNS_HEADER;
    struct dname name;
    return dname_read(answer->wire, answer->len, &pos, &name) < 0 ? answer->len : pos + 4;
}

/* What the first has of authority is denials, with DO alone: that the alias came from a
 * wildcard, say (RFC 4035 section 3.1.3.3). Whoever sets DO checks them. */
static int write_all(struct joint *joint, const struct join_source *source)
{
    const struct packet first = {source->first->wire, source->first->len};
    const struct packet second = {source->second->wire, source->second->len};
    unsigned left_out = load_u16(first.data + 6) - (unsigned)source->first->told;
    size_t at = find_records(source->first), from = find_records(source->second);
    int err = put_records(joint, &first, source->first->told, &at);
    if (err == 0) {
        err = put_records(joint, &second, load_u16(second.data + 6), &from);
    }
    if (err == 0) {
        err = skip_records(&first, left_out, &at);
    }
    if (err == 0) {
        err = put_records(joint, &first, load_u16(first.data + 8), &at);
    }
    if (err == 0) {
        err = put_records(joint, &second, load_u16(second.data + 8), &from);
    }
    return joint->out.full ? -EBADMSG : err;
}

int join_answers(const struct join_source *source, struct join_room *room,
                 struct answer *ret_answer)
{
    struct joint joint;
    struct answer answer;
    unsigned links = (unsigned)source->first->links + source->second->links;
    if (links > JOIN_LINKS_MAX) {
        return -ELOOP;
    }
    begin(&joint, source, room);
    struct answer_source whole = {source->ask, {room->wire, 0}, source->limits};
    whole.limits.keep_ad = true; /* both were rebuilt before */
    int err = write_all(&joint, source);
    whole.packet.len = joint.out.len;
    if (err == 0) {
        err = answer_rebuild(&whole, &room->room, &answer);
    }
    if (err == 0) {
        answer.open = answer.open && source->second->open;
        *ret_answer = answer;
    }
    return err;
}
