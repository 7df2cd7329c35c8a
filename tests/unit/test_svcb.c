// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "dns/rr.h"
#include "dns/svcb.h"

enum { ROOM = 4096 };

/* An answer about example. with one record a row. */
struct record {
    uint16_t type;
    const char *data;
    size_t len;
};

static struct packet make(uint8_t room[ROOM], const struct record *records, size_t count)
{
    static const uint8_t name[] = "\7example";
    struct wire out;
    wire_init(&out, room, ROOM);
    wire_put_u16(&out, 0x1234);
    wire_put_u16(&out, FLAG_QR | FLAG_AD);
    wire_put_u16(&out, 1);
    wire_put_u16(&out, (uint16_t)count);
    wire_put_u32(&out, 0);
    wire_put(&out, name, sizeof(name));
    wire_put_u16(&out, TYPE_HTTPS);
    wire_put_u16(&out, CLASS_IN);
    for (size_t i = 0; i < count; i++) {
        wire_put_u16(&out, 0xc00c);
        wire_put_u16(&out, records[i].type);
        wire_put_u16(&out, CLASS_IN);
        wire_put_u32(&out, 300);
        wire_put_u16(&out, (uint16_t)records[i].len);
        wire_put(&out, records[i].data, records[i].len);
    }
    assert_false(out.full);
    return (struct packet){room, out.len};
}

#define DATA(text) text, sizeof(text) - 1
#define ECH        "\0\5\0\2xy"
#define ALPN       "\0\1\0\3\2h2"

/* Signatures over what was changed go, others stay; the answer is no longer authentic. */
static void signatures_over_what_was_changed_go(void **state)
{
    (void)state;
    uint8_t in[ROOM], room[ROOM];
    struct wire out;
    const struct record records[] = {
        {TYPE_HTTPS, DATA("\0\1\0" ALPN ECH)},
        {TYPE_HTTPS, DATA("\0\2\0" ALPN)},
        {TYPE_RRSIG, DATA("\0\x41\x0d\1\0\0\0\1\0\0\0\2\0\0\0\1\0\1\0sig")},
        {TYPE_RRSIG, DATA("\0\5\x0d\1\0\0\0\1\0\0\0\2\0\0\0\1\0\1\0sig")},
    };
    struct packet answer = make(in, records, 4);
    wire_init(&out, room, sizeof(room));
    assert_int_equal(svcb_strip_ech(&answer, &out), 1);
    assert_int_equal(load_u16(room + 6), 3);
    assert_int_equal(load_u16(room + 2), FLAG_QR);
    assert_null(memmem(room, out.len, DATA(ECH)));
    assert_non_null(memmem(room, out.len, DATA("\0\1\0" ALPN)));
    assert_non_null(memmem(room, out.len, DATA("\0\2\0" ALPN)));
    struct wire again;
    uint8_t more[ROOM];
    const struct packet stripped = {room, out.len};
    wire_init(&again, more, sizeof(more));
    assert_int_equal(svcb_strip_ech(&stripped, &again), 0);
}

static void damaged_bindings_are_told(void **state)
{
    (void)state;
    static const struct record wrong[] = {
        {TYPE_HTTPS, DATA("\0\1\0" ECH ALPN)},
        {TYPE_HTTPS, DATA("\0\1\0" ECH ECH)},
        {TYPE_HTTPS, DATA("\0\1\0\0\5\0\3xy")},
        {TYPE_HTTPS, DATA("\0\1\0\0\5\0")},
        {TYPE_HTTPS, DATA("\0\1\0\0\0\0\3\0\5\0" ECH)},
        {TYPE_HTTPS, DATA("\0\1\0\0\0\0\0" ECH)},
        {TYPE_HTTPS, DATA("\0\1\0\0\5")},
        {TYPE_HTTPS, DATA("\0\1\0\0")},
        {TYPE_HTTPS, DATA("\0\1\77ab")},
        {TYPE_HTTPS, DATA("\0\1")},
        {TYPE_HTTPS, DATA("\0")},
        {TYPE_SVCB, DATA("")},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        uint8_t in[ROOM], room[ROOM];
        struct wire out;
        struct packet answer = make(in, &wrong[i], 1);
        wire_init(&out, room, sizeof(room));
        if (svcb_strip_ech(&answer, &out) != -EBADMSG) {
            fail_msg("row %zu", i);
        }
    }
}

/* Octets turned over: nothing is read or written outside, and what comes out is clean. */
static void any_octets_are_survived(void **state)
{
    (void)state;
    const struct record records[] = {
        {TYPE_HTTPS, DATA("\0\1\3foo\7example\0\0\0\0\4\0\1\0\5" ALPN "\0\4\0\4\1\2\3\4" ECH)},
        {TYPE_RRSIG, DATA("\0\x41\x0d\1\0\0\0\1\0\0\0\2\0\0\0\1\0\1\0sig")}};
    uint32_t seed = 7;
    for (unsigned round = 0; round < 100000; round++) {
        uint8_t in[ROOM], room[ROOM], more[ROOM];
        struct wire out, again;
        struct packet answer = make(in, records, 2);
        for (unsigned i = 0; i < 3; i++) {
            seed = seed * 1664525 + 1013904223;
            in[seed % answer.len] = (uint8_t)(seed >> 24);
        }
        answer.len -= round % 4 == 0 ? (seed >> 8) % answer.len : 0;
        if (answer.len < DNS_HEADER) {
            continue;
        }
        wire_init(&out, room, sizeof(room));
        wire_init(&again, more, sizeof(more));
        if (svcb_strip_ech(&answer, &out) == 1) {
            const struct packet stripped = {room, out.len};
            assert_true(out.len <= answer.len + 2 * DNAME_WIRE_MAX);
            assert_int_equal(svcb_strip_ech(&stripped, &again), 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_over_what_was_changed_go),
        cmocka_unit_test(damaged_bindings_are_told),
        cmocka_unit_test(any_octets_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
