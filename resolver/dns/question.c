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
        name->wire[at] = octet;
        if (octet == 0) {
            break;
        }
        if (octet > 63 || at + 1 + octet >= len || at + 1 + octet >= DNAME_WIRE_MAX) {
            return -EBADMSG;
        }
        name->offset[labels++] = (uint8_t)at;
        for (size_t i = at + 1; i <= at + octet; i++) {
            name->wire[i] = octet_fold(wire[i]);
        }
        at += 1 + (size_t)octet;
    }
    name->labels = (uint8_t)labels;
    name->len = (uint8_t)(at + 1);
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

/* The options must fill the data exactly; their content never changes a verdict. */
static int check_options(const uint8_t *data, size_t len)
{
    struct reader reader = {.data = data, .len = len};
    for (unsigned i = 0; reader.pos < reader.len && i < OPTIONS_LOOKED_AT; i++) {
        (void)reader_u16(&reader);
        (void)reader_take(&reader, reader_u16(&reader));
    }
    return reader.bad ? -EBADMSG : 0;
}

static enum question_outcome read_opt(const uint8_t *packet, const struct rr *rr,
                                      struct question *question)
{
    if (question->edns || packet[rr->owner] != 0 ||
        check_options(packet + rr->rdata, rr->rdlen) < 0) {
        return QUESTION_FORMERR;
    }
    question->edns = true;
    question->udp_size = rr->class_code < DNS_UDP_PLAIN ? DNS_UDP_PLAIN : rr->class_code;
    question->dnssec_ok = rr->ttl & 0x8000;
    return (rr->ttl >> 16 & 0xff) != 0 ? QUESTION_BADVERS : QUESTION_OK;
}

static enum question_outcome read_additional(const uint8_t *packet, size_t len, unsigned count,
                                             struct question *question)
{
    size_t pos = DNS_HEADER + question->wire_len;
    enum question_outcome outcome = QUESTION_OK;
    if (count > ADDITIONAL_MAX) {
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
    switch (question->type) {
    case 0:
    case TYPE_OPT:
    case TYPE_TKEY:
    case TYPE_TSIG:
    case TYPE_MAILA:
    case TYPE_MAILB: return QUESTION_FORMERR;
    case TYPE_AXFR:
    case TYPE_IXFR: return QUESTION_REFUSED;
    default: return question->class_code == CLASS_IN ? QUESTION_OK : QUESTION_REFUSED;
    }
}

enum question_outcome question_parse(const uint8_t *packet, size_t len,
                                     struct question *ret_question)
{
    if (len < DNS_HEADER) {
        return QUESTION_DROP;
    }
    ret_question->id = load_u16(packet);
    ret_question->flags = load_u16(packet + 2);
    ret_question->udp_size = DNS_UDP_PLAIN;
    ret_question->edns = false;
    ret_question->dnssec_ok = false;
    if (ret_question->flags & FLAG_QR) {
        return QUESTION_DROP;
    }
    if (ret_question->flags & 0x7800) {
        return QUESTION_NOTIMP;
    }
    bool one_question = load_u16(packet + 4) == 1 && load_u16(packet + 6) == 0;
    if (!one_question || question_reread(packet + DNS_HEADER, len - DNS_HEADER, ret_question) < 0) {
        return QUESTION_FORMERR;
    }
    enum question_outcome type = judge_type(ret_question);
    if (load_u16(packet + 8) != 0) {
        return type == QUESTION_REFUSED ? type : QUESTION_FORMERR;
    }
    enum question_outcome rest = read_additional(packet, len, load_u16(packet + 10), ret_question);
    return rest != QUESTION_OK ? rest : type;
}
