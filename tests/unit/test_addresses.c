// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dns/addresses.h"
#include "dns/answer.h"

static uint8_t octets[512];
static struct wire out;
static char seen[256];

static void begin(void)
{
    static const uint8_t question[] = "\3www\7example";
    wire_init(&out, octets, sizeof(octets));
    wire_put(&out, "\0\0\x81\x80\0\1\0\0\0\0\0\0", DNS_HEADER);
    wire_put(&out, question, sizeof(question));
    wire_put_u32(&out, TYPE_A << 16 | CLASS_IN);
}

static void add(uint16_t type, const void *data, size_t len)
{
    wire_put_u16(&out, 0xc00c);
    wire_put_u16(&out, type);
    wire_put_u16(&out, CLASS_IN);
    wire_put_u32(&out, 60);
    wire_put_u16(&out, (uint16_t)len);
    wire_put(&out, data, len);
    wire_patch_u16(&out, 6, (uint16_t)(load_u16(octets + 6) + 1));
}

static int note(void *context, const struct addr *addr)
{
    char text[ADDR_TEXT_MAX];
    int *left = context;
    strcat(strcat(seen, seen[0] ? " " : ""), addr_print(addr, text));
    return left && --*left == 0 ? -EEXIST : 0;
}

static int note_target(void *context, const struct dname *target)
{
    char text[DNAME_TEXT_MAX];
    (void)context;
    strcat(strcat(seen, seen[0] ? " " : ""), dname_print(target, text));
    return 0;
}

#define IPV4      "\300\0\2\1"
#define IPV6      "\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1"
#define DATA(str) str, sizeof(str) - 1

static void every_address_of_an_answer_is_visited(void **state)
{
    (void)state;
    begin();
    seen[0] = '\0';
    add(TYPE_A, DATA(IPV4));
    add(TYPE_CNAME, DATA("\1a\0"));
    add(TYPE_AAAA, DATA(IPV6));
    /* alpn, two ipv4hints, ech, one ipv6hint */
    add(TYPE_HTTPS, DATA("\0\1\0\0\1\0\3\2h3\0\4\0\10\300\0\2\2\300\0\2\3\0\5\0\1x\0\6\0\20" IPV6));
    add(TYPE_SVCB, DATA("\0\0\3cdn\0"));
    add(TYPE_SVCB, DATA("\0\1\3cdn\7example\0\0\4\0\4\300\0\2\4"));
    assert_int_equal(addresses_walk(octets, out.len, note, NULL), 0);
    assert_string_equal(seen, "192.0.2.1 2001:db8::1 192.0.2.2 192.0.2.3 2001:db8::1 192.0.2.4");
    int left = 3;
    seen[0] = '\0';
    assert_int_equal(addresses_walk(octets, out.len, note, &left), -EEXIST);
    assert_string_equal(seen, "192.0.2.1 2001:db8::1 192.0.2.2");
}

static void targets_of_services_are_targets(void **state)
{
    (void)state;
    begin();
    seen[0] = '\0';
    add(TYPE_HTTPS, DATA("\0\1\0\0\1\0\3\2h3"));
    add(TYPE_HTTPS, DATA("\0\0\3CDN\7example\0"));
    add(TYPE_CNAME, DATA("\1a\0"));
    assert_int_equal(answer_walk_targets(octets, out.len, note_target, NULL), 0);
    assert_string_equal(seen, "cdn.example a");
}

static void damaged_hints_are_errors(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *data;
        size_t len;
    } rows[] = {
        {"nothing", DATA("")},
        {"no target", DATA("\0\1")},
        {"a target cut short", DATA("\0\1\5ab")},
        {"a key cut short", DATA("\0\1\0\0")},
        {"a length cut short", DATA("\0\1\0\0\4\0")},
        {"a value cut short", DATA("\0\1\0\0\4\0\4\300\0\2")},
        {"an odd address", DATA("\0\1\0\0\4\0\3\300\0\2")},
        {"an odd IPv6 address", DATA("\0\1\0\0\6\0\4\300\0\2\1")},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s\n", rows[i].what);
        begin();
        add(TYPE_HTTPS, rows[i].data, rows[i].len);
        assert_int_equal(addresses_walk(octets, out.len, note, NULL), -EBADMSG);
    }
    begin();
    add(TYPE_A, DATA(IPV4));
    for (size_t cut = DNS_HEADER; cut < out.len; cut++) {
        uint8_t *copy = malloc(cut);
        memcpy(copy, octets, cut);
        assert_int_equal(addresses_walk(copy, cut, note, NULL), -EBADMSG);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_address_of_an_answer_is_visited),
        cmocka_unit_test(targets_of_services_are_targets),
        cmocka_unit_test(damaged_hints_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
