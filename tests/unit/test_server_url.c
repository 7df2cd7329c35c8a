// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "config/server_url.h"

#define PIN "sha256/AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="

static void good_ones_are_read(void **state)
{
    static const struct {
        const char *text;
        uint8_t transport;
        const char *addr, *name;
        bool pinned;
    } rows[] = {
        {"udp://192.0.2.1", SERVER_UDP, "192.0.2.1:53", "", false},
        {"udp://192.0.2.1:5353", SERVER_UDP, "192.0.2.1:5353", "", false},
        {"tcp://[2001:db8::1]:53", SERVER_TCP, "[2001:db8::1]:53", "", false},
        {"tls://192.0.2.1", SERVER_TLS, "192.0.2.1:853", "", false},
        {"tls://192.0.2.1:853#dns.example", SERVER_TLS, "192.0.2.1:853", "dns.example", false},
        {"tls://[2001:db8::1]#" PIN, SERVER_TLS, "[2001:db8::1]:853", "", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct server_url url;
        char text[ADDR_TEXT_MAX];
        assert_int_equal(server_url_parse(rows[i].text, &url), 0);
        assert_int_equal(url.transport, rows[i].transport);
        assert_string_equal(addr_print(&url.addr, text), rows[i].addr);
        assert_string_equal(url.name, rows[i].name);
        assert_int_equal(url.pinned, rows[i].pinned);
        for (unsigned k = 0; rows[i].pinned && k < SERVER_PIN; k++) {
            assert_int_equal(url.pin[k], k + 1);
        }
    }
}

static void system_is_a_word(void **state)
{
    struct server_url url;
    (void)state;
    assert_int_equal(server_url_parse("system", &url), 0);
    assert_int_equal(url.transport, SERVER_SYSTEM);
}

static void others_are_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "192.0.2.1",
        "https://192.0.2.1/dns-query",
        "udp://",
        "udp://dns.example",
        "udp://192.0.2.1:0",
        "udp://0.0.0.0:53",
        "udp://192.0.2.1:53#dns.example",
        "tcp://192.0.2.1:53#dns.example",
        "tls://dns.example",
        "tls://192.0.2.1#",
        "tls://192.0.2.1#dns example",
        "tls://192.0.2.1#.dns.example",
        "tls://192.0.2.1#dns..example",
        "tls://192.0.2.1#sha256/",
        "tls://192.0.2.1#sha256/AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHw==",
        "tls://192.0.2.1#sha256/AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHy!=",
        "tls://192.0.2.1#sha256/AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyB=",
        "tls://192.0.2.1#sha1/AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct server_url url;
        print_message("%s\n", rows[i]);
        assert_int_equal(server_url_parse(rows[i], &url), -EINVAL);
    }
}

/* What is known of one server, its speed and its cookie, is not another's. */
static void servers_differ_by_link_name_and_key(void **state)
{
    static const char *const texts[] = {
        "udp://192.0.2.1:53",
        "tcp://192.0.2.1:53",
        "udp://192.0.2.1:54",
        "udp://[fe80::1%lo]:53",
        "udp://[fe80::1]:53",
        "tls://192.0.2.1:853#one.example",
        "tls://192.0.2.1:853#two.example",
        "tls://192.0.2.1:853#sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "tls://192.0.2.1:853#sha256/AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    };
    enum { COUNT = sizeof(texts) / sizeof(texts[0]) };
    struct server_url urls[COUNT];
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(server_url_parse(texts[i], &urls[i]), 0);
        for (size_t j = 0; j <= i; j++) {
            assert_int_equal(server_url_equal(&urls[i], &urls[j]), i == j);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones_are_read),
        cmocka_unit_test(system_is_a_word),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(servers_differ_by_link_name_and_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
