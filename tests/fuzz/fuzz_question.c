// SPDX-License-Identifier: Apache-2.0
/* A client's packet: parsed, compared with what ldns makes of it, and whatever is
 * answered is a whole message that ldns reads too. */
#include <ldns/ldns.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "dns/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(what)                                                                              \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Does the packet hold a question and at most an OPT record? Of other records ldns knows
 * shapes that do not concern us here. */
static bool is_simple(const uint8_t *data, size_t size, bool edns)
{
    return size >= DNS_HEADER && load_u16(data + 4) == 1 && load_u16(data + 6) == 0 &&
           load_u16(data + 8) == 0 && load_u16(data + 10) == (edns ? 1 : 0);
}

static void compare_name(const struct question *question, const ldns_rdf *owner)
{
    REQUIRE(ldns_rdf_size(owner) == question->name.len);
    for (size_t i = 0; i < question->name.len; i++) {
        REQUIRE(octet_fold(ldns_rdf_data(owner)[i]) == question->name.wire[i]);
    }
}

static void compare(const ldns_pkt *packet, const struct question *question,
                    enum question_outcome outcome)
{
    const ldns_rr *rr = ldns_rr_list_rr(ldns_pkt_question(packet), 0);
    compare_name(question, ldns_rr_owner(rr));
    REQUIRE(ldns_rr_get_type(rr) == question->type);
    REQUIRE(ldns_rr_get_class(rr) == question->class_code);
    REQUIRE(ldns_pkt_id(packet) == question->id);
    REQUIRE(ldns_pkt_edns(packet) == question->edns);
    if (question->edns) {
        REQUIRE(ldns_pkt_edns_do(packet) == question->dnssec_ok);
        REQUIRE((ldns_pkt_edns_version(packet) != 0) == (outcome == QUESTION_BADVERS));
    }
    uint16_t offered = question->edns ? ldns_pkt_edns_udp_size(packet) : 0;
    REQUIRE(question->udp_size == (offered < DNS_UDP_PLAIN ? DNS_UDP_PLAIN : offered));
}

/* ldns gets only what is not far from a query: it leaks what it read of packets that it
 * refuses in the middle of a record. */
static void compare_with_ldns(const uint8_t *data, size_t size, const struct question *question,
                              enum question_outcome outcome)
{
    bool good = outcome == QUESTION_OK || outcome == QUESTION_REFUSED ||
                outcome == QUESTION_BADTYPE || outcome == QUESTION_BADVERS;
    bool plain = is_simple(data, size, false) && outcome != QUESTION_NOTIMP;
    if (!plain && !(good && is_simple(data, size, question->edns))) {
        return;
    }
    ldns_pkt *packet = NULL;
    bool read = ldns_wire2pkt(&packet, data, size) == LDNS_STATUS_OK;
    REQUIRE(read || !good); /* we take nothing that it refuses */
    if (good) {
        compare(packet, question, outcome);
    } else if (read) { /* nor do we refuse a plain query that it takes */
        const ldns_rr *rr = ldns_rr_list_rr(ldns_pkt_question(packet), 0);
        REQUIRE(DNS_HEADER + ldns_rdf_size(ldns_rr_owner(rr)) + 4 != size);
    }
    ldns_pkt_free(packet);
}

/* What goes out is whole, and reads as it was meant. */
static void check_reply(const struct wire *out, const struct question *question, uint8_t rcode)
{
    ldns_pkt *packet = NULL;
    REQUIRE(!out->full);
    REQUIRE(ldns_wire2pkt(&packet, out->data, out->len) == LDNS_STATUS_OK);
    REQUIRE(ldns_pkt_id(packet) == question->id && ldns_pkt_qr(packet));
    REQUIRE(ldns_pkt_get_rcode(packet) == rcode);
    REQUIRE(ldns_pkt_qdcount(packet) == (question->wire_len ? 1 : 0));
    REQUIRE(ldns_pkt_edns(packet) == question->edns);
    ldns_pkt_free(packet);
}

static void answer(const uint8_t *data, struct question *question)
{
    uint8_t octets[4096];
    struct wire out;
    const struct reply_error why = {EDE_FILTERED, "adult list 00000000"};
    wire_init(&out, octets, sizeof(octets));
    reply_begin(&out, question, data, RCODE_NXDOMAIN);
    if (question->wire_len) {
        reply_add_soa(&out, 10);
    }
    reply_end(&out, question, RCODE_NXDOMAIN, &why);
    check_reply(&out, question, RCODE_NXDOMAIN);
    if (question->padded && question->edns) {
        REQUIRE(out.len % REPLY_BLOCK == 0);
    }
    question->padded = false; /* as over UDP */
    reply_fit_udp(&out, question);
    check_reply(&out, question, RCODE_NXDOMAIN);
    REQUIRE(out.len <= question->udp_size || question->padded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct question question;
    uint8_t octets[DNS_HEADER];
    struct wire out;
    enum question_outcome outcome = question_parse(data, size, &question);
    if (outcome == QUESTION_DROP) {
        return 0;
    }
    compare_with_ldns(data, size, &question, outcome);
    wire_init(&out, octets, sizeof(octets));
    reply_bare(&out, &question, RCODE_FORMERR);
    REQUIRE(out.len == DNS_HEADER && load_u16(octets) == question.id);
    if (outcome != QUESTION_FORMERR && outcome != QUESTION_NOTIMP) {
        answer(data, &question);
    }
    return 0;
}
