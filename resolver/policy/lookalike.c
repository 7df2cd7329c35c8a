// SPDX-License-Identifier: Apache-2.0
#include "policy/lookalike.h"

#include <stdint.h>
#include <string.h>

enum { LABEL_MAX = 63 };

/* Letters that look alike in common typefaces, by code point; a part of Unicode's
 * confusables.txt (UTS 39, version 16), and the accented letters that a glance misses. */
static const struct {
    uint32_t first, last; /* the row's letters are first, first + step ... last */
    uint8_t step;
    char looks[20];
} rows[] = {
    {0x00e0, 0x00e5, 1, "aaaaaa"},
    {0x00e7, 0x00e7, 1, "c"},
    {0x00e8, 0x00ef, 1, "eeeeiiii"},
    {0x00f1, 0x00f6, 1, "nooooo"},
    {0x00f8, 0x00fd, 1, "ouuuuy"},
    {0x00ff, 0x00ff, 1, "y"},
    {0x0101, 0x0105, 2, "aaa"},
    {0x0107, 0x010d, 2, "cccc"},
    {0x010f, 0x0111, 2, "dd"},
    {0x0113, 0x011b, 2, "eeeee"},
    {0x011d, 0x0123, 2, "gggg"},
    {0x0125, 0x0127, 2, "hh"},
    {0x0129, 0x0131, 2, "iiiii"},
    {0x0135, 0x0137, 2, "jk"},
    {0x013a, 0x0142, 2, "lllll"},
    {0x0144, 0x0148, 2, "nnn"},
    {0x014d, 0x0151, 2, "ooo"},
    {0x0155, 0x0159, 2, "rrr"},
    {0x015b, 0x0161, 2, "ssss"},
    {0x0163, 0x0167, 2, "ttt"},
    {0x0169, 0x0173, 2, "uuuuuu"},
    {0x0175, 0x0177, 2, "wy"},
    {0x017a, 0x017e, 2, "zzz"},
    {0x0251, 0x0251, 1, "a"},
    {0x0261, 0x0261, 1, "g"},
    {0x026a, 0x026a, 1, "i"},
    {0x03b1, 0x03b1, 1, "a"},
    {0x03b5, 0x03b5, 1, "e"},
    {0x03b7, 0x03b7, 1, "n"},
    {0x03b9, 0x03ba, 1, "ik"},
    {0x03bd, 0x03bd, 1, "v"},
    {0x03bf, 0x03bf, 1, "o"},
    {0x03c1, 0x03c1, 1, "p"},
    {0x03c3, 0x03c5, 1, "otu"},
    {0x03c7, 0x03c7, 1, "x"},
    {0x03c9, 0x03c9, 1, "w"},
    {0x03f2, 0x03f3, 1, "cj"},
    {0x0430, 0x0430, 1, "a"},
    {0x0433, 0x0433, 1, "r"},
    {0x0435, 0x0435, 1, "e"},
    {0x043a, 0x043a, 1, "k"},
    {0x043c, 0x043c, 1, "m"},
    {0x043e, 0x043e, 1, "o"},
    {0x0440, 0x0443, 1, "pcty"},
    {0x0445, 0x0445, 1, "x"},
    {0x0448, 0x0448, 1, "w"},
    {0x044c, 0x044c, 1, "b"},
    {0x0455, 0x0458, 1, "siij"},
    {0x0475, 0x0475, 1, "v"},
    {0x04bb, 0x04bb, 1, "h"},
    {0x04cf, 0x04cf, 1, "l"},
    {0x0501, 0x0501, 1, "d"},
    {0x050d, 0x050d, 1, "g"},
    {0x051b, 0x051d, 2, "qw"},
    {0x0561, 0x0561, 1, "w"},
    {0x0566, 0x0566, 1, "q"},
    {0x0570, 0x0570, 1, "h"},
    {0x0578, 0x0578, 1, "n"},
    {0x057d, 0x057d, 1, "u"},
    {0x0581, 0x0581, 1, "g"},
    {0x0585, 0x0585, 1, "o"},
    {0x1d04, 0x1d04, 1, "c"},
    {0x1d0f, 0x1d0f, 1, "o"},
    {0x1d20, 0x1d22, 1, "vwz"},
    {0x1ea1, 0x1ea3, 2, "aa"},
    {0x1eb9, 0x1ebd, 2, "eee"},
    {0x1ec9, 0x1ecb, 2, "ii"},
    {0x1ecd, 0x1ecf, 2, "oo"},
    {0x1ee5, 0x1ee7, 2, "uu"},
    {0x1ef3, 0x1ef9, 2, "yyyy"},
    {0x2010, 0x2015, 1, "------"},
    {0x2212, 0x2212, 1, "-"},
    {0xff0d, 0xff0d, 1, "-"},
    {0xff10, 0xff19, 1, "0123456789"},
    {0xff41, 0xff50, 1, "abcdefghijklmnop"},
    {0xff51, 0xff5a, 1, "qrstuvwxyz"},
};

/* 0 when the letter looks like none of ours. */
static char look_of(uint32_t letter)
{
    if (letter < 0x80) {
        return (char)letter;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (letter >= rows[i].first && letter <= rows[i].last &&
            (letter - rows[i].first) % rows[i].step == 0) {
            return rows[i].looks[(letter - rows[i].first) / rows[i].step];
        }
    }
    return 0;
}

struct label {
    uint32_t letters[LABEL_MAX];
    size_t count;
};

static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
    uint32_t k = 0;
    delta = first ? delta / 700 : delta / 2;
    delta += delta / points;
    for (; delta > 455; k += 36) {
        delta /= 35;
    }
    return k + 36 * delta / (delta + 38);
}

static int digit_of(uint8_t octet)
{
    return octet >= 'a' && octet <= 'z'   ? octet - 'a'
           : octet >= '0' && octet <= '9' ? octet - '0' + 26
                                          : -1;
}

/* One generalized variable-length integer (RFC 3492 section 6.2), added to *sum. */
static bool read_delta(const uint8_t **at, const uint8_t *end, uint32_t bias, uint32_t *sum)
{
    uint32_t weight = 1;
    for (uint32_t k = 36; *at < end; k += 36) {
        int digit = digit_of(*(*at)++);
        uint32_t least = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
        if (digit < 0 || (uint64_t)*sum + (uint64_t)digit * weight > UINT32_MAX / 2) {
            return false;
        }
        *sum += (uint32_t)digit * weight;
        if ((uint32_t)digit < least) {
            return true;
        }
        if (weight > UINT32_MAX / 36) {
            return false;
        }
        weight *= 36 - least;
    }
    return false;
}

/* What stands behind "xn--". */
static bool decode_punycode(const uint8_t *text, size_t len, struct label *label)
{
    uint32_t letter = 0x80, sum = 0, bias = 72;
    const uint8_t *dash = memrchr(text, '-', len);
    const uint8_t *at = dash ? dash + 1 : text, *end = text + len;
    for (const uint8_t *basic = text; dash && basic < dash; basic++) {
        label->letters[label->count++] = *basic;
    }
    while (at < end && label->count < LABEL_MAX) {
        uint32_t before = sum;
        if (!read_delta(&at, end, bias, &sum)) {
            return false;
        }
        uint32_t points = (uint32_t)label->count + 1;
        bias = adapt(sum - before, points, before == 0);
        letter += sum / points;
        sum %= points;
        memmove(&label->letters[sum + 1], &label->letters[sum],
                (label->count - sum) * sizeof(label->letters[0]));
        label->letters[sum++] = letter;
        label->count++;
    }
    return at == end;
}

/* Raw UTF-8; what is none is no letter of ours. */
static bool decode_utf8(const uint8_t *text, size_t len, struct label *label)
{
    for (size_t i = 0; i < len;) {
        uint8_t lead = text[i];
        size_t more = lead < 0x80       ? 0
                      : lead >> 5 == 6  ? 1
                      : lead >> 4 == 14 ? 2
                      : lead >> 3 == 30 ? 3
                                        : 9;
        uint32_t letter = more ? lead & (0x3fU >> more) : lead;
        if (more == 9 || i + more >= len) {
            return false;
        }
        for (size_t k = 1; k <= more; k++) {
            letter = letter << 6 | (text[i + k] & 0x3f);
        }
        label->letters[label->count++] = letter;
        i += more + 1;
    }
    return true;
}

static bool is_encoded(const uint8_t *text, size_t len)
{
    return len > 4 && memcmp(text, "xn--", 4) == 0;
}

/* Is an octet not ASCII? Eight at a time: every name that is allowed comes by here. */
static bool is_high(const uint8_t *octets, size_t len)
{
    uint64_t all = 0;
    size_t at = 0;
    for (; at + 8 <= len; at += 8) {
        uint64_t word;
        memcpy(&word, octets + at, 8);
        all |= word;
    }
    for (; at < len; at++) {
        all |= octets[at];
    }
    return all & UINT64_C(0x8080808080808080);
}

static bool is_foreign(const uint8_t *text, size_t len)
{
    return is_encoded(text, len) || is_high(text, len);
}

static bool has_foreign(const struct dname *name)
{
    bool encoded = false;
    for (unsigned i = 0; i < name->labels; i++) {
        const uint8_t *label = name->wire + name->offset[i];
        encoded |= is_encoded(label + 1, label[0]);
    }
    return encoded || is_high(name->wire, name->len); /* lengths are below 64 */
}

/* Append the label as it looks; false when some letter looks like none of ours. */
static bool put_label(const uint8_t *text, size_t len, uint8_t *wire, size_t *used)
{
    struct label label = {.count = 0};
    size_t start = (*used)++;
    bool good = is_encoded(text, len) ? decode_punycode(text + 4, len - 4, &label)
                                      : decode_utf8(text, len, &label);
    for (size_t i = 0; good && i < label.count; i++) {
        char look = look_of(label.letters[i]);
        wire[(*used)++] = (uint8_t)look;
        good = look != 0;
    }
    wire[start] = (uint8_t)label.count;
    return good && label.count > 0;
}

bool lookalike_find(const struct dname *name, struct dname *ret_plain)
{
    uint8_t wire[2 * DNAME_WIRE_MAX];
    size_t used = 0, pos = 0;
    if (!has_foreign(name)) {
        return false;
    }
    for (size_t at = 0; name->wire[at]; at += name->wire[at] + 1U) {
        const uint8_t *text = name->wire + at + 1;
        size_t len = name->wire[at];
        if (!is_foreign(text, len)) {
            memcpy(wire + used, name->wire + at, len + 1);
            used += len + 1;
        } else if (!put_label(text, len, wire, &used)) {
            return false;
        }
    }
    wire[used++] = 0;
    return used <= DNAME_WIRE_MAX && dname_read(wire, used, &pos, ret_plain) == 0;
}
