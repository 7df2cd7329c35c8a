// SPDX-License-Identifier: Apache-2.0
/* Two upstreams' packets made one answer: it rebuilds to itself, has not more links than may
 * be, and has AD only from both. The first octet chooses DO, two give the length of the first
 * packet; of the second, flags, counts and records follow. */
#include <stdlib.h>

#include "dns/join.h"

static const struct answer_limits limits = {0, UINT32_MAX, UINT32_MAX, true};

/* The rest as a packet that answers for that name. */
static struct packet make_second(const struct ask *ask, const struct packet *rest)
{
    static uint8_t octets[DNS_MESSAGE_MAX];
    struct wire out;
    wire_init(&out, octets, sizeof(octets));
    wire_put_u16(&out, 0);
    wire_put(&out, rest->data, 2);
    wire_put_u16(&out, 1);
    wire_put(&out, rest->data + 2, 6);
    wire_put(&out, ask->name.wire, ask->name.len);
    wire_put_u16(&out, ask->type);
    wire_put_u16(&out, CLASS_IN);
    wire_put(&out, rest->data + 8, rest->len - 8);
    return (struct packet){octets, out.full ? 0 : out.len};
}

static void check(const struct join_source *source)
{
    static struct join_room room;
    static struct answer_room again;
    struct answer whole, second;
    if (join_answers(source, &room, &whole) < 0) {
        return;
    }
    const struct answer_source itself = {source->ask, {whole.wire, whole.len}, limits};
    uint16_t both = load_u16(source->first->wire + 2) & load_u16(source->second->wire + 2);
    if (answer_rebuild(&itself, &again, &second) < 0 || second.len != whole.len ||
        whole.links > JOIN_LINKS_MAX || ((load_u16(whole.wire + 2) ^ both) & FLAG_AD) ||
        whole.rcode != source->second->rcode) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct answer_room rooms[2];
    struct answer first, second;
    struct ask ask = {0};
    size_t len = size > 3 ? load_u16(data + 1) : 0, pos = DNS_HEADER;
    if (len < DNS_HEADER + 5 || size < 3 + len + 8 || size > DNS_MESSAGE_MAX) {
        return 0;
    }
    const struct packet packet = {data + 3, len}, rest = {data + 3 + len, size - 3 - len};
    ask.dnssec_ok = data[0] & 1;
    if (dname_read(packet.data, len, &pos, &ask.name) < 0 || pos + 4 > len ||
        pos != DNS_HEADER + (size_t)ask.name.len) {
        return 0;
    }
    ask.type = load_u16(packet.data + pos);
    const struct answer_source source = {&ask, packet, limits};
    if (answer_rebuild(&source, &rooms[0], &first) < 0 || !first.open) {
        return 0;
    }
    struct ask target = ask;
    size_t at = first.last;
    if (dname_read(first.wire, first.len, &at, &target.name) < 0) {
        abort();
    }
    const struct answer_source other = {&target, make_second(&target, &rest), limits};
    if (other.packet.len && answer_rebuild(&other, &rooms[1], &second) == 0) {
        check(&(struct join_source){&ask, &first, &second, limits});
    }
    return 0;
}
