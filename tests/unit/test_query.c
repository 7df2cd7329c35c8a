// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "world.h"

/* Allocations of this thread are counted; the sanitizers have their own malloc. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define COUNTED 1
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void __libc_free(void *memory);
static _Thread_local unsigned allocator_calls;

void *malloc(size_t size)
{
    allocator_calls++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocator_calls++;
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    allocator_calls++;
    return __libc_realloc(memory, size);
}

void free(void *memory)
{
    allocator_calls += memory != NULL;
    __libc_free(memory);
}
#endif

static const struct world_list lists[] = {
    {"sites", "adult", FORMAT_DOMAINS, MATCH_SUBTREE, "bad.example\nworse.example\n"},
    {"hosts", "gambling", FORMAT_HOSTS, MATCH_AUTO, "0.0.0.0 bet.example\n0.0.0.0 bad.example\n"},
    {"trackers", "ads", FORMAT_ADBLOCK, MATCH_AUTO,
     "||ads.example^\n@@||good.ads.example^\n||captive.example^\n"},
};

static const char config[] = "block: {page_ipv4: 192.0.2.80, ttl_s: 10}\n"
                             "groups:\n"
                             "  - {name: staff, clients: [10.1.0.0/16], block: [gambling]}\n"
                             "  - {name: pupils, clients: [], block: [adult, gambling, ads]}\n";

static const struct world_setup setup = {config, lists, 3, NULL, 0};

static void ask(struct world *world, const char *client, uint16_t type, const char *name)
{
    const struct world_question question = {client, NULL, name, type, true};
    world_ask(world, &question);
}

static void each_question_gets_its_answer(void **state)
{
    (void)state;
    static const struct {
        const char *behaviour, *client, *name;
        uint16_t type;
        const char *record;
        uint8_t rcode;
        int ede;
    } rows[] = {
        {"a listed name goes to the page", "10.0.0.7", "bad.example", 1, "A 192.0.2.80 10", 0, 17},
        {"below a subtree entry too", "10.0.0.7", "a.b.bad.example", 1, "A 192.0.2.80 10", 0, 17},
        {"AAAA without a page_ipv6 is NODATA", "10.0.0.7", "bad.example", 28, "", 0, 17},
        {"HTTPS is NODATA", "10.0.0.7", "bad.example", 65, "", 0, 17},
        {"TXT is NODATA", "10.0.0.7", "bad.example", 16, "", 0, 17},
        {"ANY of a blocked name is not asked", "10.0.0.7", "bad.example", 255, "", 0, 17},
        {"an exact entry covers the name", "10.0.0.7", "bet.example", 1, "A 192.0.2.80 10", 0, 17},
        {"and not what is below", "10.0.0.7", "www.bet.example", 1, "A 192.0.2.1 300", 0, -1},
        {"another group blocks less", "10.1.0.7", "worse.example", 1, "A 192.0.2.1 300", 0, -1},
        {"its own category still counts", "10.1.0.7", "bad.example", 1, "A 192.0.2.80 10", 0, 17},
        {"ads get the zero address", "10.0.0.7", "x.ads.example", 1, "A 0.0.0.0 10", 0, 17},
        {"and the zero IPv6 address", "10.0.0.7", "x.ads.example", 28, "AAAA :: 10", 0, 17},
        {"a list's exception holds", "10.0.0.7", "good.ads.example", 1, "A 192.0.2.1 300", 0, -1},
        {"a protected name is not blocked", "10.0.0.7", "captive.example", 1, "A 192.0.2.1 300", 0,
         -1},
        {"a stranger is refused", "8.8.8.8", "www.example", 1, "", 5, 18},
        {"a name that ends alike is another", "10.0.0.7", "notbad.example", 1, "A 192.0.2.1 300", 0,
         -1},
    };
    struct world *world = world_new(&setup);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s\n", rows[i].behaviour);
        ask(world, rows[i].client, rows[i].type, rows[i].name);
        assert_true(world->reply_len > 0);
        assert_string_equal(world_record(world, 0), rows[i].record);
        assert_int_equal(world_rcode(world), rows[i].rcode);
        assert_int_equal(world_ede(world), rows[i].ede);
    }
    assert_int_equal(world->held, 0);
    world_free(world);
}

static void a_blocked_name_never_goes_upstream(void **state)
{
    (void)state;
    static const uint16_t types[] = {1, 28, 65, 64, 16, 15, 33, 255, 99, 65280};
    struct world *world = world_new(&setup);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        ask(world, "10.0.0.7", types[i], "www.bad.example");
    }
    assert_int_equal(world->asked, 0);
    world_free(world);
}

static void answers_are_kept_and_age(void **state)
{
    (void)state;
    struct world *world = world_new(&setup);
    ask(world, "10.0.0.7", 1, "www.example");
    world->mono_us += 100 * 1000000ULL;
    ask(world, "10.0.0.8", 1, "www.example");
    assert_string_equal(world_record(world, 0), "A 192.0.2.1 200");
    assert_int_equal(world->asked, 1);
    world->mono_us += 200 * 1000000ULL;
    ask(world, "10.0.0.8", 1, "www.example");
    assert_string_equal(world_record(world, 0), "A 192.0.2.1 300");
    assert_int_equal(world->asked, 2);
    world->upstream = WORLD_NXDOMAIN;
    ask(world, "10.0.0.8", 1, "no.example");
    assert_int_equal(world_rcode(world), RCODE_NXDOMAIN);
    ask(world, "10.0.0.8", 1, "no.example");
    assert_int_equal(world_rcode(world), RCODE_NXDOMAIN);
    assert_int_equal(world->asked, 3);
    world_free(world);
}

static void a_name_that_a_new_list_blocks_is_blocked_although_cached(void **state)
{
    (void)state;
    static const struct world_list more[] = {
        {"sites", "adult", FORMAT_DOMAINS, MATCH_SUBTREE, "www.example\ntarget.example\n"},
    };
    static const struct world_setup changed = {config, more, 1, NULL, 0};
    struct world *world = world_new(&setup);
    ask(world, "10.0.0.7", 1, "www.example");
    world->upstream = WORLD_ALIAS;
    assert_int_equal(dname_parse("target.example", &world->upstream_alias), 0);
    ask(world, "10.0.0.7", 1, "alias.example");
    assert_string_equal(world_record(world, 0), "CNAME target.example 300");
    world_change(world, &changed);
    ask(world, "10.0.0.7", 1, "www.example");
    assert_string_equal(world_record(world, 0), "A 192.0.2.80 10");
    ask(world, "10.0.0.7", 1, "alias.example");
    assert_string_equal(world_record(world, 0), "A 192.0.2.80 10");
    ask(world, "10.1.0.7", 1, "alias.example"); /* staff may */
    assert_string_equal(world_record(world, 0), "CNAME target.example 300");
    world_change(world, &setup);
    ask(world, "10.0.0.7", 1, "alias.example");
    assert_string_equal(world_record(world, 0), "CNAME target.example 300");
    assert_int_equal(world->asked, 2);
    world_free(world);
}

static void an_alias_of_a_blocked_name_is_blocked(void **state)
{
    (void)state;
    struct world *world = world_new(&setup);
    world->upstream = WORLD_ALIAS;
    assert_int_equal(dname_parse("cdn.bad.example", &world->upstream_alias), 0);
    for (int i = 0; i < 2; i++) { /* fresh, then cached */
        ask(world, "10.0.0.7", 1, "innocent.example");
        assert_string_equal(world_record(world, 0), "A 192.0.2.80 10");
        assert_int_equal(world_ede(world), 17);
    }
    assert_int_equal(world->asked, 1);
    world_free(world);
}

static struct rule make_rule(const char *name, bool allow, bool exact, const char *group)
{
    struct rule rule = {.allow = allow, .exact = exact};
    assert_int_equal(dname_parse(name, &rule.name), 0);
    snprintf(rule.group, sizeof(rule.group), "%s", group);
    return rule;
}

static void local_rules_have_their_precedence(void **state)
{
    (void)state;
    const struct rule rules[] = {
        make_rule("bad.example", true, false, ""),
        make_rule("games.bad.example", false, false, ""),
        make_rule("school.example", false, true, ""),
        make_rule("both.example", false, false, ""),
        make_rule("both.example", true, false, ""),
        make_rule("deep.own.example", false, false, ""),
        make_rule("own.example", true, false, "pupils"),
        make_rule("captive.example", false, false, ""),
    };
    static const struct {
        const char *behaviour, *client, *name;
        bool blocked;
    } rows[] = {
        {"a rule beats the lists", "10.0.0.7", "www.bad.example", false},
        {"the longer name wins", "10.0.0.7", "x.games.bad.example", true},
        {"an exact rule covers the name", "10.0.0.7", "school.example", true},
        {"and nothing below", "10.0.0.7", "www.school.example", false},
        {"allow wins a tie", "10.0.0.7", "both.example", false},
        {"a group's rule beats a longer global one", "10.0.0.7", "deep.own.example", false},
        {"only in that group", "10.1.0.7", "deep.own.example", true},
        {"a rule beats protection", "10.0.0.7", "captive.example", true},
    };
    const struct world_setup ruled = {config, lists, 3, rules, 8};
    struct world *world = world_new(&ruled);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s\n", rows[i].behaviour);
        ask(world, rows[i].client, 1, rows[i].name);
        assert_int_equal(world_ede(world), rows[i].blocked ? 15 : -1);
    }
    world_free(world);
}

static void a_query_that_waits_is_judged_by_what_is_in_force_then(void **state)
{
    (void)state;
    static const struct world_list more[] = {
        {"sites", "adult", FORMAT_DOMAINS, MATCH_SUBTREE, "slow.example\n"},
    };
    static const struct world_setup changed = {config, more, 1, NULL, 0};
    struct world *world = world_new(&setup);
    world->upstream = WORLD_SILENT;
    ask(world, "10.0.0.7", 1, "slow.example");
    assert_int_equal(world->reply_len, 0);
    assert_int_equal(world->held, 1);
    world_change(world, &changed); /* frees the old snapshot */
    world->upstream = WORLD_ADDRESS;
    world_upstream_speaks(world);
    assert_string_equal(world_record(world, 0), "A 192.0.2.80 10");
    assert_int_equal(load_u16(world->reply), 0x1234);
    assert_int_equal(world->held, 0);
    world_free(world);
}

static void a_failing_upstream_means_stale_data_or_servfail(void **state)
{
    (void)state;
    struct world *world = world_new(&setup);
    ask(world, "10.0.0.7", 1, "www.example");
    world->mono_us += 1000 * 1000000ULL;
    world->upstream = WORLD_FAILS;
    ask(world, "10.0.0.7", 1, "www.example");
    assert_string_equal(world_record(world, 0), "A 192.0.2.1 30");
    assert_int_equal(world_ede(world), EDE_STALE);
    ask(world, "10.0.0.7", 1, "never.example");
    assert_int_equal(world_rcode(world), RCODE_SERVFAIL);
    assert_int_equal(world_ede(world), EDE_NO_REACHABLE_AUTHORITY);
    world_free(world);
}

static void the_sinkhole_is_the_asked_address_but_not_for_others_loopback(void **state)
{
    (void)state;
    static const struct {
        const char *behaviour, *client, *local;
        uint16_t type;
        const char *record;
    } rows[] = {
        {"the address that was asked", "10.0.0.7", "10.0.0.1", 1, "A 10.0.0.1 10"},
        {"IPv6 of an IPv6 query", "fe80::7", "fe80::1", 28, "AAAA fe80::1 10"},
        {"no IPv4 is known over IPv6", "fe80::7", "fe80::1", 1, ""},
        {"loopback to this host", "127.0.0.1", "127.0.0.1", 1, "A 127.0.0.1 10"},
        {"never loopback to another", "10.0.0.7", "127.0.0.1", 1, ""},
        {"never through a forwarder", "10.9.9.9", "10.0.0.1", 1, ""},
    };
    static const struct world_setup bare = {"dns: {trusted_forwarders: [10.9.9.9]}\n"
                                            "groups: [{name: all, clients: [], block: [adult]}]\n",
                                            lists, 3, NULL, 0};
    struct world *world = world_new(&bare);
    (void)world;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct world_question question = {rows[i].client, rows[i].local, "bad.example",
                                                rows[i].type, true};
        print_message("%s\n", rows[i].behaviour);
        world_ask(world, &question);
        assert_string_equal(world_record(world, 0), rows[i].record);
    }
    assert_true(world->worker.page_unset);
    world_free(world);
}

static void the_block_modes(void **state)
{
    (void)state;
    static const struct {
        const char *mode, *record;
        uint8_t rcode;
        unsigned soa;
    } rows[] = {
        {"page", "A 10.0.0.1 10", 0, 0}, {"nxdomain", "", RCODE_NXDOMAIN, 1}, {"nodata", "", 0, 1},
        {"zero", "A 0.0.0.0 10", 0, 0},  {"refused", "", RCODE_REFUSED, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[200];
        print_message("%s\n", rows[i].mode);
        snprintf(text, sizeof(text),
                 "block: {mode: %s}\ngroups: [{name: all, clients: [], block: [adult]}]\n",
                 rows[i].mode);
        const struct world_setup modal = {text, lists, 3, NULL, 0};
        struct world *world = world_new(&modal);
        ask(world, "10.0.0.7", 1, "bad.example");
        assert_string_equal(world_record(world, 0), rows[i].record);
        assert_int_equal(world_rcode(world), rows[i].rcode);
        assert_int_equal(load_u16(world->reply + 8), rows[i].soa);
        assert_int_equal(world_ede(world), 17);
        world_free(world);
    }
}

static void blocked_and_cached_answers_allocate_nothing(void **state)
{
    (void)state;
#ifdef COUNTED
    struct world *world = world_new(&setup);
    ask(world, "10.0.0.7", 1, "www.example");
    unsigned before = allocator_calls;
    for (int i = 0; i < 100; i++) {
        ask(world, "10.0.0.7", 1, "www.example");
        ask(world, "10.0.0.7", 1, "bad.example");
        ask(world, "10.0.0.7", 28, "x.y.bad.example");
        ask(world, "10.0.0.7", 1, "x.ads.example");
    }
    assert_int_equal(allocator_calls, before);
    ask(world, "10.0.0.7", 1, "uncached.example");
    char *probe = malloc(1); /* the counter counts */
    assert_true(allocator_calls > before);
    free(probe);
    world_free(world);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_question_gets_its_answer),
        cmocka_unit_test(a_blocked_name_never_goes_upstream),
        cmocka_unit_test(answers_are_kept_and_age),
        cmocka_unit_test(a_name_that_a_new_list_blocks_is_blocked_although_cached),
        cmocka_unit_test(an_alias_of_a_blocked_name_is_blocked),
        cmocka_unit_test(local_rules_have_their_precedence),
        cmocka_unit_test(a_query_that_waits_is_judged_by_what_is_in_force_then),
        cmocka_unit_test(a_failing_upstream_means_stale_data_or_servfail),
        cmocka_unit_test(the_sinkhole_is_the_asked_address_but_not_for_others_loopback),
        cmocka_unit_test(the_block_modes),
        cmocka_unit_test(blocked_and_cached_answers_allocate_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
