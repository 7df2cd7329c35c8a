// SPDX-License-Identifier: Apache-2.0
#include "dns/ask.h"

static bool is_letter(uint8_t octet)
{
    return octet >= 'a' && octet <= 'z';
}

void ask_write(const struct ask *ask, const uint8_t random[34], struct wire *out,
               struct ask_mark *ret_mark)
{
    ret_mark->id = load_u16(random);
    ret_mark->name_len = ask->name.len;
    for (size_t i = 0; i < ask->name.len; i++) {
        uint8_t octet = ask->name.wire[i];
        bool upper = is_letter(octet) && (random[2 + i / 8] >> i % 8 & 1);
        ret_mark->name[i] = upper ? (uint8_t)(octet & ~0x20) : octet;
    }
    wire_put_u16(out, ret_mark->id);
    wire_put_u16(out, (uint16_t)(FLAG_RD | (ask->checking_disabled ? FLAG_CD : 0)));
    wire_put_u16(out, 1);
    wire_put_u32(out, 0);
    wire_put_u16(out, ask->plain ? 0 : 1);
    wire_put(out, ret_mark->name, ret_mark->name_len);
    wire_put_u16(out, ask->type);
    wire_put_u16(out, CLASS_IN);
    if (ask->plain) {
        return;
    }
    wire_put_u8(out, 0);
    wire_put_u16(out, TYPE_OPT);
    wire_put_u16(out, DNS_UDP_OURS);
    wire_put_u32(out, ask->dnssec_ok ? 0x8000 : 0);
    wire_put_u16(out, 0);
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

enum ask_match ask_check(const struct ask *ask, const struct ask_mark *mark,
                         const struct packet *packet)
{
    const uint8_t *at = packet->data;
    size_t question_len = (size_t)mark->name_len + 4;
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
