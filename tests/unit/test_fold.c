// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "blocklists/fold.h"

enum { KEY = 11 };

static struct dname name_of(const char *text)
{
    struct dname name;
    assert_int_equal(dname_parse(text, &name), 0);
    return name;
}

static void add(struct fold_set *set, uint64_t key, const char *text)
{
    struct dname name = name_of(text);
    fold_set_add(set, key, &name);
}

static unsigned parent(struct fold_set *set, uint64_t key, const char *text, unsigned from)
{
    struct dname name = name_of(text);
    fold_set_settle(set);
    return fold_set_parent(set, key, &name, from);
}

static void nearest_parent_of_the_same_list_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *behaviour, *name;
        uint64_t key;
        unsigned from, skip;
    } rows[] = {
        {"a parent", "a.bad.example", KEY, 1, 1},
        {"a parent further up", "b.a.bad.example", KEY, 1, 2},
        {"the nearest of two", "x.deep.bad.example", KEY, 1, 1},
        {"and the next behind it", "x.deep.bad.example", KEY, 2, 2},
        {"not the name itself", "bad.example", KEY, 1, 0},
        {"not what ends alike", "a.notbad.example", KEY, 1, 0},
        {"not another list's", "a.bad.example", KEY + 1, 1, 0},
        {"the root has no parent", ".", KEY, 1, 0},
    };
    struct fold_set *set = fold_set_new();
    assert_non_null(set);
    add(set, KEY, "bad.example");
    add(set, KEY, "deep.bad.example");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s\n", rows[i].behaviour);
        assert_int_equal(parent(set, rows[i].key, rows[i].name, rows[i].from), rows[i].skip);
    }
    fold_set_free(set);
}

static void empty_set_finds_nothing(void **state)
{
    (void)state;
    struct fold_set *set = fold_set_new();
    assert_int_equal(parent(set, KEY, "a.bad.example", 1), 0);
    fold_set_free(set);
    fold_set_free(NULL);
}

static void number_name(unsigned number, struct dname *name)
{
    char text[64];
    snprintf(text, sizeof(text), "n%u.example", number);
    *name = name_of(text);
}

/* Which of the numbered names a set still holds, as a sum and a count. */
static unsigned count_held(struct fold_set *set, unsigned count, uint64_t *ret_sum)
{
    unsigned held = 0;
    *ret_sum = 0;
    for (unsigned i = 0; i < count; i++) {
        char text[64];
        snprintf(text, sizeof(text), "x.n%u.example", i);
        if (parent(set, KEY, text, 1) == 1) {
            held++;
            *ret_sum += i;
        }
    }
    return held;
}

static void past_the_limit_what_is_kept_does_not_depend_on_the_order(void **state)
{
    (void)state;
    enum { COUNT = FOLD_NAMES_MAX + 100000 };
    struct fold_set *up = fold_set_new();
    struct fold_set *down = fold_set_new();
    struct dname name;
    uint64_t sums[2];
    for (unsigned i = 0; i < FOLD_NAMES_MAX; i++) {
        number_name(i, &name);
        fold_set_add(up, KEY, &name);
    }
    assert_int_equal(count_held(up, FOLD_NAMES_MAX, &sums[0]), FOLD_NAMES_MAX);
    for (unsigned i = FOLD_NAMES_MAX; i < COUNT; i++) {
        number_name(i, &name);
        fold_set_add(up, KEY, &name);
    }
    for (unsigned i = COUNT; i-- > 0;) {
        number_name(i, &name);
        fold_set_add(down, KEY, &name);
    }
    unsigned held = count_held(up, COUNT, &sums[0]);
    assert_in_range(held, COUNT / 3, COUNT * 2 / 3);
    assert_int_equal(count_held(down, COUNT, &sums[1]), held);
    assert_true(sums[0] == sums[1]);
    fold_set_free(up);
    fold_set_free(down);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest_parent_of_the_same_list_is_found),
        cmocka_unit_test(empty_set_finds_nothing),
        cmocka_unit_test(past_the_limit_what_is_kept_does_not_depend_on_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
