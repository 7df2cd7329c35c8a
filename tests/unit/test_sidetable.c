// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "blocklists/blockdb_layout.h"
#include "blocklists/sidetable.h"

static const struct side_owner first = {100, 0, BLOCKDB_SELF};
static const struct side_owner below = {100, 0, BLOCKDB_BELOW};
static const struct side_owner other = {200, 1, BLOCKDB_SELF};

static void add(struct sidetable *table, const struct side_owner *owner, const char *record)
{
    const struct span span = {record, strlen(record)};
    assert_int_equal(sidetable_add_data(table, owner, &span), 0);
}

static void add_pattern(struct sidetable *table, uint16_t source, const char *text)
{
    const struct blockdb_pattern pattern = {.source = source, .flags = BLOCKDB_SELF};
    const struct span span = {text, strlen(text)};
    assert_int_equal(sidetable_add_pattern(table, &pattern, &span), 0);
}

static void records_of_an_owner_come_together_in_any_order(void **state)
{
    (void)state;
    for (unsigned turn = 0; turn < 2; turn++) {
        struct sidetable *table = sidetable_new();
        uint32_t count;
        add(table, &first, turn ? "bb" : "aa");
        add(table, &other, "aabb");
        add(table, &below, "cc");
        add(table, &first, turn ? "aa" : "bb");
        add(table, &first, "aa");
        sidetable_sort(table);
        assert_int_equal(sidetable_data(table, &below), 1);
        assert_int_equal(sidetable_data(table, &first), 2);
        assert_int_equal(sidetable_data(table, &first), 2);
        assert_int_equal(sidetable_data(table, &other), 2); /* the same octets */
        assert_int_equal(
            sidetable_data(table, &(struct side_owner){100, 0, BLOCKDB_SELF | ENTRY_ADDRESS}), 0);
        const struct blockdb_data *data = sidetable_numbered(table, &count);
        assert_int_equal(count, 2);
        assert_int_equal(data[1].len, 4);
        assert_memory_equal(data[1].records, "aabb", 4);
        sidetable_free(table);
    }
}

static void patterns_are_sorted_and_once(void **state)
{
    (void)state;
    struct sidetable *table = sidetable_new();
    uint32_t count;
    add_pattern(table, 1, "zz");
    add_pattern(table, 0, "yy");
    add_pattern(table, 1, "aa");
    add_pattern(table, 1, "zz");
    sidetable_sort(table);
    const struct blockdb_pattern *patterns = sidetable_patterns(table, &count);
    assert_int_equal(count, 3);
    assert_string_equal(patterns[0].text, "yy");
    assert_string_equal(patterns[1].text, "aa");
    assert_string_equal(patterns[2].text, "zz");
    sidetable_clear(table);
    (void)sidetable_patterns(table, &count);
    assert_int_equal(count, 0);
    sidetable_free(table);
}

static void limits_hold_from_both_sides(void **state)
{
    (void)state;
    struct sidetable *table = sidetable_new();
    const struct blockdb_pattern pattern = {.flags = BLOCKDB_SELF};
    const struct span text = {"x", 1};
    for (unsigned i = 0; i < BLOCKDB_PATTERNS_MAX; i++) {
        char word[8];
        struct span one = {word, (size_t)snprintf(word, sizeof(word), "p%03u", i + 1)};
        assert_int_equal(sidetable_add_pattern(table, &pattern, &one), 0);
        assert_int_equal(sidetable_add_pattern(table, &pattern, &one), 0);
    }
    /* the first in their order stay, whenever they come */
    assert_int_equal(sidetable_add_pattern(table, &pattern, &text), -E2BIG);
    assert_int_equal(sidetable_add_pattern(table, &pattern, &(struct span){"p000", 4}), -E2BIG);
    uint32_t count;
    sidetable_sort(table);
    assert_string_equal(sidetable_patterns(table, &count)[0].text, "p000");
    assert_int_equal(count, BLOCKDB_PATTERNS_MAX);
    assert_string_equal(sidetable_patterns(table, &count)[count - 1].text, "p499");
    for (unsigned i = 0; i < SIDETABLE_RECORDS_MAX; i++) {
        assert_int_equal(sidetable_add_data(table, &first, &text), 0);
    }
    assert_int_equal(sidetable_add_data(table, &first, &text), -E2BIG);
    sidetable_clear(table);
    static char big[SIDETABLE_BYTES_MAX];
    const struct span most = {big, sizeof(big)};
    assert_int_equal(sidetable_add_data(table, &first, &most), 0);
    assert_int_equal(sidetable_add_data(table, &first, &text), -E2BIG);
    sidetable_free(table);
    sidetable_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_of_an_owner_come_together_in_any_order),
        cmocka_unit_test(patterns_are_sorted_and_once),
        cmocka_unit_test(limits_hold_from_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
