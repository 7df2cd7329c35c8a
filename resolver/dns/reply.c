// SPDX-License-Identifier: Apache-2.0
#include "dns/reply.h"

enum {
    POINTER_TO_QUESTION = 0xc000 | DNS_HEADER,
    ERROR_MAX = 200, /* octets of an extended error, at most */
};

void reply_bare(struct wire *out, const struct question *question, uint8_t rcode)
{
    uint8_t header[DNS_HEADER] = {0};
    store_u16(header, question->id);
    store_u16(header + 2, (uint16_t)(FLAG_QR | (question->flags & 0x7900) | rcode));
    wire_put(out, header, sizeof(header));
}

void reply_begin(struct wire *out, const struct question *question, const uint8_t *packet,
                 uint8_t rcode)
{
    uint8_t header[DNS_HEADER] = {0};
    store_u16(header, question->id);
    store_u16(header + 2, (uint16_t)(FLAG_QR | FLAG_RA | (rcode & 0xf) |
                                     (question->flags & (FLAG_RD | FLAG_CD))));
    store_u16(header + 4, question->wire_len > 0);
    wire_put(out, header, sizeof(header));
    wire_put(out, packet + DNS_HEADER, question->wire_len);
}

static void count_up(struct wire *out, size_t at)
{
    wire_patch_u16(out, at, (uint16_t)(load_u16(out->data + at) + 1));
}

void reply_add(struct wire *out, uint16_t type, uint32_t ttl, const struct packet *data)
{
    wire_put_u16(out, POINTER_TO_QUESTION);
    wire_put_u16(out, type);
    wire_put_u16(out, CLASS_IN);
    wire_put_u32(out, ttl);
    wire_put_u16(out, (uint16_t)data->len);
    wire_put(out, data->data, data->len);
    count_up(out, 6);
}

void reply_add_ns(struct wire *out, const struct question *question, uint32_t ttl)
{
    const struct packet data = {question->name.wire, question->name.len};
    reply_add(out, TYPE_NS, ttl, &data);
}

/* MNAME greengate.invalid., RNAME hostmaster in it: names that say who answered and
 * lead nowhere (RFC 2606). */
static void put_our_names(struct wire *out)
{
    static const uint8_t names[] = "\x9greengate\x7invalid\0\xahostmaster";
    size_t start = out->len;
    wire_put(out, names, 19);
    wire_put(out, names + 19, 11);
    wire_put_u16(out, (uint16_t)(0xc000 | start));
}

/* MNAME the name of the zone, RNAME nobody.invalid. (RFC 6303 section 3). */
static void put_zone_names(struct wire *out, unsigned skip)
{
    wire_put_u16(out, (uint16_t)(POINTER_TO_QUESTION + skip));
    wire_put(out, "\6nobody\7invalid", 16);
}

static void put_soa(struct wire *out, unsigned skip, uint32_t ttl, bool zone)
{
    wire_put_u16(out, (uint16_t)(POINTER_TO_QUESTION + skip));
    wire_put_u16(out, TYPE_SOA);
    wire_put_u16(out, CLASS_IN);
    wire_put_u32(out, ttl);
    size_t len_at = out->len;
    wire_put_u16(out, 0);
    size_t start = out->len;
    if (zone) {
        put_zone_names(out, skip);
    } else {
        put_our_names(out);
    }
    const uint32_t numbers[5] = {1, 3600, 1200, 604800, ttl}; /* those of RFC 6303 */
    for (unsigned i = 0; i < 5; i++) {
        wire_put_u32(out, numbers[i]);
    }
    wire_patch_u16(out, len_at, (uint16_t)(out->len - start));
}

void reply_add_soa(struct wire *out, uint32_t ttl)
{
    put_soa(out, 0, ttl, false);
    count_up(out, 8);
}

void reply_add_zone_soa(struct wire *out, unsigned skip, uint32_t ttl)
{
    put_soa(out, skip, ttl, true);
    count_up(out, 8);
}

void reply_answer_soa(struct wire *out, uint32_t ttl)
{
    put_soa(out, 0, ttl, true);
    count_up(out, 6);
}

static void put_option(struct wire *out, uint16_t code, const void *data, size_t len)
{
    wire_put_u16(out, code);
    wire_put_u16(out, (uint16_t)len);
    wire_put(out, data, len);
}

static void put_error(struct wire *out, const struct reply_error *error)
{
    const char *text = error->text ? error->text : "";
    wire_put_u16(out, OPTION_EDE);
    wire_put_u16(out, (uint16_t)(2 + strlen(text)));
    wire_put_u16(out, (uint16_t)error->code);
    wire_put(out, text, strlen(text));
}

static void put_options(struct wire *out, const struct question *question,
                        const struct reply_error *error)
{
    static const uint8_t idle[2] = {0, REPLY_KEEPALIVE};
    if (error && error->code >= 0) {
        put_error(out, error);
    }
    if (question->cookie_len) {
        put_option(out, OPTION_COOKIE, question->cookie, QUESTION_COOKIE);
    }
    if (question->keepalive) {
        put_option(out, OPTION_KEEPALIVE, idle, sizeof(idle));
    }
    if (question->padded) { /* last, since it counts what stands before it (RFC 8467) */
        static const uint8_t zeros[REPLY_BLOCK];
        size_t over = (out->len + 4) % REPLY_BLOCK;
        put_option(out, OPTION_PADDING, zeros, over ? REPLY_BLOCK - over : 0);
    }
}

void reply_end(struct wire *out, const struct question *question, uint16_t rcode,
               const struct reply_error *error)
{
    if (!question->edns) {
        return;
    }
    size_t before = out->len;
    wire_put_u8(out, 0);
    wire_put_u16(out, TYPE_OPT);
    wire_put_u16(out, DNS_UDP_OURS);
    wire_put_u32(out, (uint32_t)(rcode >> 4) << 24 | (question->dnssec_ok ? 0x8000 : 0));
    size_t len_at = out->len;
    wire_put_u16(out, 0);
    put_options(out, question, error);
    if (out->full && before >= DNS_HEADER) {
        out->len = before; /* a message of 64 KiB has no room for it: go without */
        out->full = false;
        return;
    }
    wire_patch_u16(out, len_at, (uint16_t)(out->len - len_at - 2));
    count_up(out, 10);
}

/* Take the extended error out of the OPT, which is the last record. */
static void drop_error(struct wire *out, const struct question *question)
{
    struct rr rr = {.type = 0};
    size_t pos = DNS_HEADER + (size_t)question->wire_len;
    while (pos < out->len) {
        if (rr_read(out->data, out->len, &pos, &rr) < 0) {
            return; /* cannot be: we wrote it */
        }
    }
    if (rr.type != TYPE_OPT || rr.rdlen < 4 || load_u16(out->data + rr.rdata) != OPTION_EDE) {
        return;
    }
    size_t whole = 4 + (size_t)load_u16(out->data + rr.rdata + 2);
    memmove(out->data + rr.rdata, out->data + rr.rdata + whole, rr.rdlen - whole);
    out->len -= whole;
    wire_patch_u16(out, rr.rdata - 2, (uint16_t)(rr.rdlen - whole));
}

void reply_fit_udp(struct wire *out, const struct question *question)
{
    size_t limit = question->udp_size < DNS_UDP_OURS ? question->udp_size : DNS_UDP_OURS;
    if (out->len <= limit && !out->full) {
        return;
    }
    uint16_t flags = load_u16(out->data + 2);
    if (!out->full && question->edns && out->len <= limit + ERROR_MAX) {
        drop_error(out, question);
    }
    if (out->len <= limit && !out->full) {
        store_u16(out->data + 2, (uint16_t)(flags | FLAG_TC));
        return;
    }
    out->len = DNS_HEADER + question->wire_len;
    out->full = false;
    store_u16(out->data + 2, (uint16_t)(flags | FLAG_TC));
    store_u16(out->data + 6, 0);
    store_u16(out->data + 8, 0);
    store_u16(out->data + 10, 0);
    reply_end(out, question, 0, NULL);
}
