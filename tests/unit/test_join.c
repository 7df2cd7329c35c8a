// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "dns/join.h"

enum { WILD = 999 }; /* a type that only has octets */

static struct answer_room rooms[2];
static struct join_room joined;
static const struct answer_limits limits = {0, 86400, 3600, true};

/* A message under construction. */
struct message {
    struct ask ask;
    uint8_t octets[DNS_MESSAGE_MAX];
    struct wire out;
};

static struct message messages[2];

static void put_name(struct wire *out, const char *text)
{
    struct dname name;
    assert_int_equal(dname_parse(text, &name), 0);
    wire_put(out, name.wire, name.len);
}

static struct message *begin(unsigned which, const char *name, uint16_t type, uint16_t flags)
{
    struct message *message = &messages[which];
    message->ask = (struct ask){.type = type, .dnssec_ok = true};
    assert_int_equal(dname_parse(name, &message->ask.name), 0);
    wire_init(&message->out, message->octets, sizeof(message->octets));
    wire_put_u16(&message->out, 0x4242);
    wire_put_u16(&message->out, (uint16_t)(FLAG_QR | FLAG_RA | flags));
    wire_put_u16(&message->out, 1);
    wire_put_u32(&message->out, 0);
    wire_put_u16(&message->out, 0);
    put_name(&message->out, name);
    wire_put_u16(&message->out, type);
    wire_put_u16(&message->out, CLASS_IN);
    return message;
}

/* section: 6 answer, 8 authority (the count's offset). */
static void add(struct message *message, unsigned section, const char *owner, const char *target)
{
    struct wire *out = &message->out;
    put_name(out, owner);
    wire_put_u16(out, target ? TYPE_CNAME : message->ask.type);
    wire_put_u16(out, CLASS_IN);
    wire_put_u32(out, 300);
    wire_put_u16(out, 0);
    size_t start = out->len;
    if (target) {
        put_name(out, target);
    } else {
        wire_put_u32(out, 0xc0000201);
    }
    wire_patch_u16(out, start - 2, (uint16_t)(out->len - start));
    wire_patch_u16(out, section, (uint16_t)(load_u16(message->octets + section) + 1));
}

static void add_other(struct message *message, unsigned section, const char *owner, uint16_t type)
{
    static const uint8_t soa[22] = {0}, nsec[4] = {0, 0, 1, 0x40};
    static const uint8_t signature[20] = {0, TYPE_A};
    size_t len = type == TYPE_SOA ? sizeof(soa) : type == TYPE_NSEC ? sizeof(nsec) : 20;
    struct wire *out = &message->out;
    put_name(out, owner);
    wire_put_u16(out, type);
    wire_put_u16(out, CLASS_IN);
    wire_put_u32(out, 300);
    wire_put_u16(out, (uint16_t)len);
    wire_put(out, type == TYPE_SOA ? soa : type == TYPE_NSEC ? nsec : signature, len);
    wire_patch_u16(out, section, (uint16_t)(load_u16(message->octets + section) + 1));
}

static struct answer rebuild(unsigned which)
{
    struct answer answer;
    const struct message *message = &messages[which];
    const struct answer_source source = {
        &message->ask, {message->octets, message->out.len}, limits};
    assert_int_equal(answer_rebuild(&source, &rooms[which], &answer), 0);
    return answer;
}

static int join(struct answer *ret_answer)
{
    const struct answer first = rebuild(0), second = rebuild(1);
    const struct join_source source = {&messages[0].ask, &first, &second, limits};
    return join_answers(&source, &joined, ret_answer);
}

/* n<from>.example leads over `links` aliases to n<from+links>.example. */
static void add_chain(struct message *message, unsigned from, unsigned links)
{
    for (unsigned i = from; i < from + links; i++) {
        char owner[] = "na.example", target[] = "nb.example";
        owner[1] = (char)('a' + i);
        target[1] = (char)('a' + i + 1);
        add(message, 6, owner, target);
    }
}

static void open_answers_are_told_from_others(void **state)
{
    static const struct {
        const char *behaviour;
        unsigned links;
        uint16_t flags;
        bool data, soa, open;
    } rows[] = {
        {"an alias alone", 1, 0, false, false, true},
        {"three aliases", 3, 0, false, false, true},
        {"with data", 1, 0, true, false, false},
        {"with a denial", 1, 0, false, true, false},
        {"no such name", 1, RCODE_NXDOMAIN, false, false, false},
        {"nothing at all", 0, 0, false, false, false},
        {"data alone", 0, 0, true, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char last[] = "na.example";
        last[1] = (char)(last[1] + rows[i].links);
        struct message *message = begin(0, "na.example", TYPE_A, rows[i].flags);
        add_chain(message, 0, rows[i].links);
        if (rows[i].data) {
            add(message, 6, last, NULL);
        }
        if (rows[i].soa) {
            add_other(message, 8, "example", TYPE_SOA);
        }
        print_message("%s\n", rows[i].behaviour);
        struct answer answer = rebuild(0);
        assert_int_equal(answer.open, rows[i].open);
        assert_int_equal(answer.links, rows[i].links);
        assert_int_equal(answer.told, rows[i].links);
        struct dname name, expected;
        size_t at = answer.last;
        assert_int_equal(dname_parse(last, &expected), 0);
        if (rows[i].links) {
            assert_int_equal(dname_read(answer.wire, answer.len, &at, &name), 0);
            assert_true(dname_equal(&name, &expected));
        }
    }
}

static void types_that_lead_on(void **state)
{
    static const uint16_t yes[] = {TYPE_A, TYPE_AAAA, TYPE_HTTPS, TYPE_DS, TYPE_TXT, TYPE_RESINFO};
    static const uint16_t no[] = {TYPE_CNAME, TYPE_ANY,  TYPE_RRSIG,
                                  TYPE_NSEC,  TYPE_AXFR, TYPE_TKEY};
    (void)state;
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        assert_true(join_follows(yes[i]));
        assert_false(join_follows(no[i]));
    }
}

static void two_answers_are_one(void **state)
{
    static const struct {
        const char *behaviour;
        uint16_t first, second, flags;
    } rows[] = {
        {"AD of both", FLAG_AD, FLAG_AD, FLAG_AD},
        {"AD of the first", FLAG_AD, 0, 0},
        {"AD of the second", 0, FLAG_AD, 0},
        {"no such name", FLAG_AD, RCODE_NXDOMAIN, RCODE_NXDOMAIN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct answer answer;
        print_message("%s\n", rows[i].behaviour);
        add_chain(begin(0, "na.example", TYPE_A, rows[i].first), 0, 2);
        struct message *second = begin(1, "nc.example", TYPE_A, rows[i].second);
        bool gone = rows[i].second == RCODE_NXDOMAIN;
        if (gone) {
            add_other(second, 8, "example", TYPE_SOA);
        } else {
            add(second, 6, "nc.example", NULL);
        }
        assert_int_equal(join(&answer), 0);
        assert_int_equal(load_u16(answer.wire + 2) & (FLAG_AD | 0xf), rows[i].flags);
        assert_int_equal(load_u16(answer.wire + 6), gone ? 2 : 3);
        assert_int_equal(load_u16(answer.wire + 8), gone ? 1 : 0);
        assert_int_equal(answer.negative, gone);
        assert_int_equal(answer.ttl, gone ? 0 : 300); /* the SOA's last field */
        assert_false(answer.open);
    }
}

/* Of the first message nothing of the last name is taken, and of its denials what DO asks. */
static void the_first_says_nothing_of_the_last_name(void **state)
{
    struct answer answer;
    (void)state;
    struct message *first = begin(0, "na.example", TYPE_A, 0);
    add_chain(first, 0, 1);
    add_other(first, 6, "nb.example", TYPE_RRSIG);
    add_other(first, 8, "0.example", TYPE_NSEC);
    add(begin(1, "nb.example", TYPE_A, 0), 6, "nb.example", NULL);
    assert_int_equal(join(&answer), 0);
    assert_int_equal(load_u16(answer.wire + 6), 2);
    assert_int_equal(load_u16(answer.wire + 8), 1);
}

static void a_second_that_ends_in_an_alias_is_open(void **state)
{
    struct answer answer;
    (void)state;
    add_chain(begin(0, "na.example", TYPE_A, 0), 0, 1);
    add_chain(begin(1, "nb.example", TYPE_A, 0), 1, 2);
    assert_int_equal(join(&answer), 0);
    assert_true(answer.open);
    assert_int_equal(answer.links, 3);
    begin(1, "nb.example", TYPE_A, 0);
    assert_int_equal(join(&answer), 0);
    assert_false(answer.open); /* it had its say */
}

static void circles_and_long_chains_end(void **state)
{
    static const struct {
        const char *behaviour;
        unsigned first, second;
        const char *back;
        int err;
    } rows[] = {
        {"eight links", 4, 4, NULL, 0},
        {"nine links", 4, 5, NULL, -ELOOP},
        {"back to the first name", 2, 1, "na.example", -EBADMSG},
        {"back into the middle", 3, 0, "nb.example", -EBADMSG},
        {"elsewhere", 3, 0, "other.example", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct answer answer;
        char middle[] = "na.example", last[] = "na.example";
        middle[1] = (char)(middle[1] + rows[i].first);
        last[1] = (char)(middle[1] + rows[i].second);
        print_message("%s\n", rows[i].behaviour);
        add_chain(begin(0, "na.example", TYPE_A, 0), 0, rows[i].first);
        struct message *second = begin(1, middle, TYPE_A, 0);
        add_chain(second, rows[i].first, rows[i].second);
        if (rows[i].back) {
            add(second, 6, last, rows[i].back);
        }
        assert_int_equal(join(&answer), rows[i].err);
    }
}

/* 4,000 records are 56 KB when their owners are compressed. */
static void what_does_not_fit_is_refused(void **state)
{
    static const struct {
        const char *behaviour;
        unsigned records;
        int err;
    } rows[] = {{"as many as fit", 4000, 0}, {"too many", 4096, -EBADMSG}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct answer answer;
        print_message("%s\n", rows[i].behaviour);
        add_chain(begin(0, "na.example", WILD, 0), 0, 1);
        struct message *second = begin(1, "nb.example", WILD, 0);
        for (unsigned n = 0; n < rows[i].records; n++) {
            wire_put_u16(&second->out, 0xc000 | DNS_HEADER);
            wire_put_u16(&second->out, WILD);
            wire_put_u16(&second->out, CLASS_IN);
            wire_put_u32(&second->out, 300);
            wire_put_u16(&second->out, 2);
            wire_put_u16(&second->out, (uint16_t)n);
        }
        wire_patch_u16(&second->out, 6, (uint16_t)rows[i].records);
        assert_false(second->out.full);
        assert_int_equal(join(&answer), rows[i].err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_answers_are_told_from_others),
        cmocka_unit_test(types_that_lead_on),
        cmocka_unit_test(two_answers_are_one),
        cmocka_unit_test(the_first_says_nothing_of_the_last_name),
        cmocka_unit_test(a_second_that_ends_in_an_alias_is_open),
        cmocka_unit_test(circles_and_long_chains_end),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
