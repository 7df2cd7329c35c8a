// SPDX-License-Identifier: Apache-2.0
#include "dns/svcb.h"

#include <errno.h>

#include "dns/rdata.h"

enum key { /* RFC 9460 section 14.3.2, RFC 9848 */
           KEY_MANDATORY = 0,
           KEY_ALPN = 1,
           KEY_NO_DEFAULT_ALPN = 2,
           KEY_PORT = 3,
           KEY_IPV4HINT = 4,
           KEY_ECH = 5,
           KEY_IPV6HINT = 6,
};

static bool is_binding(uint16_t type)
{
    return type == TYPE_SVCB || type == TYPE_HTTPS;
}

/* One SvcParam; keys stand in strictly rising order. */
struct param {
    uint16_t key, len;
    const uint8_t *value;
};

static bool next_param(struct reader *reader, int *last, struct param *ret_param)
{
    if (reader->bad || reader->pos == reader->len) {
        return false;
    }
    ret_param->key = reader_u16(reader);
    ret_param->len = reader_u16(reader);
    ret_param->value = reader_take(reader, ret_param->len);
    reader->bad |= ret_param->key <= *last && *last >= 0;
    *last = ret_param->key;
    return !reader->bad;
}

/* The reader behind priority and target. */
static struct reader open_params(const uint8_t *data, size_t len)
{
    struct reader reader = {.data = data, .len = len};
    const uint8_t *label;
    (void)reader_take(&reader, 2);
    do {
        label = reader_take(&reader, 1);
    } while (label && *label && reader_take(&reader, *label));
    return reader;
}

/* Keys that must be understood, in rising order, each of them there; never key 0 itself
 * (RFC 9460 section 8). */
static bool is_mandatory_list(const struct param *list, const uint8_t *data, size_t len)
{
    struct reader reader = {.data = data, .len = len};
    struct param param;
    int last = 0, order = -1;
    for (size_t i = 0; i + 1 < list->len; i += 2) {
        int key = load_u16(list->value + i);
        bool rises = key > last;
        last = key;
        do {
            if (!rises || !next_param(&reader, &order, &param)) {
                return false;
            }
        } while (param.key != key);
    }
    return list->len > 0 && list->len % 2 == 0;
}

/* Protocol names, none of them empty (RFC 9460 section 7.1.1). */
static bool is_alpn_list(const struct param *list)
{
    size_t at = 0;
    while (at < list->len && list->value[at]) {
        at += 1 + (size_t)list->value[at];
    }
    return list->len > 0 && at == list->len;
}

static bool is_value(const struct param *param)
{
    switch (param->key) {
    case KEY_ALPN: return is_alpn_list(param);
    case KEY_NO_DEFAULT_ALPN: return param->len == 0;
    case KEY_PORT: return param->len == 2;
    case KEY_IPV4HINT: return param->len > 0 && param->len % 4 == 0;
    case KEY_IPV6HINT: return param->len > 0 && param->len % 16 == 0;
    default: return true;
    }
}

int svcb_check(const uint8_t *data, size_t len)
{
    struct reader reader = {.data = data, .len = len};
    struct param param;
    int last = -1;
    while (next_param(&reader, &last, &param)) {
        bool right =
            param.key == KEY_MANDATORY ? is_mandatory_list(&param, data, len) : is_value(&param);
        reader.bad |= !right;
    }
    return reader.bad ? -EBADMSG : 0;
}

/* 1 when it has the parameter, 0, or -EBADMSG. */
static int find_ech(const uint8_t *data, size_t len)
{
    struct reader reader = open_params(data, len);
    struct param param;
    int last = -1, found = 0;
    while (next_param(&reader, &last, &param)) {
        found |= param.key == KEY_ECH;
        /* a list of keys, each of two octets (RFC 9460 section 8) */
        reader.bad |= param.key == KEY_MANDATORY && (param.len == 0 || param.len % 2 != 0);
    }
    return reader.bad ? -EBADMSG : found;
}

/* The list of mandatory keys but for ech; without any other it is left out. */
static void put_mandatory(const struct param *param, struct wire *out)
{
    size_t at = out->len;
    wire_put_u16(out, KEY_MANDATORY);
    wire_put_u16(out, 0);
    for (size_t i = 0; i + 1 < param->len; i += 2) {
        uint16_t key = load_u16(param->value + i);
        if (key != KEY_ECH) {
            wire_put_u16(out, key);
        }
    }
    if (out->len == at + 4) {
        out->len = at;
    } else {
        wire_patch_u16(out, at + 2, (uint16_t)(out->len - at - 4));
    }
}

static void put_binding(const uint8_t *data, size_t len, struct wire *out)
{
    struct reader reader = open_params(data, len);
    struct param param;
    int last = -1;
    wire_put(out, data, reader.pos);
    while (next_param(&reader, &last, &param)) {
        if (param.key == KEY_MANDATORY) {
            put_mandatory(&param, out);
        } else if (param.key != KEY_ECH) {
            wire_put_u16(out, param.key);
            wire_put_u16(out, param.len);
            wire_put(out, param.value, param.len);
        }
    }
}

/* A signature over bindings no longer fits. */
static bool is_broken_signature(const uint8_t *wire, const struct rr *rr)
{
    return rr->type == TYPE_RRSIG && rr->rdlen >= 2 && is_binding(load_u16(wire + rr->rdata));
}

static int put_record(const struct packet *answer, const struct rr *rr, struct wire *out)
{
    uint8_t owner[DNAME_WIRE_MAX];
    size_t at = rr->owner, len;
    if (rr_expand_name(answer, &at, owner, &len) < 0) {
        return -EBADMSG;
    }
    wire_put(out, owner, len);
    wire_put_u16(out, rr->type);
    wire_put_u16(out, rr->class_code);
    wire_put_u32(out, rr->ttl);
    size_t len_at = out->len;
    wire_put_u16(out, 0);
    int err = 0;
    if (is_binding(rr->type)) {
        put_binding(answer->data + rr->rdata, rr->rdlen, out);
    } else {
        err = rdata_copy(answer, rr, out);
    }
    wire_patch_u16(out, len_at, (uint16_t)(out->len - len_at - 2));
    return err < 0 || out->full ? -EBADMSG : 0;
}

/* Where the records begin; 0 when the question is none. */
static size_t records_at(const struct packet *answer)
{
    struct dname name;
    size_t pos = DNS_HEADER;
    bool whole = dname_read(answer->data, answer->len, &pos, &name) == 0;
    return whole && pos + 4 <= answer->len ? pos + 4 : 0;
}

static int has_ech(const struct packet *answer, size_t pos)
{
    unsigned count = load_u16(answer->data + 6);
    int found = 0;
    for (unsigned i = 0; i < count && found >= 0; i++) {
        struct rr rr;
        if (rr_read(answer->data, answer->len, &pos, &rr) < 0) {
            return -EBADMSG;
        }
        int one = is_binding(rr.type) ? find_ech(answer->data + rr.rdata, rr.rdlen) : 0;
        found = one < 0 ? one : found | one;
    }
    return found;
}

int svcb_strip_ech(const struct packet *answer, struct wire *out)
{
    size_t pos = records_at(answer);
    int found = pos ? has_ech(answer, pos) : -EBADMSG;
    if (found <= 0) {
        return found;
    }
    unsigned counts[2] = {load_u16(answer->data + 6), load_u16(answer->data + 8)};
    out->len = 0;
    wire_put(out, answer->data, pos);
    for (unsigned section = 0; section < 2; section++) {
        unsigned put = 0;
        for (unsigned i = 0; i < counts[section]; i++) {
            struct rr rr;
            if (rr_read(answer->data, answer->len, &pos, &rr) < 0) {
                return -EBADMSG;
            }
            if (is_broken_signature(answer->data, &rr)) {
                continue;
            }
            if (put_record(answer, &rr, out) < 0) {
                return -EBADMSG;
            }
            put++;
        }
        wire_patch_u16(out, 6 + 2 * (size_t)section, (uint16_t)put);
    }
    wire_patch_u16(out, 10, 0);
    wire_patch_u16(out, 2, (uint16_t)(load_u16(out->data + 2) & ~FLAG_AD));
    return 1;
}
