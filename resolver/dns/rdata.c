// SPDX-License-Identifier: Apache-2.0
#include "dns/rdata.h"

#include <errno.h>

#include "dns/svcb.h"

/* The shape of a type's data, a character for each field:
 *   1-9  so many octets            s  a character string, perhaps empty
 *   c    a name that older servers may compress (RFC 3597 section 4: NAPTR, SIG, NXT too)
 *   n    a name that must be plain: a pointer would lead nowhere in what we write
 * and at the end
 *   r    any octets   R  at least one   S  at least one character string
 *   b    the bitmap of types (RFC 4034 section 4.1.2)
 *   a    address prefixes (RFC 3123)   p  service parameters (RFC 9460)
 *   d    the type of a digest, and the digest   l  a place (RFC 1876)
 *   t    a tag of letters and digits, then any octets (RFC 8659) */
static const struct {
    uint16_t type;
    const char *shape;
} shapes[] = {
    {1, "4"},    {2, "c"},    {3, "c"},    {4, "c"},     {5, "c"},    {6, "cc488"}, {7, "c"},
    {8, "c"},    {9, "c"},    {12, "c"},   {13, "ss"},   {14, "cc"},  {15, "2c"},   {16, "S"},
    {17, "cc"},  {18, "2c"},  {19, "s"},   {20, "S"},    {21, "2c"},  {24, "99cr"}, {25, "4r"},
    {26, "2cc"}, {27, "sss"}, {28, "88"},  {29, "l"},    {30, "cr"},  {33, "6c"},   {35, "4sssc"},
    {36, "2c"},  {37, "5r"},  {39, "c"},   {42, "a"},    {43, "3d"},  {44, "2R"},   {46, "99nR"},
    {47, "nb"},  {48, "4R"},  {49, "R"},   {50, "4ssb"}, {51, "4s"},  {52, "3R"},   {53, "3R"},
    {58, "nn"},  {59, "3d"},  {60, "4R"},  {61, "R"},    {62, "6b"},  {63, "6R"},   {64, "2np"},
    {65, "2np"}, {99, "S"},   {104, "28"}, {105, "24"},  {106, "28"}, {107, "2n"},  {108, "6"},
    {109, "8"},  {256, "4R"}, {257, "1t"}, {258, "S"},   {261, "S"},
};

static const char *find_shape(uint16_t type)
{
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        if (shapes[i].type == type) {
            return shapes[i].shape;
        }
    }
    return "r";
}

static size_t left(const struct reader *in)
{
    return in->len - in->pos;
}

static void take_string(struct reader *in)
{
    const uint8_t *size = reader_take(in, 1);
    (void)reader_take(in, size ? *size : 0);
}

static void take_strings(struct reader *in)
{
    do {
        take_string(in);
    } while (!in->bad && left(in));
}

/* Labels up to the root, without compression. */
static void take_name(struct reader *in)
{
    size_t start = in->pos;
    const uint8_t *label;
    do {
        label = reader_take(in, 1);
        in->bad |= !label || *label > 63 || !reader_take(in, *label);
    } while (!in->bad && *label);
    in->bad |= in->pos - start > DNAME_WIRE_MAX;
}

/* Blocks in rising order, none of them empty. */
static void take_bitmap(struct reader *in)
{
    int last = -1;
    while (!in->bad && left(in)) {
        const uint8_t *head = reader_take(in, 2);
        const uint8_t *bits = head ? reader_take(in, head[1]) : NULL;
        in->bad |= !bits || head[0] <= last || head[1] < 1 || head[1] > 32;
        last = head ? head[0] : last;
    }
}

static void take_prefixes(struct reader *in)
{
    while (!in->bad && left(in)) {
        uint16_t family = reader_u16(in);
        const uint8_t *head = reader_take(in, 2);
        size_t size = head ? head[1] & 0x7f : 0, most = family == 1 ? 4 : family == 2 ? 16 : 127;
        in->bad |= !reader_take(in, size) || size > most || head[0] > most * 8;
    }
}

static void take_tag(struct reader *in)
{
    const uint8_t *size = reader_take(in, 1);
    const uint8_t *tag = size ? reader_take(in, *size) : NULL;
    in->bad |= !tag || *size == 0;
    for (size_t i = 0; tag && i < *size; i++) {
        uint8_t octet = octet_fold(tag[i]);
        in->bad |= !((octet >= 'a' && octet <= 'z') || (octet >= '0' && octet <= '9'));
    }
}

/* Digests have one length each (RFC 4034 section 5.1.4 and later); a CDS that asks for
 * none has a single octet (RFC 8078 section 4). */
static void take_digest(struct reader *in)
{
    static const uint8_t sizes[] = {1, 20, 32, 32, 48};
    const uint8_t *type = reader_take(in, 1);
    size_t size = type && *type < sizeof(sizes) ? sizes[*type] : left(in);
    in->bad |= !reader_take(in, size) || size == 0;
}

/* Powers of ten as two digits, then angles around 2^31 in thousandths of a second. */
static void take_place(struct reader *in)
{
    if (left(in) && in->data[in->pos]) { /* of another version */
        in->pos = in->len;
        return;
    }
    const uint8_t *at = reader_take(in, 16);
    for (unsigned i = 1; at && i < 4; i++) {
        in->bad |= at[i] >> 4 > 9 || (at[i] & 15) > 9;
    }
    for (unsigned i = 1; at && i < 3; i++) {
        int64_t angle = (int64_t)load_u32(at + 4 * (size_t)i) - 0x80000000LL;
        int64_t most = i * 90 * 3600000LL;
        in->bad |= angle > most || angle < -most;
    }
}

/* One field; `out` has got what stands before in->pos, but for names that are expanded. */
static void take_field(struct reader *in, char field)
{
    switch (field) {
    case 's': take_string(in); break;
    case 'n': take_name(in); break;
    case 'S': take_strings(in); break;
    case 'b': take_bitmap(in); break;
    case 'a': take_prefixes(in); break;
    case 't': take_tag(in); break;
    case 'd': take_digest(in); break;
    case 'l': take_place(in); break;
    case 'p': in->bad |= svcb_check(in->data + in->pos, left(in)) < 0; break;
    case 'R': in->bad |= left(in) == 0; break;
    case 'r': break;
    default: (void)reader_take(in, (size_t)(field - '0'));
    }
    bool open = field == 'R' || field == 'r' || field == 'p' || field == 't';
    if (open && !in->bad) {
        in->pos = in->len;
    }
}

static void copy_name(struct reader *in, struct wire *out)
{
    const struct packet view = {in->data, in->len}; /* it may begin before, but must end inside */
    uint8_t name[DNAME_WIRE_MAX];
    size_t len;
    if (in->bad || rr_expand_name(&view, &in->pos, name, &len) < 0) {
        in->bad = true;
        return;
    }
    wire_put(out, name, len);
}

int rdata_copy(const struct packet *packet, const struct rr *rr, struct wire *out)
{
    struct reader in = {.data = packet->data, .len = rr->end, .pos = rr->rdata};
    for (const char *field = find_shape(rr->type); *field && !in.bad; field++) {
        size_t start = in.pos;
        if (*field == 'c') {
            copy_name(&in, out);
        } else {
            take_field(&in, *field);
            wire_put(out, in.data + start, in.bad ? 0 : in.pos - start);
        }
    }
    if (in.bad || left(&in)) {
        return -EBADMSG;
    }
    return out->full ? -ENOBUFS : 0;
}
