// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/setting.h"
#include "config/yaml.h"

static int parse(const char *data, struct config **ret_config, struct diag *diag)
{
    return config_parse(&(struct yaml_text){data, strlen(data), "t.yaml"}, ret_config, diag);
}

struct bad_row {
    const char *behaviour, *data;
    unsigned line, column;
    const char *text; /* a part of it */
};

static void check_bad(const struct bad_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct bad_row *row = &rows[i];
        struct config *config = (struct config *)0x1;
        struct diag diag = {0};
        int err = parse(row->data, &config, &diag);
        if (err != -EINVAL || diag.line != row->line || diag.column != row->column ||
            !strstr(diag.text, row->text) || strcmp(diag.file, "t.yaml") != 0) {
            fail_msg("%s: %d %s:%u:%u: %s", row->behaviour, err, diag.file, diag.line, diag.column,
                     diag.text);
        }
        assert_ptr_equal(config, (struct config *)0x1);
    }
}

#define CHECK_BAD(rows) check_bad(rows, sizeof(rows) / sizeof((rows)[0]))

static void unknown_keys_name_the_nearest(void **state)
{
    (void)state;
    static const struct bad_row rows[] = {
        {"key of a section", "dns:\n  lisen: []\n", 2, 3,
         "unknown key 'lisen' in dns; did you mean 'listen'?"},
        {"section", "dsn:\n  listen: []\n", 1, 1, "unknown key 'dsn'; did you mean 'dns'?"},
        {"groups", "group: []\n", 1, 1, "unknown key 'group'; did you mean 'groups'?"},
        {"sources", "lists:\n  source: []\n", 2, 3, "in lists; did you mean 'sources'?"},
        {"key of a source", "lists: {sources: [{id: a, ulr: x}]}\n", 1, 27,
         "unknown key 'ulr' in lists.sources; did you mean 'url'?"},
        {"key of a group", "groups:\n  - {name: a, client: []}\n", 2, 15,
         "unknown key 'client' in groups; did you mean 'clients'?"},
        {"key of another section", "dns: {workers: 2}\n", 1, 7, "did you mean 'server.workers'?"},
        {"nothing near", "cache: {colour: red}\n", 1, 9,
         "known: size_mb, min_ttl_s, max_ttl_s, serve_stale_s"},
        {"nothing near at the top", "zzzzzz: 1\n", 1, 1, "known: server, dns, upstream"},
        {"a key of a later version", "stats: {colours: counters}\n", 1, 9, "unknown key"},
        {"a very long key", "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk: 1\n",
         1, 1, "unknown key 'kkkkkkkkkk"},
    };
    CHECK_BAD(rows);
}

static void wrong_types_are_errors(void **state)
{
    (void)state;
    static const struct bad_row rows[] = {
        {"list at the top", "- a\n", 1, 1, "expected a map of sections"},
        {"text at the top", "hello\n", 1, 1, "expected a map of sections"},
        {"text for a section", "dns: yes\n", 1, 6, "dns: expected a map"},
        {"list for a section", "dns: []\n", 1, 6, "dns: expected a map"},
        {"word for a number", "server: {workers: two}\n", 1, 19, "a whole number, found 'two'"},
        {"quoted number", "server: {workers: \"2\"}\n", 1, 19, "a whole number, found '2'"},
        {"fraction", "server: {workers: 2.5}\n", 1, 19, "a whole number"},
        {"hexadecimal", "server: {workers: 0x2}\n", 1, 19, "a whole number"},
        {"unit", "cache: {size_mb: 32M}\n", 1, 18, "a whole number"},
        {"nothing for a number", "server:\n  workers:\n", 2, 11, "found nothing"},
        {"list for a number", "server: {workers: [1]}\n", 1, 19, "found a list"},
        {"huge number", "server: {workers: 99999999999999999999}\n", 1, 19, "a whole number"},
        {"list for text", "web: {contact: [a]}\n", 1, 16, "contact: expected text, found a list"},
        {"map for text", "web: {contact: {a: b}}\n", 1, 16, "found a map"},
        {"text for a list", "dns: {listen: 127.0.0.1:53}\n", 1, 15, "expected a list"},
        {"nothing for a list", "dns:\n  listen:\n", 2, 10,
         "expected a list ([a, b]), found nothing"},
        {"list in a list", "dns: {listen: [[a]]}\n", 1, 16, "a single value in the list"},
        {"list for a choice", "block: {mode: [page]}\n", 1, 15, "expected a word"},
        {"yes for a flag", "lists: {sources: [{id: a, enabled: yes}]}\n", 1, 36,
         "enabled: expected true or false, found 'yes'"},
        {"map for groups", "groups: {name: a}\n", 1, 9, "groups: expected a list of maps"},
        {"text for a group", "groups: [a]\n", 1, 10, "groups: expected a map"},
        {"text for sources", "lists: {sources: a}\n", 1, 18, "lists.sources: expected a list"},
        {"text for records", "dns: {records: a}\n", 1, 16, "records: expected a list of maps"},
        {"text for a record", "dns: {records: [a]}\n", 1, 17,
         "records: expected {name: ..., address: ...} and nothing else"},
        {"record with a key too many", "dns: {records: [{name: a, address: 10.0.0.1, type: A}]}\n",
         1, 17, "nothing else"},
        {"zone without a list", "upstream: {zones: [{domain: a.lan, servers: udp://192.0.2.1}]}\n",
         1, 45, "zones: expected a list"},
        {"zone without servers", "upstream: {zones: [{domain: a.lan}]}\n", 1, 20,
         "zones: expected {domain: ..., servers: [...]} and nothing else"},
        {"record with an unknown key", "dns: {records: [{name: a, adress: 10.0.0.1}]}\n", 1, 17,
         "nothing else"},
    };
    CHECK_BAD(rows);
}

static void bounds_are_checked(void **state)
{
    (void)state;
    static const struct bad_row rows[] = {
        {"too many", "server: {workers: 65}\n", 1, 19,
         "workers: 65 is out of bounds, 0 to 64 are allowed"},
        {"negative", "server: {workers: -1}\n", 1, 19, "-1 is out of bounds"},
        {"too few", "cache: {size_mb: 0}\n", 1, 18, "0 is out of bounds, 1 to 4096"},
        {"times that contradict each other", "cache:\n  min_ttl_s: 100\n  max_ttl_s: 10\n", 3, 14,
         "max_ttl_s is smaller than min_ttl_s"},
        {"no address", "dns:\n  listen: []\n", 2, 11, "at least one address"},
        {"no server", "upstream:\n  servers: []\n", 2, 12, "at least one server"},
        {"no language", "web:\n  languages: []\n", 2, 14, "at least one language"},
        {"twice in a list", "dns: {listen: [\"127.0.0.1:5\", \"127.0.0.1:5\"]}\n", 1, 31,
         "stands there twice"},
        {"record twice",
         "dns:\n  records:\n    - {name: a, address: 10.0.0.1}\n    - {address: 10.0.0.1, name: a}\n",
         4, 7, "'a 10.0.0.1' stands there twice"},
        {"wrong word", "block: {mode: pag}\n", 1, 15,
         "'pag' is none of page, nxdomain, nodata, zero, refused; did you mean 'page'?"},
        {"far-off word", "block: {mode: sinkhole-it}\n", 1, 15, "zero, refused"},
    };
    CHECK_BAD(rows);
}

/* Values of each check: accepted, refused. */
static const struct {
    const char *setting;  /* section: {key: with room for the value */
    const char *right[8]; /* NULL ends them */
    const char *wrong[12];
} shapes[] = {
    {"dns: {listen: [\"%s\"]}",
     {"127.0.0.1:53", "[::1]:5353", "0.0.0.0", "::1"},
     {"", "localhost:53", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:0", "1.2.3", "[::1:53"}},
    {"dns: {allow_clients: [\"%s\"]}",
     {"local", "10.0.0.0/8", "192.0.2.1", "fd00::/8", "0.0.0.0/0"},
     {"", "lokal", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "fe80::1%lo", "example.org"}},
    {"dns: {records: [{name: %s, address: 10.0.0.1}]}",
     {"a", "nas.lan", "NAS.lan."},
     {"\"a b\"", "a..b", "\"*.lan\"", "\"\""}},
    {"dns: {records: [{name: a, address: \"%s\"}]}",
     {"10.0.0.1", "::1"},
     {"", "x", "10.0.0.1:53", "fe80::1%lo", "10.0.0.1 10.0.0.2"}},
    {"dns: {trusted_forwarders: [\"%s\"]}", {"192.0.2.1", "fd00::/8"}, {"local", "x"}},
    {"upstream: {servers: [\"%s\"]}",
     {"udp://9.9.9.9:53", "tcp://[2620:fe::fe]:53", "udp://9.9.9.9", "system", "tls://9.9.9.9:853",
      "tls://9.9.9.9#dns.example"},
     {"9.9.9.9", "tls://9.9.9.9#", "udp://dns.example:53", "udp://", "udp://0.0.0.0:53",
      "udp://9.9.9.9:0", "System"}},
    {"upstream: {zones: [{domain: \"%s\", servers: [\"udp://9.9.9.9\"]}]}",
     {"school.lan", "10.in-addr.arpa"},
     {"", ".", "*.lan"}},
    {"upstream: {zones: [{domain: a.lan, servers: [%s]}]}",
     {"\"udp://9.9.9.9\"", "system", "\"udp://9.9.9.9\", \"tcp://9.9.9.10\""},
     {"", "\"\"", "\"9.9.9.9\"", "[]", "\"udp://9.9.9.9\", x"}},
    {"server: {state_dir: \"%s\"}", {"/x", "/a b/c"}, {"", "x/y", "./x", "/a\\nb"}},
    {"server: {control_socket: \"%s\"}",
     {"/run/x.sock",
      "/23456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
      "12345678901234567"},
     {"", "x",
      "/23456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
      "123456789012345678"}},
    {"server: {user: \"%s\"}", {"", "_greengate", "두 말"}, {"a\\nb", "\\x1b[31m"}},
    {"block: {page_ipv4: \"%s\"}",
     {"", "192.0.2.1"},
     {"::1", "192.0.2.1:80", "0.0.0.0", "192.0.2", "::ffff"}},
    {"block: {page_ipv6: \"%s\"}",
     {"", "2001:db8::1"},
     {"192.0.2.1", "::", "[2001:db8::1]", "::ffff:192.0.2.1", "fe80::1%1"}},
    {"lists: {never_block: [\"%s\"]}",
     {"example.org", "example.org.", "kr", "_x.a-b.xn--3e0b707e"},
     {"", ".", "a..b", "a b", "*.x", ".x", "x..", "한국", "a/b",
      "1234567890123456789012345678901234567890123456789012345678901234.org"}},
    {"web: {languages: [\"%s\"]}",
     {"ko", "fil", "zh-Hant", "pt-BR"},
     {"", "k", "kore", "KO", "ko_KR", "ko-", "ko-x-y", "../x"}},
    {"groups: [{name: \"%s\"}]", {"a", "class-3.b_1", "3a"}, {"", "A", "-a", "a b", "a/b", ".a"}},
    {"groups: [{name: a, block: [\"%s\"]}]",
     {"adult", "self-harm"},
     {"", "all", "Adult", "3d", "a b", "a.b"}},
    {"lists: {sources: [{id: a, category: adult, url: \"%s\"}]}",
     {"https://a.example/x?y=1#z", "file:///srv/list.txt"},
     {"", "ftp://a/", "https://", "https:///x", "file://x", "http://a/", "https://a/ b",
      "https://한국/", "HTTPS://a/", "//a"}},
    {"lists: {sources: [{id: a, category: adult, insecure: true, url: \"%s\"}]}",
     {"http://a.example/x", "https://a.example/x"},
     {"http://"}},
    {"lists: {sources: [{id: a, category: adult, url: \"http://a/\", public_key: \"%s\"}]}",
     {"RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"},
     {"", "RWQ", "RXQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3",
      "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO=",
      "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3x"}},
    {"lists: {update_window: \"%s\"}",
     {"", "19:00-07:00", "00:00-24:00", "19:00-08:00 UTC", "9:00-7:30", "9:00-24:00 UTC"},
     {"19-7", "19:00", "19:00-19:00", "25:00-01:00", "19:60-20:00", "24:30-01:00",
      "19:00-07:00 CET", "19:00-07:00UTC", "1a:00-02:00", "19:00 - 07:00"}},
    {"lists: {proxy: \"%s\"}",
     {"", "http://proxy.lan:3128", "https://user:word@proxy:8443/", "socks5h://[::1]:1080"},
     {"proxy.lan:3128", "http://", "ftp://a", "http:///x", "http://a b"}},
    {"lists: {file_folder: \"%s\"}", {"", "/srv/lists"}, {"srv", "./x"}},
    {"lists: {sources: [{url: \"https://a/\", category: adult, id: \"%s\"}]}",
     {"a", "ut1.adult_2"},
     {"", "a/b", "..", "A"}},
};

static void check_shape(const char *setting, const char *value, bool right)
{
    const char *room = strstr(setting, "%s");
    char data[512];
    snprintf(data, sizeof(data), "%.*s%s%s\n", (int)(room - setting), setting, value, room + 2);
    struct config *config = NULL;
    struct diag diag = {0};
    int err = parse(data, &config, &diag);
    if (err != (right ? 0 : -EINVAL) || (!right && (diag.line != 1 || !diag.column))) {
        fail_msg("%s: %d, %u:%u: %s", data, err, diag.line, diag.column, diag.text);
    }
    config_free(config);
}

static void shapes_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        for (size_t j = 0; j < 8 && shapes[i].right[j]; j++) {
            check_shape(shapes[i].setting, shapes[i].right[j], true);
        }
        for (size_t j = 0; j < 12 && shapes[i].wrong[j]; j++) {
            check_shape(shapes[i].setting, shapes[i].wrong[j], false);
        }
    }
}

static void sources_and_groups_are_checked(void **state)
{
    (void)state;
    static const struct bad_row rows[] = {
        {"source without id", "lists:\n  sources:\n    - url: https://a/\n", 3, 7,
         "a source needs id"},
        {"id that is a list", "lists: {sources: [{id: [a]}]}\n", 1, 19, "a source needs id"},
        {"source without url", "lists:\n  sources:\n    - id: a\n      category: adult\n", 3, 11,
         "source 'a' has no url"},
        {"source without category", "lists:\n  sources:\n    - {id: a, url: \"https://a/\"}\n", 3,
         12, "source 'a' has no category"},
        {"two sources of one id",
         "lists:\n  sources:\n    - {id: a, category: x, url: \"https://a/\"}\n    - id: a\n", 4,
         11, "source 'a' stands there twice, first in line 3"},
        {"plain http", "lists:\n  sources:\n    - id: a\n      category: x\n      url: http://a/\n",
         5, 12, "insecure: true"},
        {"group without name", "groups:\n  - clients: []\n", 2, 5, "a group needs name"},
        {"two groups of one name", "groups:\n  - {name: a, clients: [10.0.0.1]}\n  - name: a\n", 3,
         11, "group 'a' stands there twice, first in line 2"},
        {"last group has clients", "groups:\n  - {name: a, clients: [10.0.0.1]}\n", 2, 12,
         "group 'a' is the last and must have no clients"},
        {"two groups that catch all", "groups:\n  - name: a\n  - name: b\n", 2, 11,
         "group 'a' has no clients, but only the last"},
        {"wrong client", "groups:\n  - name: a\n    clients: [10.0.0.0/8, 10.0.0.1/8]\n", 3, 27,
         "not a subnet: bits are set"},
    };
    CHECK_BAD(rows);
}

#define PUPILS(row) "groups:\n  - name: a\n    schedule:\n      - {block: [x], " row "}\n"
static void what_is_wrong_in_a_schedule_is_quoted(void **state)
{
    (void)state;
    static const struct bad_row rows[] = {
        {"a day", PUPILS("days: monday"), 4, 9, "this is naming 'monday' as days (mon, "},
        {"a bell", PUPILS("bells: [lesson-9]"), 4, 9,
         "naming the bell 'lesson-9', which calendar.bells does not have"},
        {"dates", PUPILS("on: [easter]"), 4, 9, "naming the dates 'easter', which"},
        {"a date", PUPILS("not_on: [2026-02-30]"), 4, 9, "naming '2026-02-30' as a date"},
        {"a beginning", PUPILS("from: 9h, to: 10:00"), 4, 9, "naming '9h' as a time of the day"},
        {"an end", PUPILS("from: 9:00, to: 9:60"), 4, 9, "naming '9:60' as a time of the day"},
        {"a span", PUPILS("times: [all]"), 4, 9, "naming 'all' in times"},
        {"an end of a span", PUPILS("times: [8:00-]"), 4, 9, "naming '' as a time of the day"},
        {"three digits of an hour", PUPILS("times: [\"008:00-9:00\"]"), 4, 9, "'008:00-9:00'"},
        {"a bell's time", "calendar:\n  bells:\n    - {name: a, from: 9.00, to: 10:00}\n", 3, 7,
         "naming '9.00' as a time of the day"},
    };
    CHECK_BAD(rows);
    struct config *config = NULL;
    assert_int_equal(parse("calendar: {bells: [{name: b, from: 9:00, to: 9:45}]}\n" PUPILS(
                               "bells: [b], times: [8:00-9:00]"),
                           &config, NULL),
                     0);
    config_free(config);
}

static void asking_ourselves_is_refused(void **state)
{
    (void)state;
    static const struct bad_row rows[] = {
        {"same address",
         "dns:\n  listen: [\"192.0.2.1:53\"]\nupstream:\n  servers:\n    - udp://192.0.2.9\n    - "
         "udp://192.0.2.1:53\n",
         6, 7, "udp://192.0.2.1:53 is our own address (we listen on 192.0.2.1:53)"},
        {"over TCP", "dns: {listen: [\"[::1]:53\"]}\nupstream: {servers: [\"tcp://[::1]\"]}\n", 2,
         22, "our own address"},
        {"loopback behind the IPv4 wildcard",
         "dns: {listen: [\"0.0.0.0:53\"]}\nupstream: {servers: [\"udp://127.0.0.53:53\"]}\n", 2, 22,
         "our own address"},
        {"IPv4 loopback behind the IPv6 wildcard",
         "dns: {listen: [\"[::]:53\"]}\nupstream: {servers: [\"udp://127.0.0.1:53\"]}\n", 2, 22,
         "our own address"},
        {"over TLS",
         "dns: {tls_listen: [\"127.0.0.1:853\"], tls_cert: /a, tls_key: /b}\n"
         "upstream: {servers: [\"tls://127.0.0.1#dns.example\"]}\n",
         2, 22, "we listen on 127.0.0.1:853"},
        {"for a zone",
         "dns: {listen: [\"127.0.0.1:53\"]}\n"
         "upstream:\n  zones:\n    - {domain: a.lan, servers: [\"udp://192.0.2.1\", \"udp://127.0.0.1\"]}\n",
         4, 7, "udp://127.0.0.1 is our own address"},
        {"default address against a server that was set",
         "upstream: {servers: [\"udp://[::1]:53\"]}\n", 1, 22,
         "our own address (we listen on [::1]:53)"},
        {"default server against an address that was set", "dns: {listen: [\"9.9.9.9:53\"]}\n", 1,
         16, "our own address (we listen on 9.9.9.9:53)"},
    };
    CHECK_BAD(rows);
    static const char *const fine[] = {
        "dns: {listen: [\"127.0.0.1:53\"]}\nupstream: {servers: [\"udp://127.0.0.1:5300\"]}\n",
        "dns: {listen: [\"127.0.0.1:53\"]}\nupstream: {servers: [\"udp://127.0.0.53:53\"]}\n",
        "dns: {listen: [\"0.0.0.0:53\"]}\nupstream: {servers: [\"udp://192.0.2.1:53\"]}\n",
        "dns: {listen: [\"0.0.0.0:53\"]}\nupstream: {servers: [system]}\n",
    };
    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
        struct config *config = NULL;
        struct diag diag = {0};
        if (parse(fine[i], &config, &diag) < 0) {
            fail_msg("%s: %s", fine[i], diag.text);
        }
        config_free(config);
    }
}

static void empty_file_gives_the_defaults(void **state)
{
    (void)state;
    struct config *config = NULL;
    assert_int_equal(parse("server:\nlists:\n  sources:\ngroups:\n", &config, NULL), 0);
    assert_int_equal(config->server.workers, 0);
    assert_string_equal(config->server.state_dir, "/var/lib/greengate");
    assert_string_equal(config->server.user, "");
    assert_int_equal(config->dns.listen.count, 2);
    assert_string_equal(config->dns.listen.items[1], "[::1]:53");
    assert_int_equal(config->dns.allow_clients.count, 8);
    assert_int_equal(config->dns.trusted_forwarders.count, 0);
    assert_int_equal(config->block.mode, MODE_PAGE);
    assert_int_equal(config->cache.size_mb, 32);
    assert_int_equal(config->source_count, 0);
    assert_int_equal(config->group_count, 1);
    assert_string_equal(config->groups[0].name, "everyone");
    assert_int_equal(config->groups[0].clients.count, 0);
    assert_int_equal(config->groups[0].block.count, 12);
    assert_string_equal(config->groups[0].block.items[0], "adult");
    assert_int_equal(config->groups[0].mode, MODE_UNSET);
    config_free(config);
    config = config_new();
    assert_non_null(config);
    assert_string_equal(config->groups[0].name, "everyone");
    config_free(config);
    config_free(NULL);
}

static void values_arrive(void **state)
{
    (void)state;
    struct config *config = NULL;
    struct diag diag = {0};
    static const char data[] =
        "server: {workers: 4, user: _greengate}\n"
        "dns:\n  listen:\n    - 192.0.2.1:53\n  trusted_forwarders: []\n"
        "block: {mode: nxdomain, page_ipv6: \"2001:db8::1\"}\n"
        "lists:\n  sources:\n    - {id: b, url: \"https://b/\", category: adult, match: subtree}\n"
        "    - {id: a, url: \"file:///a\", category: games, format: hosts, enabled: false}\n"
        "groups:\n  - {name: staff, clients: [10.1.0.0/16], block: [malware], mode: zero}\n"
        "  - {name: pupils, block: [adult, gambling]}\n";
    assert_int_equal(parse(data, &config, &diag), 0);
    assert_int_equal(config->server.workers, 4);
    assert_string_equal(config->server.user, "_greengate");
    assert_int_equal(config->dns.listen.count, 1);
    assert_string_equal(config->dns.listen.items[0], "192.0.2.1:53");
    assert_int_equal(config->block.mode, MODE_NXDOMAIN);
    assert_string_equal(config->block.page_ipv6, "2001:db8::1");
    assert_int_equal(config->source_count, 2);
    assert_string_equal(config->sources[0].id, "b");
    assert_int_equal(config->sources[0].match, MATCH_SUBTREE);
    assert_int_equal(config->sources[0].format, FORMAT_AUTO);
    assert_true(config->sources[0].enabled);
    assert_int_equal(config->sources[1].format, FORMAT_HOSTS);
    assert_false(config->sources[1].enabled);
    assert_int_equal(config->group_count, 2);
    assert_string_equal(config->groups[0].clients.items[0], "10.1.0.0/16");
    assert_int_equal(config->groups[0].mode, MODE_ZERO);
    assert_int_equal(config->groups[1].mode, MODE_UNSET);
    assert_string_equal(config->groups[1].block.items[1], "gambling");
    config_free(config);
}

static void words_of_choices(void **state)
{
    (void)state;
    assert_string_equal(config_word("block_mode", MODE_PAGE), "page");
    assert_string_equal(config_word("block_mode", MODE_REFUSED), "refused");
    assert_string_equal(config_word("block_mode", MODE_UNSET), "");
    assert_string_equal(config_word("block_mode", MODE_REFUSED + 1), "");
    assert_string_equal(config_word("list_format", FORMAT_ADBLOCK), "adblock");
    assert_string_equal(config_word("list_match", MATCH_SUBTREE), "subtree");
    assert_string_equal(config_word("nonsense", 0), "");
}

/* A default that its own check refuses could never be written down. */
static void defaults_pass_their_checks(void **state)
{
    (void)state;
    struct config *config = config_new();
    for (size_t i = 0; i < setting_config.count; i++) {
        const struct setting *row = &setting_config.rows[i];
        if (row->kind == SETTING_INT) {
            assert_in_range(*setting_int(row, config), row->min, row->max);
        } else if (row->kind == SETTING_TEXT && row->check(*setting_text(row, config))) {
            fail_msg("%s.%s", row->section, row->key);
        } else if (row->kind == SETTING_CHOICE) {
            assert_true(*setting_choice(row, config) >= 0);
        }
        for (size_t j = 0; row->kind == SETTING_LIST && j < setting_list(row, config)->count; j++) {
            assert_null(row->check(setting_list(row, config)->items[j]));
        }
    }
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_keys_name_the_nearest),
        cmocka_unit_test(wrong_types_are_errors),
        cmocka_unit_test(bounds_are_checked),
        cmocka_unit_test(shapes_are_checked),
        cmocka_unit_test(sources_and_groups_are_checked),
        cmocka_unit_test(what_is_wrong_in_a_schedule_is_quoted),
        cmocka_unit_test(asking_ourselves_is_refused),
        cmocka_unit_test(empty_file_gives_the_defaults),
        cmocka_unit_test(values_arrive),
        cmocka_unit_test(words_of_choices),
        cmocka_unit_test(defaults_pass_their_checks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
