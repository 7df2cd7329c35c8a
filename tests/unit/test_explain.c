// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/explain.h"
#include "query/alias.h"
#include "zonelist.h"

static const struct world_list lists[] = {
    {"nets", "gambling", FORMAT_ZONELIST, 0, "192.0.2.0/24\n192.0.2.8\n2001:db8::/32\n"},
    {"trial", "adult", FORMAT_ZONELIST, 0, "shadow.example\n192.0.2.0/25\n"},
    {"zone", "adult", FORMAT_ZONELIST, 0,
     "nx.example CNAME .\nempty.example CNAME *.\ngone.example CNAME rpz-drop.\n"
     "slow.example CNAME rpz-tcp-only.\nown.example A 192.0.2.9\nplain.example\n"
     "good.plain.example CNAME rpz-passthru.\n/^ad[0-9]/\n"},
};
static const struct world_setup setup = {
    "lists: {sources: [{id: trial, url: \"file:///x\", category: adult, shadow: true}]}\n"
    "groups:\n  - {name: staff, clients: [10.1.0.0/16], block: [games]}\n"
    "  - {name: all, block: [adult, gambling]}\n",
    lists, 3, NULL, 0};

static const struct {
    const char *client, *name;
    bool blocked;
    const char *reason, *action, *mode, *entry, *list, *shadow;
    int ede;
} verdicts[] = {
    {"10.0.0.7", "nx.example", true, "list", "nxdomain", "nxdomain", "nx.example", "zone", "", 17},
    {"10.0.0.7", "empty.example", true, "list", "nodata", "nodata", "empty.example", "zone", "",
     17},
    {"10.0.0.7", "gone.example", true, "list", "drop", "page", "gone.example", "zone", "", -1},
    {"10.0.0.7", "own.example", true, "list", "local", "page", "own.example", "zone", "", 4},
    {"10.0.0.7", "slow.example", false, "tcp-only", "tcp-only", "", "slow.example", "zone", "", -1},
    {"10.0.0.7", "x.plain.example", true, "list", "block", "page", "plain.example", "zone", "", 17},
    {"10.0.0.7", "good.plain.example", false, "list-exception", "", "", "plain.example", "zone", "",
     -1},
    {"10.0.0.7", "ad7.example", true, "list", "block", "page", "/^ad[0-9]/", "zone", "", 17},
    {"10.0.0.7", "shadow.example", false, "not-listed", "", "", "", "", "trial", -1},
    {"10.1.0.7", "nx.example", false, "category-not-blocked", "", "", "nx.example", "zone", "", -1},
    {"10.0.0.7", "192.0.2.8", true, "list-address", "block", "page", "192.0.2.8", "nets", "", 17},
    {"10.0.0.7", "192.0.2.200", true, "list-address", "block", "page", "192.0.2.0/24", "nets", "",
     17},
    {"10.0.0.7", "2001:db8:7::1", true, "list-address", "block", "page", "2001:db8::/32", "nets",
     "", 17},
    {"10.0.0.7", "198.51.100.1", false, "not-listed", "", "", "", "", "", -1},
};

static void a_verdict_is_told_whole(void **state)
{
    (void)state;
    struct world *world = world_new(&setup);
    struct explanation *why = malloc(sizeof(*why));
    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        struct addr client, addr;
        struct dname name;
        const struct asker asker = {&client, 0};
        const struct held_address held = {&addr, NULL};
        assert_int_equal(addr_parse(verdicts[i].client, &client), 0);
        if (addr_parse(verdicts[i].name, &addr) == 0) {
            policy_explain_address(world->snapshot, &held, &asker, why);
            assert_string_equal(why->address, verdicts[i].name);
        } else {
            assert_int_equal(dname_parse(verdicts[i].name, &name), 0);
            policy_explain(world->snapshot, &name, &asker, why);
        }
        print_message("%s\n", verdicts[i].name);
        assert_string_equal(why->name, verdicts[i].name);
        assert_int_equal(why->blocked, verdicts[i].blocked);
        assert_string_equal(why->reason, verdicts[i].reason);
        assert_string_equal(why->action, verdicts[i].action);
        assert_string_equal(why->mode, verdicts[i].mode);
        assert_string_equal(why->entry, verdicts[i].entry);
        assert_string_equal(why->list, verdicts[i].list);
        assert_string_equal(why->shadow_list, verdicts[i].shadow);
        assert_int_equal(why->ede, verdicts[i].ede);
    }
    free(why);
    world_free(world);
}

static void every_list_that_covers_it_is_told(void **state)
{
    (void)state;
    struct world *world = world_new(&setup);
    struct explanation *why = malloc(sizeof(*why));
    struct addr addr;
    struct dname name;
    const struct asker asker = {NULL, 1};
    const struct held_address held = {&addr, NULL};
    assert_int_equal(addr_parse("192.0.2.8", &addr), 0);
    policy_explain_address(world->snapshot, &held, &asker, why);
    assert_int_equal(why->listed_count, 3);
    assert_string_equal(why->listed[0].entry, "192.0.2.8");
    assert_string_equal(why->listed[1].entry, "192.0.2.0/25");
    assert_true(why->listed[1].shadow);
    assert_string_equal(why->listed[2].entry, "192.0.2.0/24");
    assert_string_equal(why->listed[2].covers, "address");
    assert_int_equal(dname_parse("ad7.plain.example", &name), 0);
    policy_explain(world->snapshot, &name, &asker, why);
    assert_int_equal(why->listed_count, 2);
    assert_string_equal(why->listed[1].covers, "pattern");
    assert_string_equal(why->listed[1].entry, "/^ad[0-9]/");
    free(why);
    world_free(world);
}

/* When a rule ends, and whether the name is open then. */
static void the_end_of_a_rule_is_told(void **state)
{
    (void)state;
    enum { SOON = 1900000000, LATER = SOON + 3600 };
    static struct rule rules[] = {
        {.expires_at = SOON},
        {.expires_at = SOON}, /* which a list blocks too */
        {.expires_at = SOON}, /* and the next rule */
        {.expires_at = LATER},
        {.expires_at = 0}, /* for good */
        {.expires_at = SOON, .allow = true},
        {.expires_at = SOON, .pattern = "^noise"},
    };
    static const struct {
        const char *name; /* of the rule */
        const char *asked;
        bool blocked;
        int64_t until, opens_at;
    } rows[] = {
        {"brief.test", "www.brief.test", true, SOON, SOON},
        {"plain.example", "plain.example", true, SOON, 0},
        {"twice.under.test", "twice.under.test", true, SOON, 0},
        {"under.test", "once.under.test", true, LATER, LATER},
        {"always.test", "always.test", true, 0, 0},
        {"nx.example", "nx.example", false, SOON, 0},
        {".", "noise7.test", true, SOON, SOON},
    };
    struct world_setup with = setup;
    with.rules = rules;
    with.rule_count = sizeof(rows) / sizeof(rows[0]);
    for (size_t i = 0; i < with.rule_count; i++) {
        assert_int_equal(dname_parse(rows[i].name, &rules[i].name), 0);
    }
    struct world *world = world_new(&with);
    struct explanation *why = malloc(sizeof(*why));
    for (size_t i = 0; i < with.rule_count; i++) {
        struct dname name;
        assert_int_equal(dname_parse(rows[i].asked, &name), 0);
        policy_explain(world->snapshot, &name, &(struct asker){NULL, 1}, why);
        print_message("%s\n", rows[i].asked);
        assert_int_equal(why->blocked, rows[i].blocked);
        assert_int_equal(why->until, rows[i].until);
        assert_int_equal(why->opens_at, rows[i].opens_at);
    }
    free(why);
    world_free(world);
}

/* The warning page asks a moment after the answer was blocked. */
static void the_address_behind_a_name_is_found(void **state)
{
    (void)state;
    struct world *world = world_new(&setup);
    struct dname name;
    struct lead lead;
    char text[ADDR_TEXT_MAX];
    const struct world_question question = {
        .client = "10.0.0.7", .name = "site.example", .type = 1};
    assert_int_equal(dname_parse("site.example", &name), 0);
    const struct alias_look look = {world->snapshot, world->worker.cache, &world->clock, &name, 1};
    const struct alias_look of_staff = {world->snapshot, world->worker.cache, &world->clock, &name,
                                        0};
    assert_false(alias_find_blocked(&look, &lead));
    world_ask(world, &question); /* 192.0.2.1 */
    assert_true(alias_find_blocked(&look, &lead));
    assert_string_equal(addr_print(&lead.addr, text), "192.0.2.1");
    assert_false(alias_find_blocked(&of_staff, &lead));
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verdict_is_told_whole),
        cmocka_unit_test(every_list_that_covers_it_is_told),
        cmocka_unit_test(the_end_of_a_rule_is_told),
        cmocka_unit_test(the_address_behind_a_name_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
