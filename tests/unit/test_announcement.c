// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "tools/announcement.h"

enum { CAP = 600 };

static size_t make_ra(const uint8_t *options, size_t len, uint8_t out[CAP])
{
    memset(out, 0, 16);
    out[0] = 134;
    memcpy(out + 16, options, len);
    return 16 + len;
}

static size_t make_dhcp(const uint8_t *options, size_t len, uint8_t out[CAP])
{
    memset(out, 0, 240);
    out[0] = 2;
    out[7] = 7; /* the id */
    memcpy(out + 236, "\x63\x82\x53\x63", 4);
    memcpy(out + 240, options, len);
    return 240 + len;
}

static void advertisements_of_routers(void **state)
{
    (void)state;
    uint8_t packet[CAP];
    struct announcement said = {0};
    char text[ADDR_TEXT_MAX];
    uint8_t rdnss[40] = {25, 5, 0, 0, 0, 0, 2, 0, 0x20, 0x01, 0x0d, 0xb8, [23] = 1, 0xfd, [39] = 2};
    size_t len = make_ra(rdnss, sizeof(rdnss), packet);
    assert_int_equal(announcement_read_ra(packet, len, &said), 0);
    assert_int_equal(said.count, 2);
    assert_string_equal(addr_print(&said.resolvers[0], text), "2001:db8::1");
    assert_string_equal(addr_print(&said.resolvers[1], text), "fd00::2");
    memset(rdnss + 4, 0, 4); /* a lifetime of nothing takes them back */
    len = make_ra(rdnss, sizeof(rdnss), packet);
    assert_int_equal(announcement_read_ra(packet, len, &said), 0);
    assert_int_equal(said.count, 0);
    for (size_t cut = 17; cut < len; cut++) {
        assert_int_equal(announcement_read_ra(packet, cut, &said), -EINVAL);
    }
    assert_int_equal(announcement_read_ra(packet, 16, &said), 0); /* no option at all */
    assert_int_equal(announcement_read_ra(packet, 15, &said), -EINVAL);
    static const uint8_t endless[8] = {1, 0};
    len = make_ra(endless, sizeof(endless), packet);
    assert_int_equal(announcement_read_ra(packet, len, &said), -EINVAL);
    packet[0] = 133;
    assert_int_equal(announcement_read_ra(packet, 16, &said), -EINVAL);
}

static void answers_of_dhcp_servers(void **state)
{
    (void)state;
    uint8_t packet[CAP];
    struct announcement said = {0};
    char text[ADDR_TEXT_MAX];
    static const uint8_t options[] = {53, 1, 5, 0, 6, 8, 192, 0, 2, 1, 198, 51, 100, 7, 255, 6, 4};
    size_t len = make_dhcp(options, sizeof(options), packet);
    assert_int_equal(announcement_read_dhcp(packet, len, 7, &said), 0);
    assert_int_equal(said.count, 2);
    assert_string_equal(addr_print(&said.resolvers[1], text), "198.51.100.7");
    assert_int_equal(announcement_read_dhcp(packet, len, 8, &said), -EINVAL);
    assert_int_equal(announcement_read_dhcp(packet, 239, 7, &said), -EINVAL);
    assert_int_equal(announcement_read_dhcp(packet, 240 + 8, 7, &said), -EINVAL); /* cut short */
    assert_int_equal(announcement_read_dhcp(packet, 240 + 5, 7, &said), -EINVAL);
    uint8_t many[200] = {6, 160};
    len = make_dhcp(many, sizeof(many), packet);
    assert_int_equal(announcement_read_dhcp(packet, len, 7, &said), 0);
    assert_int_equal(said.count, ANNOUNCEMENT_RESOLVERS);
    packet[0] = 1;
    assert_int_equal(announcement_read_dhcp(packet, len, 7, &said), -EINVAL);
}

static void a_question_is_no_answer(void **state)
{
    (void)state;
    uint8_t packet[ANNOUNCEMENT_INFORM];
    struct announcement said;
    struct addr own;
    assert_int_equal(addr_parse("192.0.2.1", &own), 0);
    announcement_make_inform(&own, 0x01020304, packet);
    assert_memory_equal(packet + 4, "\1\2\3\4", 4);
    assert_memory_equal(packet + 12, "\xc0\0\2\1", 4);
    assert_int_equal(packet[242], 8);
    assert_int_equal(announcement_read_dhcp(packet, sizeof(packet), 0x01020304, &said), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(advertisements_of_routers),
        cmocka_unit_test(answers_of_dhcp_servers),
        cmocka_unit_test(a_question_is_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
