// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "upstream/cookie.h"

static struct addr address(const char *text)
{
    struct addr addr;
    assert_int_equal(addr_parse(text, &addr), 0);
    return addr;
}

/* RFC 9018 section 3 */
static void another_address_of_ours_gets_another_cookie(void **state)
{
    (void)state;
    struct server server = {0};
    struct addr home = address("192.0.2.1"), away = address("2001:db8::1");
    struct ask_verdict verdict = {.cookie_len = 24};
    struct ask_extras first, same, other;
    cookie_leave_from(&server, &home);
    cookie_put(&server, &first);
    assert_int_equal(first.cookie_len, ASK_COOKIE_CLIENT);
    memcpy(verdict.cookie, first.cookie, ASK_COOKIE_CLIENT);
    assert_int_equal(cookie_take(&server, first.cookie, &verdict), COOKIE_RIGHT);
    home.port = 4711;
    cookie_leave_from(&server, &home);
    cookie_put(&server, &same);
    assert_int_equal(same.cookie_len, 24);
    assert_memory_equal(same.cookie, first.cookie, ASK_COOKIE_CLIENT);
    cookie_leave_from(&server, &away);
    cookie_put(&server, &other);
    assert_int_equal(other.cookie_len, ASK_COOKIE_CLIENT);
    assert_memory_not_equal(other.cookie, first.cookie, ASK_COOKIE_CLIENT);
    /* What was asked from the old address is still answered, and teaches nothing. */
    assert_int_equal(cookie_take(&server, first.cookie, &verdict), COOKIE_RIGHT);
    assert_int_equal(server.cookie_len, ASK_COOKIE_CLIENT);
    assert_int_equal(cookie_take(&server, other.cookie, &verdict), COOKIE_WRONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_address_of_ours_gets_another_cookie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
