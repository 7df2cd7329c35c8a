// SPDX-License-Identifier: Apache-2.0
/* What the largest answers of a hostile upstream cost: not many times what is in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "dns/answer.h"
#include "dns/chain.h"

enum {
    LABELS = DNAME_LABELS_MAX,
    RECORDS = ANSWER_RECORDS_MAX - CHAIN_LINKS_MAX - 1,
    TYPE_UNKNOWN = 65280,
    TIMES = 5,
    RATIO = 5, /* a walk for each link made about 20 of it */
};

static struct answer_room room;
static uint8_t octets[DNS_MESSAGE_MAX];

/* The longest name there is, which differs from others by its last label alone. */
static struct dname make_name(char last)
{
    char text[2 * LABELS + 1];
    struct dname name;
    for (unsigned i = 0; i < LABELS; i++) {
        text[2 * i] = i == LABELS - 1 ? last : 'a';
        text[2 * i + 1] = '.';
    }
    text[2 * LABELS] = '\0';
    assert_int_equal(dname_parse(text, &name), 0);
    assert_int_equal(name.len, DNAME_WIRE_MAX);
    return name;
}

static void begin(struct wire *out, const struct ask *ask)
{
    wire_init(out, octets, sizeof(octets));
    wire_put_u16(out, 0);
    wire_put_u16(out, FLAG_QR | FLAG_RA);
    wire_put_u16(out, 1);
    wire_put_u32(out, 0);
    wire_put_u16(out, 0);
    wire_put(out, ask->name.wire, ask->name.len);
    wire_put_u16(out, ask->type);
    wire_put_u16(out, CLASS_IN);
}

struct data {
    const void *octets;
    uint16_t len;
};

/* A record of the answer section; the owner was written before. */
static void add(struct wire *out, size_t owner, uint16_t type, struct data data)
{
    wire_patch_u16(out, 6, (uint16_t)(load_u16(octets + 6) + 1));
    wire_put_u16(out, (uint16_t)(0xc000 | owner));
    wire_put_u16(out, type);
    wire_put_u16(out, CLASS_IN);
    wire_put_u32(out, 300);
    wire_put_u16(out, data.len);
    wire_put(out, data.octets, data.len);
}

static void add_empty(struct wire *out, size_t owner, uint16_t type)
{
    add(out, owner, type, (struct data){"", 0});
}

static void add_address(struct wire *out, size_t owner)
{
    add(out, owner, TYPE_A, (struct data){"\xc0\0\2\1", 4});
}

static void add_cname(struct wire *out, size_t owner, size_t target)
{
    uint8_t pointer[2];
    store_u16(pointer, (uint16_t)(0xc000 | target));
    add(out, owner, TYPE_CNAME, (struct data){pointer, sizeof(pointer)});
}

/* A name that others may point to: the data of a record that nobody asked for. */
static size_t add_name(struct wire *out, const struct dname *name)
{
    add(out, DNS_HEADER, TYPE_UNKNOWN, (struct data){name->wire, name->len});
    return out->len - name->len;
}

struct row {
    const char *behaviour;
    uint16_t type; /* of the many records */
    bool dnssec_ok, backwards;
};

/* Links from the question's name to 'b', 'c' and so on, and an address at the end. */
static void add_chain(struct wire *out, unsigned links, bool backwards)
{
    size_t at[CHAIN_LINKS_MAX + 1] = {DNS_HEADER};
    for (unsigned i = 1; i <= links; i++) {
        struct dname name = make_name((char)('a' + i));
        at[i] = add_name(out, &name);
    }
    add_address(out, at[links]);
    for (unsigned i = 0; i < links; i++) {
        unsigned from = backwards ? links - 1 - i : i;
        add_cname(out, at[from], at[from + 1]);
    }
}

/* The least milliseconds of a few tries, of this thread alone. */
static double measure(const struct row *row, unsigned links)
{
    struct ask ask = {.type = TYPE_A, .dnssec_ok = row->dnssec_ok, .name = make_name('a')};
    struct dname foreign = make_name('z');
    struct wire out;
    double least = 1e9;
    begin(&out, &ask);
    size_t owner = add_name(&out, &foreign);
    add_chain(&out, links, row->backwards);
    while (load_u16(octets + 6) < RECORDS) {
        add_empty(&out, owner, row->type);
    }
    assert_false(out.full);
    const struct answer_source source = {&ask, {octets, out.len}, {0, 86400, 3600, false}};
    for (unsigned i = 0; i < TIMES; i++) {
        struct timespec start, end;
        struct answer answer;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
        assert_int_equal(answer_rebuild(&source, &room, &answer), 0);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
        assert_int_equal(load_u16(answer.wire + 6), links + 1);
        assert_int_equal(answer.told, links);
        double ms =
            (double)(end.tv_sec - start.tv_sec) * 1e3 + (double)(end.tv_nsec - start.tv_nsec) / 1e6;
        least = ms < least ? ms : least;
    }
    return least;
}

static void a_long_chain_costs_little_more_than_none(void **state)
{
    static const struct row rows[] = {
        {"records of a foreign type", TYPE_UNKNOWN, false, false},
        {"records of a foreign type, links backwards", TYPE_UNKNOWN, false, true},
        {"records of a foreign name, links backwards", TYPE_A, false, true},
        {"signatures of a foreign name, links backwards", TYPE_RRSIG, true, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        double none = measure(&rows[i], 0), chain = measure(&rows[i], CHAIN_LINKS_MAX);
        print_message("%s: %.2f ms, with no link %.2f ms\n", rows[i].behaviour, chain, none);
        assert_true(chain < RATIO * none);
    }
}

/* An answer to www.example with so many records of a type at its own name. */
static int rebuild_many(uint16_t type, unsigned records, struct answer *ret_answer)
{
    struct ask ask = {.type = TYPE_A};
    struct wire out;
    assert_int_equal(dname_parse("www.example", &ask.name), 0);
    begin(&out, &ask);
    add_address(&out, DNS_HEADER);
    while (load_u16(octets + 6) < records) {
        if (type == TYPE_CNAME) {
            add_cname(&out, DNS_HEADER, DNS_HEADER + 4); /* to "example" */
        } else {
            add_empty(&out, DNS_HEADER, type);
        }
    }
    const struct answer_source source = {&ask, {octets, out.len}, {0, 86400, 3600, false}};
    return answer_rebuild(&source, &room, ret_answer);
}

static void records_are_limited(void **state)
{
    static const struct {
        const char *behaviour;
        uint16_t type;
        unsigned records;
        int err;
    } rows[] = {
        {"as many records as may be", TYPE_UNKNOWN, ANSWER_RECORDS_MAX, 0},
        {"one more", TYPE_UNKNOWN, ANSWER_RECORDS_MAX + 1, -EBADMSG},
        {"as many aliases as may be", TYPE_CNAME, CHAIN_ALIASES_MAX + 1, 0},
        {"one more", TYPE_CNAME, CHAIN_ALIASES_MAX + 2, -EBADMSG},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct answer answer;
        print_message("%s\n", rows[i].behaviour);
        assert_int_equal(rebuild_many(rows[i].type, rows[i].records, &answer), rows[i].err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_chain_costs_little_more_than_none),
        cmocka_unit_test(records_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
