// SPDX-License-Identifier: Apache-2.0
/* name: domain names in wire form.
 *
 * Labels are octets with lengths (RFC 1035 section 3.1), never C strings. A struct
 * dname is folded to lower case (ASCII only, RFC 4343) when it is read, so that
 * names compare with memcmp and every suffix is a contiguous run of octets. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    DNAME_WIRE_MAX = 255,   /* octets, root label included (RFC 1035 section 2.3.4) */
    DNAME_LABELS_MAX = 127, /* without the root label */
    DNAME_TEXT_MAX = 1024,  /* presentation form with every octet as \DDD, and NUL */
};

struct dname {
    uint8_t len;                      /* octets in wire, 1..255; the root is 1 */
    uint8_t labels;                   /* labels without the root, 0..127 */
    uint8_t wire[DNAME_WIRE_MAX];     /* lower case, ends with the root label */
    uint8_t offset[DNAME_LABELS_MAX]; /* where each label starts; suffix i begins there */
};

/* Text in presentation form (RFC 1035 section 5.1: \. and \DDD), with or without
 * the trailing dot; folded to lower case. -EINVAL: empty label, label over 63 or
 * name over 255 octets, bad escape, octets over 0x7f. "." is the root. */
__attribute__((warn_unused_result)) int dname_parse(const char *text, struct dname *ret_name);

/* The same for a run of len octets that need not be terminated. */
__attribute__((warn_unused_result)) int dname_parse_len(const char *text, size_t len,
                                                        struct dname *ret_name);

/* A name inside a message, compression followed strictly backwards (RFC 1035
 * section 4.1.4). *pos moves behind it. -EBADMSG. */
__attribute__((warn_unused_result)) int dname_read(const uint8_t *packet, size_t len, size_t *pos,
                                                   struct dname *ret_name);

/* Presentation form without the trailing dot ("." for the root); octets outside
 * letters, digits, '-' and '_' as \DDD or \c. Returns out. */
const char *dname_print(const struct dname *name, char out[DNAME_TEXT_MAX]);

/* The same for any uncompressed wire name (a suffix of a dname, say). */
const char *dname_print_wire(const uint8_t *wire, char out[DNAME_TEXT_MAX]);

/* Suffix with `skip` labels taken off, as octets; *ret_len includes the root. */
static inline const uint8_t *dname_suffix(const struct dname *name, unsigned skip, size_t *ret_len)
{
    size_t at = skip < name->labels ? name->offset[skip] : (size_t)name->len - 1;
    *ret_len = name->len - at;
    return name->wire + at;
}

bool dname_equal(const struct dname *a, const struct dname *b);

/* True when name is parent or lies below it. */
bool dname_is_below(const struct dname *name, const struct dname *parent);

static inline uint8_t octet_fold(uint8_t octet)
{
    return octet >= 'A' && octet <= 'Z' ? (uint8_t)(octet | 0x20) : octet;
}

/* The same for eight octets at a time: what is between 'A' and 'Z' carries into its highest
 * bit from the one sum and not from the other. Lengths of labels, below 64, stay. */
static inline void octets_fold(uint8_t *to, const uint8_t *from, size_t len)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    size_t at = 0;
    for (; at + 8 <= len; at += 8) {
        uint64_t word;
        memcpy(&word, from + at, 8);
        uint64_t low = word & 0x7f * each;
        uint64_t upper = (low + (0x80 - 'A') * each) & ~(low + (0x7f - 'Z') * each) & ~word;
        word |= (upper & 0x80 * each) >> 2;
        memcpy(to + at, &word, 8);
    }
    for (; at < len; at++) {
        to[at] = octet_fold(from[at]);
    }
}
