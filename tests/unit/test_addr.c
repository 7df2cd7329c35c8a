// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/addr.h"

struct row {
    const char *text;
    bool public;
};

/* Both ends of each special block, and what lies beside it. */
static const struct row rows[] = {
    {"0.0.0.0", false},
    {"1.0.0.0", true},
    {"9.255.255.255", true},
    {"10.0.0.0", false},
    {"10.255.255.255", false},
    {"11.0.0.0", true},
    {"100.63.255.255", true},
    {"100.64.0.0", false},
    {"100.127.255.255", false},
    {"100.128.0.0", true},
    {"127.0.0.1", false},
    {"128.0.0.1", true},
    {"169.253.255.255", true},
    {"169.254.169.254", false},
    {"169.255.0.0", true},
    {"172.15.255.255", true},
    {"172.16.0.0", false},
    {"172.31.255.255", false},
    {"172.32.0.0", true},
    {"192.0.0.8", false},
    {"192.0.2.1", false},
    {"192.0.3.1", true},
    {"192.167.1.1", true},
    {"192.168.1.1", false},
    {"198.17.255.255", true},
    {"198.18.0.0", false},
    {"198.51.100.7", false},
    {"203.0.113.7", false},
    {"223.255.255.255", true},
    {"224.0.0.251", false},
    {"239.255.255.250", false},
    {"240.0.0.1", false},
    {"255.255.255.255", false},
    {"::", false},
    {"::1", false},
    {"::ffff:127.0.0.1", false},
    {"::ffff:8.8.8.8", true},
    {"::7f00:1", false},
    {"64:ff9b::8.8.8.8", true},
    {"64:ff9b::10.0.0.1", false},
    {"64:ff9b:1::1", false},
    {"100::1", false},
    {"2000::1", true},
    {"2001::1", false},
    {"2001:200::1", true},
    {"2001:db7::1", true},
    {"2001:db8::1", false},
    {"2002:7f00:1::1", false},
    {"2606:4700::1", true},
    {"3fff:1::1", false},
    {"3fff:1000::1", true},
    {"4000::1", false},
    {"fc00::1", false},
    {"fdff::1", false},
    {"fe80::1", false},
    {"fec0::1", false},
    {"ff02::fb", false},
};

static void addresses_that_anybody_can_reach(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct addr addr;
        assert_int_equal(addr_parse(rows[i].text, &addr), 0);
        if (addr_is_public(&addr) != rows[i].public) {
            fail_msg("%s", rows[i].text);
        }
    }
    assert_false(addr_is_public(&(struct addr){0}));
}

static void addresses_inside_are_told_from_those_outside(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool internal;
    } cases[] = {
        {"0.0.0.0", true},
        {"10.255.0.1", true},
        {"100.64.0.1", true},
        {"100.128.0.1", false},
        {"127.9.9.9", true},
        {"169.254.1.1", true},
        {"172.15.0.1", false},
        {"172.31.255.255", true},
        {"192.168.0.1", true},
        {"192.169.0.1", false},
        {"192.0.2.1", false},
        {"8.8.8.8", false},
        {"::", true},
        {"::1", true},
        {"fe80::1", true},
        {"fec0::1", true},
        {"fd12::1", true},
        {"fc00::1", true},
        {"2001:db8::1", false},
        {"2606:4700::1", false},
        {"64:ff9b::7f00:1", true},
        {"64:ff9b::808:808", false},
        {"64:ff9b:1::a00:1", true},
        {"64:ff9b:1::808:808", false},
        {"2002:c0a8:101::1", true},
        {"2002:808:808::1", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct addr addr;
        assert_int_equal(addr_parse(cases[i].text, &addr), 0);
        if (addr_is_internal(&addr) != cases[i].internal) {
            fail_msg("%s", cases[i].text);
        }
    }
    struct addr mapped = {.family = AF_INET6, .bytes = {[10] = 0xff, 0xff, 192, 168, 0, 1}};
    assert_true(addr_is_internal(&mapped));
    mapped.bytes[12] = 8;
    assert_false(addr_is_internal(&mapped));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_inside_are_told_from_those_outside),
        cmocka_unit_test(addresses_that_anybody_can_reach),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
