// SPDX-License-Identifier: Apache-2.0
/* An upstream's packet: what is rebuilt from it rebuilds to itself, and ldns reads it
 * if it could read the packet
 * and the types are common ones. The first octet chooses DO; the question is taken from the packet. */
#include <errno.h>
#include <ldns/ldns.h>
#include <stddef.h>
#include <stdlib.h>

#include "dns/addresses.h"
#include "dns/answer.h"
#include "dns/svcb.h"

static int visit(void *context, const struct dname *target)
{
    (void)context;
    return target->len ? 0 : -1;
}

static int visit_address(void *context, const struct addr *addr)
{
    (void)context;
    return addr->family == AF_INET || addr->family == AF_INET6 ? 0 : -EEXIST;
}

/* Only types for which ldns looks at nothing beyond the record. */
static bool plain_types(const struct answer *answer)
{
    static const uint16_t types[] = {1, 2, 5, 6, 12, 15, 28, 33, 39};
    size_t pos = DNS_HEADER;
    struct dname name;
    struct rr rr;
    if (dname_read(answer->wire, answer->len, &pos, &name) < 0) {
        abort();
    }
    for (pos += 4; pos < answer->len;) {
        bool plain = false;
        if (rr_read(answer->wire, answer->len, &pos, &rr) < 0) {
            abort();
        }
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
            plain |= rr.type == types[i];
        }
        if (!plain) {
            return false;
        }
    }
    return true;
}

static bool ldns_reads(const uint8_t *data, size_t size)
{
    ldns_pkt *packet = NULL;
    bool good = ldns_wire2pkt(&packet, data, size) == LDNS_STATUS_OK;
    if (good) {
        ldns_pkt_free(packet);
    }
    return good;
}

static void check_again(const struct answer_source *first, const struct answer *answer)
{
    static struct answer_room again;
    struct answer second;
    const struct ask *ask = first->ask;
    const struct answer_source source = {
        ask, {answer->wire, answer->len}, {0, UINT32_MAX, UINT32_MAX, true}};
    if (answer_rebuild(&source, &again, &second) < 0 || second.len != answer->len) {
        abort();
    }
    if (plain_types(answer) && ldns_reads(first->packet.data, first->packet.len) &&
        !ldns_reads(answer->wire, answer->len)) {
        abort();
    }
}

/* Without ech it is a whole answer still, and there is nothing more to take. */
static void check_stripped(const struct ask *ask, const struct answer *answer)
{
    static uint8_t stripped[DNS_MESSAGE_MAX], again[DNS_MESSAGE_MAX];
    static struct answer_room room;
    struct answer second;
    struct wire out = {.data = stripped, .cap = sizeof(stripped)};
    struct wire more = {.data = again, .cap = sizeof(again)};
    if (svcb_strip_ech(&(struct packet){answer->wire, answer->len}, &out) <= 0) {
        return;
    }
    const struct packet packet = {stripped, out.len};
    const struct answer_source source = {ask, packet, {0, UINT32_MAX, UINT32_MAX, true}};
    if (svcb_strip_ech(&packet, &more) != 0 || answer_rebuild(&source, &room, &second) < 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct answer_room room;
    struct answer answer;
    struct ask ask = {0};
    size_t pos = DNS_HEADER;
    if (size < 1 + DNS_HEADER + 5) {
        return 0;
    }
    ask.dnssec_ok = data[0] & 1;
    data++;
    size--;
    struct ask_mark mark = {.id = load_u16(data)};
    if (dname_read(data, size, &pos, &ask.name) < 0 || pos + 4 > size) {
        return 0;
    }
    ask.type = load_u16(data + pos);
    mark.name_len = ask.name.len;
    memcpy(mark.name, ask.name.wire, ask.name.len);
    const struct answer_source source = {&ask, {data, size}, {0, UINT32_MAX, UINT32_MAX, true}};
    struct ask_verdict verdict;
    enum ask_match match = ask_check(&ask, &mark, &source.packet);
    if (match == ASK_FOREIGN || match == ASK_BARE ||
        ask_read_verdict(&ask, &source.packet, &verdict) < 0 ||
        answer_rebuild(&source, &room, &answer) < 0) {
        return 0;
    }
    (void)answer_walk_targets(answer.wire, answer.len, visit, NULL);
    if (addresses_walk(answer.wire, answer.len, visit_address, NULL) == -EEXIST) {
        abort();
    }
    if (ask.type != TYPE_OPT) {
        check_again(&source, &answer);
        check_stripped(&ask, &answer);
    }
    answer_age(answer.wire, answer.ttl_at, answer.ttl_count, 1);
    return 0;
}
