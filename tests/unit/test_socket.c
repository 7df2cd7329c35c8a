// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "listen/socket.h"

static int option_of(int fd, int level, int option)
{
    int value = -1;
    socklen_t len = sizeof(value);
    assert_int_equal(getsockopt(fd, level, option, &value, &len), 0);
    return value;
}

static int open_udp(const char *text)
{
    struct addr addr;
    struct diag diag = {0};
    assert_int_equal(addr_parse(text, &addr), 0);
    return socket_open_udp(&addr, &diag);
}

static void udp_sockets_ignore_what_the_path_is_said_to_carry(void **state)
{
    (void)state;
    int fd = open_udp("127.0.0.1");
    assert_true(fd >= 0);
    assert_int_equal(option_of(fd, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_OMIT);
    assert_int_equal(option_of(fd, SOL_SOCKET, SO_REUSEPORT), 1);
    assert_int_equal(option_of(fd, IPPROTO_IP, IP_PKTINFO), 0);
    close(fd);
    fd = open_udp("::1");
    if (fd >= 0) {
        assert_int_equal(option_of(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER), IPV6_PMTUDISC_OMIT);
        assert_int_equal(option_of(fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
        close(fd);
    }
}

static void wildcard_sockets_learn_which_address_was_asked(void **state)
{
    (void)state;
    int fd = open_udp("0.0.0.0");
    assert_true(fd >= 0);
    assert_int_equal(option_of(fd, IPPROTO_IP, IP_PKTINFO), 1);
    close(fd);
    fd = open_udp("::");
    if (fd >= 0) {
        assert_int_equal(option_of(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO), 1);
        close(fd);
    }
}

static void an_address_that_is_not_ours_is_refused_with_a_remedy(void **state)
{
    (void)state;
    struct addr addr;
    struct diag diag = {0};
    assert_int_equal(addr_parse_port("192.0.2.1:5353", 53, &addr), 0);
    assert_int_equal(socket_open_udp(&addr, &diag), -EADDRNOTAVAIL);
    assert_non_null(strstr(diag.text, "192.0.2.1:5353"));
    assert_non_null(strstr(diag.text, "dns.listen"));
    assert_int_equal(socket_open_tcp(&addr, &diag), -EADDRNOTAVAIL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(udp_sockets_ignore_what_the_path_is_said_to_carry),
        cmocka_unit_test(wildcard_sockets_learn_which_address_was_asked),
        cmocka_unit_test(an_address_that_is_not_ours_is_refused_with_a_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
