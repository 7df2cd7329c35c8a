// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "listen/census.h"

static struct addr addr_of(const char *text)
{
    struct addr addr;
    assert_int_equal(addr_parse(text, &addr), 0);
    return addr;
}

static void clients_are_counted_apart_and_leave_no_trace(void **state)
{
    (void)state;
    struct census *census = census_new();
    struct addr one = addr_of("192.0.2.1"), other = addr_of("192.0.2.2");
    assert_non_null(census);
    assert_int_equal(census_join(census, &one), 1);
    assert_int_equal(census_join(census, &one), 2);
    assert_int_equal(census_join(census, &other), 1);
    census_leave(census, &one);
    assert_int_equal(census_join(census, &one), 2);
    census_free(census);
}

static void addresses_of_an_ipv6_network_count_apart_and_a_little_together(void **state)
{
    (void)state;
    struct census *census = census_new();
    struct addr one = addr_of("2001:db8:0:1::1"), near = addr_of("2001:db8:0:1:ffff::2");
    struct addr far = addr_of("2001:db8:0:2::1");
    assert_int_equal(census_join(census, &one), 1);
    assert_int_equal(census_join(census, &one), 2);
    assert_int_equal(census_join(census, &near), 1);
    for (unsigned i = 3; i < 4 * CENSUS_NETWORK; i++) {
        struct addr other = near;
        other.bytes[15] = (uint8_t)(100 + i);
        assert_int_equal(census_join(census, &other), i / CENSUS_NETWORK + 1);
    }
    census_leave(census, &near);
    assert_int_equal(census_join(census, &near), 4);
    assert_int_equal(census_join(census, &far), 1);
    census_free(census);
}

static void hundreds_of_clients_are_not_mistaken_for_each_other(void **state)
{
    (void)state;
    struct census *census = census_new();
    unsigned wrong = 0;
    for (unsigned i = 0; i < 512; i++) {
        char text[32];
        snprintf(text, sizeof(text), "10.0.%u.%u", i >> 8, i & 255);
        struct addr client = addr_of(text);
        wrong += census_join(census, &client) != 1;
    }
    assert_true(wrong < 16); /* both counters shared: 512 times (1/8)^2 at the very most */
    census_free(census);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_are_counted_apart_and_leave_no_trace),
        cmocka_unit_test(addresses_of_an_ipv6_network_count_apart_and_a_little_together),
        cmocka_unit_test(hundreds_of_clients_are_not_mistaken_for_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
