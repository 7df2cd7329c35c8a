// SPDX-License-Identifier: Apache-2.0
#include "dns/question.h"

#include <errno.h>
#include <string.h>

#include "base/wire.h"

enum { OPTIONS_LOOKED_AT = 32, ADDITIONAL_MAX = 16 };

/* The name of a question: plain labels; compression has nothing to point at. */
static int read_name(const uint8_t *wire, size_t len, struct dname *name)
{
    size_t at = 0;
    unsigned labels = 0;
    for (;;) {
        if (at >= len || at >= DNAME_WIRE_MAX) {
            return -EBADMSG;
        }
        uint8_t octet = wire[at];
        if (octet == 0) {
            break;
        }
        if (octet > 63 || at + 1 + octet >= len || at + 1 + octet >= DNAME_WIRE_MAX) {
            return -EBADMSG;
        }
        name->offset[labels++] = (uint8_t)at;
        at += 1 + (size_t)octet;
    }
    name->labels = (uint8_t)labels;
    name->len = (uint8_t)(at + 1);
    octets_fold(name->wire, wire, name->len);
    return 0;
}

int question_reread(const uint8_t *wire, size_t len, struct question *ret_question)
{
    if (read_name(wire, len, &ret_question->name) < 0 || (size_t)ret_question->name.len + 4 > len) {
        return -EBADMSG;
    }
    const uint8_t *tail = wire + ret_question->name.len;
    ret_question->type = load_u16(tail);
    ret_question->class_code = load_u16(tail + 2);
    ret_question->wire_len = (uint16_t)(ret_question->name.len + 4);
    return 0;
}

/* The first cookie counts, others are not looked at. Lengths: RFC 7873 section 5.2. */
static int take_cookie(struct question *question, const uint8_t *data, size_t len)
{
    if (question->cookie_len) {
        return 0;
    }
    if (len != QUESTION_COOKIE_CLIENT && (len < 16 || len > 40)) {
        return -EBADMSG;
    }
    question->cookie_len = (uint8_t)len;
    memcpy(question->cookie, data, len < QUESTION_COOKIE ? len : QUESTION_COOKIE);
    return 0;
}

/* The options must fill the data exactly. Of their content only the MAC changes who asks,
 * and only from forwarders that are trusted. */
static enum question_outcome read_options(struct question *question, const uint8_t *data,
                                          size_t len)
{
    enum question_outcome outcome = QUESTION_OK;
    struct reader reader = {.data = data, .len = len};
    for (unsigned i = 0; reader.pos < reader.len && i < OPTIONS_LOOKED_AT; i++) {
        uint16_t code = reader_u16(&reader);
        uint16_t size = reader_u16(&reader);
        const uint8_t *at = reader_take(&reader, size);
        if (!at) {
            return QUESTION_FORMERR;
        }
        if (code == OPTION_COOKIE && take_cookie(question, at, size) < 0) {
            outcome = QUESTION_BADCOOKIE;
        }
        if (code == OPTION_MAC || code == OPTION_DEVICE) {
            /* A forwarder writes its own behind what the client sent: the last counts. */
            question->has_mac = device_read(code, at, size, question->mac) == 0;
        }
        question->keepalive |= code == OPTION_KEEPALIVE;
        question->padded |= code == OPTION_PADDING;
    }
    return outcome;
}

static enum question_outcome read_opt(const uint8_t *packet, const struct rr *rr,
                                      struct question *question)
{
    if (question->edns || packet[rr->owner] != 0) {
        return QUESTION_FORMERR;
    }
    question->edns = true;
    question->udp_size = rr->class_code < DNS_UDP_PLAIN ? DNS_UDP_PLAIN : rr->class_code;
    question->dnssec_ok = rr->ttl & 0x8000;
    if ((rr->ttl >> 16 & 0xff) != 0) {
        return QUESTION_BADVERS; /* what its data looks like we cannot know */
    }
    return read_options(question, packet + rr->rdata, rr->rdlen);
}

/* What follows the question, to the end of the packet. IXFR has its SOA in the authority
 * section (RFC 1995 section 3); nothing else has records there. */
static enum question_outcome read_records(const uint8_t *packet, size_t len,
                                          struct question *question)
{
    size_t pos = DNS_HEADER + question->wire_len;
    unsigned authority = load_u16(packet + 8), count = load_u16(packet + 10);
    enum question_outcome outcome = QUESTION_OK;
    bool ixfr = question->wire_len && question->type == TYPE_IXFR;
    if (count > ADDITIONAL_MAX || authority > (ixfr ? 1 : 0)) {
        return QUESTION_FORMERR;
    }
    struct rr soa;
    if (authority && rr_read(packet, len, &pos, &soa) < 0) {
        return QUESTION_FORMERR;
    }
    for (unsigned i = 0; i < count; i++) {
        struct rr rr;
        if (rr_read(packet, len, &pos, &rr) < 0) {
            return QUESTION_FORMERR;
        }
        enum question_outcome opt =
            rr.type == TYPE_OPT ? read_opt(packet, &rr, question) : QUESTION_OK;
        if (opt == QUESTION_FORMERR) {
            return opt;
        }
        outcome = opt == QUESTION_OK ? outcome : opt;
    }
    return pos == len ? outcome : QUESTION_FORMERR;
}

/* Which types may be asked for at all. */
static enum question_outcome judge_type(const struct question *question)
{
    uint16_t type = question->type;
    if (type == TYPE_AXFR || type == TYPE_IXFR) {
        return QUESTION_REFUSED;
    }
    if (type == 0 || type == TYPE_OPT || (type >= TYPE_META_FIRST && type < TYPE_ANY)) {
        return QUESTION_BADTYPE;
    }
    return question->class_code == CLASS_IN ? QUESTION_OK : QUESTION_REFUSED;
}

/* Of a message with another opcode nothing counts but whether it has an OPT record, since
 * the reply then has one too (RFC 6891 section 6.1.1). */
static void look_for_opt(const uint8_t *packet, size_t len, struct question *question)
{
    size_t pos = DNS_HEADER;
    unsigned before = (unsigned)load_u16(packet + 6) + load_u16(packet + 8);
    unsigned records = before + load_u16(packet + 10);
    if (load_u16(packet + 4) == 1) {
        struct question read;
        if (question_reread(packet + pos, len - pos, &read) < 0) {
            return;
        }
        pos += read.wire_len;
    }
    for (unsigned i = 0; i < records && i < ADDITIONAL_MAX; i++) {
        struct rr rr;
        if (rr_read(packet, len, &pos, &rr) < 0) {
            return;
        }
        question->edns |= rr.type == TYPE_OPT && i >= before && packet[rr.owner] == 0;
    }
}

/* The fields that a packet need not have. */
static void clear(struct question *question)
{
    question->udp_size = DNS_UDP_PLAIN;
    question->wire_len = 0;
    question->edns = false;
    question->has_mac = false;
    question->dnssec_ok = false;
    question->keepalive = false;
    question->padded = false;
    question->cookie_len = 0;
}

enum question_outcome question_parse(const uint8_t *packet, size_t len,
                                     struct question *ret_question)
{
    if (len < DNS_HEADER) {
        return QUESTION_DROP;
    }
    ret_question->id = load_u16(packet);
    ret_question->flags = load_u16(packet + 2);
    clear(ret_question);
    if (ret_question->flags & FLAG_QR) {
        return QUESTION_DROP;
    }
    if (ret_question->flags & 0x7800) {
        look_for_opt(packet, len, ret_question);
        return QUESTION_NOTIMP;
    }
    unsigned questions = load_u16(packet + 4);
    if (questions > 1 || load_u16(packet + 6) != 0) {
        return QUESTION_FORMERR;
    }
    enum question_outcome type = QUESTION_FORMERR;
    if (questions == 1) {
        if (question_reread(packet + DNS_HEADER, len - DNS_HEADER, ret_question) < 0) {
            return QUESTION_FORMERR;
        }
        type = judge_type(ret_question);
    }
    enum question_outcome rest = read_records(packet, len, ret_question);
    if (questions == 0 && rest == QUESTION_OK && ret_question->cookie_len) {
        return QUESTION_COOKIE_ONLY;
    }
    return rest != QUESTION_OK ? rest : type;
}
