// SPDX-License-Identifier: Apache-2.0
#include "dns/name.h"

#include <errno.h>
#include <string.h>

enum { LABEL_MAX = 63, JUMPS_MAX = 126 };

/* Append one label and remember where it starts; room for the root is kept. */
static int add_label(struct dname *name, const uint8_t *label, size_t len)
{
    if (len == 0 || len > LABEL_MAX || name->len + len + 2 > DNAME_WIRE_MAX ||
        name->labels == DNAME_LABELS_MAX) {
        return -EINVAL;
    }
    name->offset[name->labels++] = name->len;
    uint8_t *to = name->wire + name->len;
    *to++ = (uint8_t)len;
    for (size_t i = 0; i < len; i++) {
        to[i] = octet_fold(label[i]);
    }
    name->len = (uint8_t)(name->len + len + 1);
    return 0;
}

static void end_name(struct dname *name)
{
    name->wire[name->len++] = 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One octet of presentation form; returns the characters used or -EINVAL. */
static int parse_octet(const char *text, size_t len, uint8_t *ret_octet)
{
    if (text[0] != '\\') {
        *ret_octet = (uint8_t)text[0];
        return (uint8_t)text[0] > 0x7f || text[0] == '\0' ? -EINVAL : 1;
    }
    if (len >= 4 && is_digit(text[1]) && is_digit(text[2]) && is_digit(text[3])) {
        int value = (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
        *ret_octet = (uint8_t)value;
        return value > 255 ? -EINVAL : 4;
    }
    if (len < 2 || is_digit(text[1])) {
        return -EINVAL;
    }
    *ret_octet = (uint8_t)text[1];
    return 2;
}

int dname_parse_len(const char *text, size_t len, struct dname *ret_name)
{
    uint8_t label[LABEL_MAX];
    size_t used = 0;
    ret_name->len = 0;
    ret_name->labels = 0;
    if (len == 0) {
        return -EINVAL;
    }
    if (len == 1 && text[0] == '.') {
        end_name(ret_name);
        return 0;
    }
    for (size_t at = 0; at < len;) {
        if (text[at] == '.') {
            if (add_label(ret_name, label, used) < 0) {
                return -EINVAL;
            }
            used = 0;
            at++;
            continue;
        }
        uint8_t octet;
        int step = parse_octet(text + at, len - at, &octet);
        if (step < 0 || used == LABEL_MAX) {
            return -EINVAL;
        }
        label[used++] = octet;
        at += (size_t)step;
    }
    if (used && add_label(ret_name, label, used) < 0) {
        return -EINVAL;
    }
    end_name(ret_name);
    return 0;
}

int dname_parse(const char *text, struct dname *ret_name)
{
    return dname_parse_len(text, strlen(text), ret_name);
}

int dname_read(const uint8_t *packet, size_t len, size_t *pos, struct dname *ret_name)
{
    size_t at = *pos;
    size_t limit = at; /* a pointer must lead before the run it ends */
    bool jumped = false;
    ret_name->len = 0;
    ret_name->labels = 0;
    for (unsigned jumps = 0;;) {
        if (at >= len) {
            return -EBADMSG;
        }
        uint8_t octet = packet[at];
        if (octet == 0) {
            break;
        }
        if (octet >= 0xc0) {
            if (at + 2 > len || ++jumps > JUMPS_MAX) {
                return -EBADMSG;
            }
            size_t target = (size_t)(octet & 0x3f) << 8 | packet[at + 1];
            if (target >= limit) {
                return -EBADMSG;
            }
            if (!jumped) {
                *pos = at + 2;
                jumped = true;
            }
            at = limit = target;
            continue;
        }
        if (octet > LABEL_MAX || at + 1 + octet > len ||
            add_label(ret_name, packet + at + 1, octet) < 0) {
            return -EBADMSG;
        }
        at += 1 + (size_t)octet;
    }
    if (!jumped) {
        *pos = at + 1;
    }
    end_name(ret_name);
    return 0;
}

static size_t print_octet(uint8_t octet, char *out)
{
    bool plain = (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') ||
                 (octet >= '0' && octet <= '9') || octet == '-' || octet == '_' || octet == '*';
    if (plain) {
        out[0] = (char)octet;
        return 1;
    }
    out[0] = '\\';
    out[1] = (char)('0' + octet / 100);
    out[2] = (char)('0' + octet / 10 % 10);
    out[3] = (char)('0' + octet % 10);
    return 4;
}

const char *dname_print_wire(const uint8_t *wire, char out[DNAME_TEXT_MAX])
{
    size_t used = 0;
    if (*wire == 0) {
        out[used++] = '.';
    }
    for (; *wire; wire += 1 + (size_t)*wire) {
        if (used) {
            out[used++] = '.';
        }
        for (uint8_t i = 1; i <= *wire; i++) {
            used += print_octet(wire[i], out + used);
        }
    }
    out[used] = '\0';
    return out;
}

const char *dname_print(const struct dname *name, char out[DNAME_TEXT_MAX])
{
    return dname_print_wire(name->wire, out);
}

bool dname_equal(const struct dname *a, const struct dname *b)
{
    return a->len == b->len && memcmp(a->wire, b->wire, a->len) == 0;
}

bool dname_is_below(const struct dname *name, const struct dname *parent)
{
    if (name->labels < parent->labels) {
        return false;
    }
    size_t len;
    const uint8_t *suffix = dname_suffix(name, name->labels - parent->labels, &len);
    return len == parent->len && memcmp(suffix, parent->wire, len) == 0;
}
