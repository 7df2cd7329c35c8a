// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "dns/reverse.h"

static const struct {
    const char *name;
    const char *zone;    /* NULL: not private */
    const char *address; /* NULL: not a whole reverse name */
} rows[] = {
    {"5.1.168.192.in-addr.arpa", "168.192.in-addr.arpa", "192.168.1.5"},
    {"168.192.in-addr.arpa", "168.192.in-addr.arpa", NULL},
    {"192.in-addr.arpa", NULL, NULL},
    {"x.168.192.in-addr.arpa", "168.192.in-addr.arpa", NULL},
    {"1.2.3.4.10.in-addr.arpa", "10.in-addr.arpa", NULL},
    {"1.0.0.10.in-addr.arpa", "10.in-addr.arpa", "10.0.0.1"},
    {"1.0.0.010.in-addr.arpa", NULL, NULL},
    {"1.0.0.11.in-addr.arpa", NULL, "11.0.0.1"},
    {"256.0.0.10.in-addr.arpa", "10.in-addr.arpa", NULL},
    {"15.172.in-addr.arpa", NULL, NULL},
    {"16.172.in-addr.arpa", "16.172.in-addr.arpa", NULL},
    {"31.172.in-addr.arpa", "31.172.in-addr.arpa", NULL},
    {"32.172.in-addr.arpa", NULL, NULL},
    {"63.100.in-addr.arpa", NULL, NULL},
    {"64.100.in-addr.arpa", "64.100.in-addr.arpa", NULL},
    {"127.100.in-addr.arpa", "127.100.in-addr.arpa", NULL},
    {"128.100.in-addr.arpa", NULL, NULL},
    {"254.169.in-addr.arpa", "254.169.in-addr.arpa", NULL},
    {"2.0.192.in-addr.arpa", "2.0.192.in-addr.arpa", NULL},
    {"100.51.198.in-addr.arpa", "100.51.198.in-addr.arpa", NULL},
    {"113.0.203.in-addr.arpa", "113.0.203.in-addr.arpa", NULL},
    {"255.255.255.255.in-addr.arpa", "255.255.255.255.in-addr.arpa", "255.255.255.255"},
    {"255.255.255.in-addr.arpa", NULL, NULL},
    {"1.0.0.127.in-addr.arpa", "127.in-addr.arpa", "127.0.0.1"},
    {"8.8.8.8.in-addr.arpa", NULL, "8.8.8.8"},
    {"in-addr.arpa", NULL, NULL},
    {"d.f.ip6.arpa", "d.f.ip6.arpa", NULL},
    {"c.f.ip6.arpa", NULL, NULL},
    {"8.e.f.ip6.arpa", "8.e.f.ip6.arpa", NULL},
    {"b.e.f.ip6.arpa", "b.e.f.ip6.arpa", NULL},
    {"c.e.f.ip6.arpa", NULL, NULL},
    {"8.b.d.0.1.0.0.2.ip6.arpa", "8.b.d.0.1.0.0.2.ip6.arpa", NULL},
    {"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
     "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", "::1"},
    {"2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", NULL, "::2"},
    {"b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa", NULL,
     "4321:0:1:2:3:4:567:89ab"},
    {"10.in-addr.arpa.example", NULL, NULL},
    {"xin-addr.arpa", NULL, NULL},
    {"arpa", NULL, NULL},
    {".", NULL, NULL},
};

static void private_zones_are_those_of_rfc_6303(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dname name;
        char text[DNAME_TEXT_MAX];
        unsigned skip = 99;
        size_t len;
        print_message("%s\n", rows[i].name);
        assert_int_equal(dname_parse(rows[i].name, &name), 0);
        assert_int_equal(reverse_is_private(&name, &skip), rows[i].zone != NULL);
        if (rows[i].zone) {
            assert_string_equal(dname_print_wire(dname_suffix(&name, skip, &len), text),
                                rows[i].zone);
        }
    }
}

static void whole_names_are_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dname name;
        struct addr addr;
        char text[ADDR_TEXT_MAX];
        print_message("%s\n", rows[i].name);
        assert_int_equal(dname_parse(rows[i].name, &name), 0);
        assert_int_equal(reverse_read(&name, &addr), rows[i].address ? 0 : -EINVAL);
        if (rows[i].address) {
            assert_string_equal(addr_print(&addr, text), rows[i].address);
            struct dname back;
            reverse_write(&addr, &back);
            assert_true(dname_equal(&back, &name));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(private_zones_are_those_of_rfc_6303),
        cmocka_unit_test(whole_names_are_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
