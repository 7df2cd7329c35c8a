// SPDX-License-Identifier: Apache-2.0
#include "dns/ask.h"

#include <errno.h>

static bool is_letter(uint8_t octet)
{
    return octet >= 'a' && octet <= 'z';
}

static void write_opt(const struct ask *ask, const struct ask_extras *extras, struct wire *out)
{
    wire_put_u8(out, 0);
    wire_put_u16(out, TYPE_OPT);
    wire_put_u16(out, DNS_UDP_OURS);
    wire_put_u32(out, ask->dnssec_ok ? 0x8000 : 0);
    size_t len_at = out->len;
    wire_put_u16(out, 0);
    if (extras->cookie_len) {
        wire_put_u16(out, OPTION_COOKIE);
        wire_put_u16(out, extras->cookie_len);
        wire_put(out, extras->cookie, extras->cookie_len);
    }
    if (extras->pad) {
        static const uint8_t zeros[ASK_PAD];
        size_t fill = (ASK_PAD - (out->len + 4) % ASK_PAD) % ASK_PAD;
        wire_put_u16(out, OPTION_PADDING);
        wire_put_u16(out, (uint16_t)fill);
        wire_put(out, zeros, fill);
    }
    wire_patch_u16(out, len_at, (uint16_t)(out->len - len_at - 2));
}

void ask_write(const struct ask *ask, const struct ask_extras *extras, struct wire *out,
               struct ask_mark *ret_mark)
{
    const uint8_t *random = extras->random;
    ret_mark->id = load_u16(random);
    ret_mark->name_len = ask->name.len;
    for (size_t i = 0; i < ask->name.len; i++) {
        uint8_t octet = ask->name.wire[i];
        bool upper = is_letter(octet) && (random[2 + i / 8] >> i % 8 & 1);
        ret_mark->name[i] = upper ? (uint8_t)(octet & ~0x20) : octet;
    }
    /* Whoever validates says so only to those who ask (RFC 6840 sections 5.7 and 5.8). */
    uint16_t flags = (uint16_t)(FLAG_RD | (ask->plain ? 0 : FLAG_AD));
    wire_put_u16(out, ret_mark->id);
    wire_put_u16(out, (uint16_t)(flags | (ask->checking_disabled ? FLAG_CD : 0)));
    wire_put_u16(out, 1);
    wire_put_u32(out, 0);
    wire_put_u16(out, ask->plain ? 0 : 1);
    wire_put(out, ret_mark->name, ret_mark->name_len);
    wire_put_u16(out, ask->type);
    wire_put_u16(out, CLASS_IN);
    if (!ask->plain) {
        write_opt(ask, extras, out);
    }
}

static bool same_folded(const uint8_t *a, const uint8_t *folded, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (octet_fold(a[i]) != folded[i]) {
            return false;
        }
    }
    return true;
}

/* Servers that know no EDNS may send no question back either (RFC 6891 section 7). */
static bool is_bare(const struct ask_mark *mark, const struct packet *packet)
{
    if (packet->len != DNS_HEADER || load_u16(packet->data) != mark->id) {
        return false;
    }
    uint16_t flags = load_u16(packet->data + 2), rcode = flags & 0xf;
    bool empty = load_u32(packet->data + 4) == 0 && load_u32(packet->data + 8) == 0;
    return empty && (flags & FLAG_QR) && !(flags & 0x7800) &&
           (rcode == RCODE_FORMERR || rcode == RCODE_NOTIMP);
}

enum ask_match ask_check(const struct ask *ask, const struct ask_mark *mark,
                         const struct packet *packet)
{
    const uint8_t *at = packet->data;
    size_t question_len = (size_t)mark->name_len + 4;
    if (is_bare(mark, packet)) {
        return ASK_BARE;
    }
    if (packet->len < DNS_HEADER + question_len || load_u16(at) != mark->id ||
        load_u16(at + 4) != 1) {
        return ASK_FOREIGN;
    }
    uint16_t flags = load_u16(at + 2);
    const uint8_t *name = at + DNS_HEADER;
    const uint8_t *tail = name + mark->name_len;
    if (!(flags & FLAG_QR) || (flags & 0x7800) || load_u16(tail) != ask->type ||
        load_u16(tail + 2) != CLASS_IN || !same_folded(name, ask->name.wire, mark->name_len)) {
        return ASK_FOREIGN;
    }
    if (memcmp(name, mark->name, mark->name_len) != 0) {
        return ASK_CASE;
    }
    return flags & FLAG_TC ? ASK_TRUNCATED : ASK_OURS;
}

static int read_options(const struct packet *packet, const struct rr *rr,
                        struct ask_verdict *verdict)
{
    struct reader in = {packet->data, rr->end, rr->rdata, false};
    while (in.pos < rr->end) {
        uint16_t code = reader_u16(&in), len = reader_u16(&in);
        const uint8_t *at = reader_take(&in, len);
        if (in.bad) {
            return -EBADMSG;
        }
        if (code != OPTION_COOKIE || verdict->cookie_len) {
            continue;
        }
        if (len < 16 || len > ASK_COOKIE_MAX) { /* RFC 7873 section 5.3 */
            return -EBADMSG;
        }
        verdict->cookie_len = (uint8_t)len;
        memcpy(verdict->cookie, at, len);
    }
    return 0;
}

int ask_read_verdict(const struct ask *ask, const struct packet *packet,
                     struct ask_verdict *ret_verdict)
{
    size_t pos = DNS_HEADER + (size_t)ask->name.len + 4;
    unsigned before = (unsigned)load_u16(packet->data + 6) + load_u16(packet->data + 8);
    unsigned records = before + load_u16(packet->data + 10);
    bool seen = false;
    unsigned version = 0;
    *ret_verdict = (struct ask_verdict){.rcode = load_u16(packet->data + 2) & 0xf};
    for (unsigned i = 0; i < records; i++) {
        struct rr rr;
        if (rr_read(packet->data, packet->len, &pos, &rr) < 0) {
            return -EBADMSG;
        }
        if (rr.type != TYPE_OPT) {
            continue;
        }
        if (seen || i < before || packet->data[rr.owner] != 0 ||
            read_options(packet, &rr, ret_verdict) < 0) {
            return -EBADMSG;
        }
        seen = true;
        version = rr.ttl >> 16 & 0xff;
        ret_verdict->rcode |= (uint16_t)(rr.ttl >> 24 << 4);
    }
    bool ours = version == 0 || ret_verdict->rcode == RCODE_BADVERS; /* RFC 6891 section 6.1.3 */
    return ours && pos == packet->len ? 0 : -EBADMSG;
}
