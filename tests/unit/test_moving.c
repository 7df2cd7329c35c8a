// SPDX-License-Identifier: Apache-2.0
/* How things of other filters are said here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/foreign.h"
#include "tools/moving.h"

static int make(void **state)
{
    struct moving *moving = calloc(1, sizeof(*moving));
    *state = moving;
    return moving && moving_init(moving, "test") == 0 ? 0 : -1;
}

static int drop(void **state)
{
    moving_clear(*state);
    free(*state);
    return 0;
}

static const cJSON *array(const struct moving *moving, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(moving->root, name);
}

static int count(const struct moving *moving, const char *name)
{
    return cJSON_GetArraySize(array(moving, name));
}

/* The newest thing of an array. */
static const cJSON *last(const struct moving *moving, const char *name)
{
    const cJSON *list = array(moving, name);
    return cJSON_GetArrayItem(list, cJSON_GetArraySize(list) - 1);
}

static void servers_are_written_our_way(void **state)
{
    struct moving *moving = *state;
    static const struct {
        const char *theirs, *ours; /* NULL: left, with a reason */
    } rows[] = {
        {"9.9.9.9", "udp://9.9.9.9:53"},
        {"9.9.9.9#5353", "udp://9.9.9.9:5353"},
        {"9.9.9.9:5353", "udp://9.9.9.9:5353"},
        {"2620:fe::fe", "udp://[2620:fe::fe]:53"},
        {"2620:fe::fe#54", "udp://[2620:fe::fe]:54"},
        {"[2620:fe::fe]:54", "udp://[2620:fe::fe]:54"},
        {"tcp://9.9.9.9", "tcp://9.9.9.9:53"},
        {"tcp+udp:9.9.9.9", "udp://9.9.9.9:53"},
        {"tls://dns.quad9.net", "tls://9.9.9.9:853#dns.quad9.net"},
        {"tcp-tls:dns.quad9.net:8853", "tls://9.9.9.9:8853#dns.quad9.net"},
        {"tls://1.1.1.1", "tls://1.1.1.1:853"},
        {"tcp-tls:1.1.1.1:853#one.one.one.one", "tls://1.1.1.1:853#one.one.one.one"},
        {"https://dns10.quad9.net/dns-query", "tls://9.9.9.10:853#dns10.quad9.net"},
        {"https://dns.google:443/dns-query", "tls://8.8.8.8:853#dns.google"},
        {"https://unknown.example/dns-query", NULL},
        {"tls://unknown.example", NULL},
        {"quic://dns.adguard-dns.com", NULL},
        {"sdns://AgMAAAA", NULL},
        {"resolver.example", NULL},
        {"9.9.9.9#0", NULL},
        {"9.9.9.9#70000", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int before = count(moving, "upstreams"), left = count(moving, "left");
        moving_add_upstream(moving, rows[i].theirs);
        if (rows[i].ours) {
            assert_int_equal(count(moving, "upstreams"), before + 1);
            assert_string_equal(moving_text(last(moving, "upstreams"), "url"), rows[i].ours);
        } else if (count(moving, "left") != left + 1 || count(moving, "upstreams") != before) {
            fail_msg("%s was taken", rows[i].theirs);
        }
    }
}

static void rules_of_adblock_lists(void **state)
{
    struct moving *moving = *state;
    static const struct {
        const char *line, *action, *name, *pattern; /* no action: left; no name: nothing */
        bool exact;
    } rows[] = {
        {"||ads.example^", "block", "ads.example", "", false},
        {"@@||fine.example^", "allow", "fine.example", "", false},
        {"|one.example^", "block", "one.example", "", true},
        {"plain.example", "block", "plain.example", "", true},
        {"*.below.example", "block", "below.example", "", false},
        {"||x.example^$important", "block", "x.example", "", false},
        {"/^ad[0-9]/", "block", "", "^ad[0-9]", false},
        {"@@/^cdn$/", "allow", "", "^cdn$", false},
        {"/(\\.|^)whole\\.example$/", "block", "whole.example", "", false},
        {"0.0.0.0 hosts.example", "block", "hosts.example", "", true},
        {"||t.example^$dnstype=A", NULL, "x", "", false},
        {"||a*.example^", NULL, "x", "", false},
        {"||com^", NULL, "x", "", false},
        {"example.org##.banner", NULL, "x", "", false},
        {"! comment", NULL, NULL, "", false},
        {"# comment", NULL, NULL, "", false},
        {"", NULL, NULL, "", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int before = count(moving, "rules"), left = count(moving, "left");
        foreign_take_adblock(moving, rows[i].line);
        bool taken = count(moving, "rules") > before, told = count(moving, "left") > left;
        if (taken != (rows[i].action != NULL) || told != (!rows[i].action && rows[i].name)) {
            fail_msg("%s: taken %d, told %d", rows[i].line, taken, told);
        }
        const cJSON *rule = last(moving, "rules");
        if (taken) {
            assert_string_equal(moving_text(rule, "action"), rows[i].action);
            assert_string_equal(moving_text(rule, "name"), rows[i].name);
            assert_string_equal(moving_text(rule, "pattern"), rows[i].pattern);
            assert_int_equal(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(rule, "exact")),
                             rows[i].exact);
        }
    }
    assert_string_equal(
        moving_text(foreign_take_adblock(moving, "||k.example^$client='Tab let'"), "policy"),
        "Tab let");
}

static void clients_are_named_our_way(void **state)
{
    (void)state;
    static const struct {
        const char *theirs, *ours;
    } rows[] = {
        {"10.0.0.7", "10.0.0.7"},
        {"10.0.0.0/8", "10.0.0.0/8"},
        {"192.168.178.1/24", "192.168.178.0/24"},
        {"fd00::1/64", "fd00::/64"},
        {"02:00:00:00:00:01", "02:00:00:00:00:01"},
        {"laptop.lan", "host:laptop"},
        {"id:phone", "id:phone"},
        {"laptop*", NULL},
        {":eth0", NULL},
        {"10.0.0.0/99", NULL},
        {"two words", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[MOVING_CLIENT_MAX] = "";
        const char *why = moving_client(rows[i].theirs, text);
        if ((why == NULL) != (rows[i].ours != NULL) ||
            (rows[i].ours && strcmp(text, rows[i].ours) != 0)) {
            fail_msg("%s: %s %s", rows[i].theirs, text, why ? why : "");
        }
    }
}

static void subnets_have_a_way_back(void **state)
{
    (void)state;
    static const struct {
        const char *subnet, *zone;
    } rows[] = {
        {"192.168.1.0/24", "1.168.192.in-addr.arpa"},
        {"10.0.0.0/8", "10.in-addr.arpa"},
        {"fd00::/16", "0.0.d.f.ip6.arpa"},
        {"10.0.0.0/9", NULL},
        {"0.0.0.0/0", NULL},
        {"nonsense", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char zone[100];
        int err = moving_reverse(rows[i].subnet, zone, sizeof(zone));
        assert_int_equal(err, rows[i].zone ? 0 : -EINVAL);
        if (rows[i].zone) {
            assert_string_equal(zone, rows[i].zone);
        }
    }
}

static void texts_become_ids(void **state)
{
    (void)state;
    static const struct {
        const char *text, *id;
    } rows[] = {
        {"AdGuard DNS filter", "adguard-dns-filter"},
        {"Kinder & Gäste", "kinder-g-ste"},
        {"--x--", "x"},
        {"아이들", "group"},
        {"", "group"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char id[MOVING_ID_MAX];
        moving_id(rows[i].text, "group", id);
        assert_string_equal(id, rows[i].id);
    }
}

static void toml_is_read_as_far_as_it_is_used(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
        const char *key, *value;
    } rows[] = {
        {"a = 'x' # y\n", 0, "a", "\"x\""},
        {"[s.t]\nk = \"q\\\"\\\\\"\n", 0, "s.t.k", "\"q\\\"\\\\\""},
        {"k = [ 1, true,\n # c\n \"z\", ]\n", 0, "k", "[1,true,\"z\"]"},
        {"k = []\n", 0, "k", "[]"},
        {"k = \"\\.x\"", 0, "k", "\"\\\\.x\""},
        {"", 0, NULL, NULL},
        {"k = [ 1", -EINVAL, NULL, NULL},
        {"k = \"x\n\"", -EINVAL, NULL, NULL},
        {"k", -EINVAL, NULL, NULL},
        {"k = 1 2", -EINVAL, NULL, NULL},
        {"k = ", -EINVAL, NULL, NULL},
        {"[s\nk = 1", -EINVAL, NULL, NULL},
        {"k = nonsense", -EINVAL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cJSON *values = NULL;
        struct diag diag = {0};
        assert_int_equal(foreign_read_toml(rows[i].text, &values, &diag), rows[i].err);
        assert_int_equal(diag.line > 0, rows[i].err < 0);
        if (rows[i].key) {
            char *text =
                cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(values, rows[i].key));
            assert_string_equal(text, rows[i].value);
            free(text);
        }
        cJSON_Delete(values);
    }
}

static void there_is_an_end_to_all_things(void **state)
{
    struct moving *moving = *state;
    for (int i = 0; i < MOVING_ITEMS_MAX; i++) {
        moving_add(moving, "rules");
    }
    assert_int_equal(count(moving, "rules"), MOVING_ITEMS_MAX);
    assert_null(array(moving, "full"));
    cJSON_AddStringToObject(moving_add(moving, "rules"), "name", "one.more");
    assert_int_equal(count(moving, "rules"), MOVING_ITEMS_MAX);
    assert_true(cJSON_IsTrue(array(moving, "full")));
}

/* Policies as words, "name: client client", and what they become. */
static void add_policy(struct moving *moving, const char *words)
{
    char copy[200], *save = NULL;
    snprintf(copy, sizeof(copy), "%s", words);
    cJSON *policy = moving_add(moving, "policies");
    cJSON_AddStringToObject(policy, "name", strtok_r(copy, " ", &save));
    cJSON *clients = cJSON_AddArrayToObject(policy, "clients");
    for (char *word; (word = strtok_r(NULL, " ", &save)) != NULL;) {
        cJSON_AddItemToArray(clients, cJSON_CreateString(word));
    }
}

static void print_policies(const struct moving *moving, char out[400])
{
    const cJSON *policy, *client;
    size_t used = 0;
    out[0] = '\0';
    cJSON_ArrayForEach(policy, array(moving, "policies"))
    {
        used += (size_t)snprintf(out + used, 400 - used, "%s%s", used ? "; " : "",
                                 moving_text(policy, "name"));
        cJSON_ArrayForEach(client, cJSON_GetObjectItemCaseSensitive(policy, "clients"))
        {
            used += (size_t)snprintf(out + used, 400 - used, " %s", client->valuestring);
        }
    }
}

static void narrower_clients_go_first(void **state)
{
    (void)state;
    static const struct {
        const char *policies[5], *order;
    } rows[] = {
        {{"a 10.0.0.1", "b 10.0.0.2", "rest"}, "a 10.0.0.1; b 10.0.0.2; rest"},
        {{"a 10.0.0.0/8", "b 10.0.0.2", "rest"}, "b 10.0.0.2; a 10.0.0.0/8; rest"},
        {{"a 10.0.0.0/8", "b 11.0.0.2", "rest"}, "a 10.0.0.0/8; b 11.0.0.2; rest"},
        {{"a 10.0.0.0/8 10.0.0.2", "rest"}, "a 10.0.0.0/8 10.0.0.2; rest"},
        {{"a fd00::/8", "b 10.0.0.2 fd00::1", "rest"}, "b 10.0.0.2 fd00::1; a fd00::/8; rest"},
        {{"a 10.0.0.0/8 10.1.1.0/24", "b 10.1.0.0/16", "rest"},
         "a 10.1.1.0/24; b 10.1.0.0/16; a 10.0.0.0/8; rest"},
        {{"a 10.0.0.0/8", "b 10.1.0.0/16", "c 10.1.1.0/24", "rest"},
         "c 10.1.1.0/24; b 10.1.0.0/16; a 10.0.0.0/8; rest"},
        {{"a 10.0.0.0/8", "b 10.0.0.0/8", "rest"}, "a 10.0.0.0/8; b 10.0.0.0/8; rest"},
        {{"a 10.0.0.1/8", "b host:tablet", "rest"}, "b host:tablet; a 10.0.0.1/8; rest"},
        {{"a 0.0.0.0/0 fd00::1", "b ::/0 10.0.0.1", "rest"},
         "a fd00::1; b ::/0 10.0.0.1; a 0.0.0.0/0; rest"},
        {{"a 10.0.0.0/8", "b :eth0", "rest"}, "a 10.0.0.0/8; b :eth0; rest"},
        {{"rest"}, "rest"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct moving moving;
        char text[400];
        assert_int_equal(moving_init(&moving, "test"), 0);
        for (size_t p = 0; p < 5 && rows[i].policies[p]; p++) {
            add_policy(&moving, rows[i].policies[p]);
        }
        moving_order_clients(&moving);
        print_policies(&moving, text);
        assert_string_equal(text, rows[i].order);
        moving_clear(&moving);
    }
}

static void rules_that_would_win_only_here_are_marked(void **state)
{
    (void)state;
    static const struct {
        const char *lines[2];
        bool lost[2], weak[2], also[2];
    } rows[] = {
        {{"@@||a.example^", "||ads.a.example^"}, {false, true}, {0}, {0}},
        {{"@@||a.example^", "||a.example^"}, {false, true}, {0}, {0}},
        {{"@@||a.example^", "||bada.example^"}, {0}, {0}, {0}},
        {{"@@|a.example^", "||ads.a.example^"}, {0}, {0}, {0}},
        {{"@@|a.example^", "||a.example^"}, {0}, {0}, {0}},
        {{"@@|a.example^", "|a.example^"}, {false, true}, {0}, {0}},
        {{"@@||a.example^", "||ads.a.example^$important"}, {0}, {0}, {0}},
        {{"||a.example^$important", "@@||ads.a.example^"}, {false, true}, {0}, {0}},
        {{"@@||a.example^", "||ads.a.example^$client=one"}, {false, true}, {0}, {0}},
        {{"@@||a.example^$client=one", "||ads.a.example^"}, {0}, {0}, {0}},
        {{"@@||a.example^$client=two", "||ads.a.example^$client=one"}, {0}, {0}, {0}},
        {{"@@||fine.a.example^", "||a.example^$client=one"}, {0}, {0}, {true, false}},
        {{"@@||fine.a.example^", "/^ads/$client=one"}, {0}, {0}, {true, false}},
        {{"@@|fine.a.example^", "/^ads/$client=one"}, {0}, {0}, {0}},
        {{"@@/^cdn/", "|cdn.a.example^"}, {false, true}, {0}, {0}},
        {{"@@/^cdn/", "|ads.a.example^"}, {0}, {0}, {0}},
        {{"@@/^cdn/", "||a.example^"}, {0}, {true, false}, {0}},
        {{"@@/^cdn/$client=one", "||a.example^"}, {0}, {0}, {0}},
        {{"@@/^cdn/", "/^c/$client=one"}, {0}, {0}, {true, false}},
        {{"@@/(/", "|cdn.a.example^"}, {0}, {0}, {0}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct moving moving;
        assert_int_equal(moving_init(&moving, "test"), 0);
        add_policy(&moving, "one 10.0.0.1");
        add_policy(&moving, "two 10.0.0.2");
        add_policy(&moving, "rest");
        for (int line = 0; line < 2; line++) {
            assert_non_null(foreign_take_adblock(&moving, rows[i].lines[line]));
        }
        moving_rank_rules(&moving);
        for (int line = 0; line < 2; line++) {
            const cJSON *rule = cJSON_GetArrayItem(array(&moving, "rules"), line);
            if (cJSON_HasObjectItem(rule, "lost") != rows[i].lost[line] ||
                cJSON_HasObjectItem(rule, "weak") != rows[i].weak[line] ||
                cJSON_HasObjectItem(rule, "also") != rows[i].also[line]) {
                char *text = cJSON_PrintUnformatted(rule);
                fail_msg("row %zu: %s", i, text);
            }
        }
        moving_clear(&moving);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(servers_are_written_our_way, make, drop),
        cmocka_unit_test_setup_teardown(rules_of_adblock_lists, make, drop),
        cmocka_unit_test_setup_teardown(there_is_an_end_to_all_things, make, drop),
        cmocka_unit_test(clients_are_named_our_way),
        cmocka_unit_test(narrower_clients_go_first),
        cmocka_unit_test(rules_that_would_win_only_here_are_marked),
        cmocka_unit_test(subnets_have_a_way_back),
        cmocka_unit_test(texts_become_ids),
        cmocka_unit_test(toml_is_read_as_far_as_it_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
