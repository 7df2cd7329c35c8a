// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "blocklists/compile.h"
#include "blocklists/gate.h"

static char out[] = "/tmp/greengate-test-gate-XXXXXX";

static struct blockdb *compile(const char *const *texts, size_t count)
{
    static const char *const ids[] = {"one", "two", "three"};
    struct build_source sources[3];
    struct source_report reports[3];
    struct diag diag = {0};
    struct blockdb *db = NULL;
    for (size_t i = 0; i < count; i++) {
        sources[i] = (struct build_source){.id = ids[i],
                                           .category = "adult",
                                           .url = "",
                                           .format = FORMAT_ADBLOCK,
                                           .fd = memfd_create("list", 0)};
        assert_true(write(sources[i].fd, texts[i], strlen(texts[i])) > 0);
    }
    struct build_job job = {.sources = sources, .source_count = count};
    assert_int_equal(compile_file(&job, out, reports, &diag), 0);
    assert_int_equal(blockdb_open(out, &db, &diag), 0);
    for (size_t i = 0; i < count; i++) {
        close(sources[i].fd);
    }
    return db;
}

static struct gate_report check(const char *const *texts, size_t count)
{
    static char *never[] = {"school.example"};
    struct text_list never_block = {never, 1};
    struct protected_list built_in;
    struct gate_report report;
    struct diag diag = {0};
    assert_int_equal(protected_load("blocklists/catalog", "protected", &built_in, &diag), 0);
    struct gate_guard guard = {&built_in, &never_block};
    struct blockdb *db = compile(texts, count);
    assert_int_equal(gate_check(db, &guard, &report), 0);
    blockdb_close(db);
    protected_clear(&built_in);
    return report;
}

static void protected_names_are_reported_with_list_and_entry(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "||microsoft.com^\n||captive.apple.com^\n||x.example^\n@@||captive.apple.com^\n",
        "|time.apple.com^\n||school.example^\n"};
    struct gate_report report = check(texts, 2);
    bool update = false;
    bool school = false;
    for (size_t i = 0; i < report.hit_count; i++) {
        const struct gate_hit *hit = &report.hits[i];
        assert_string_not_equal(hit->name, "captive.apple.com"); /* its own exception */
        if (strcmp(hit->name, "update.microsoft.com") == 0) {
            update = strcmp(hit->entry, "microsoft.com") == 0 && hit->source == 0;
        }
        if (strcmp(hit->name, "school.example") == 0) {
            school = hit->source == 1;
        }
    }
    assert_true(update);
    assert_true(school);
    assert_int_equal(report.held_count, 0);
    assert_int_equal(report.per_source[1], 2);
    gate_clear(&report);
}

static void a_name_and_its_www_twin_count_once(void **state)
{
    (void)state;
    static const char *const texts[] = {"|www.school.example^\n",
                                        "|school.example^\n|www.school.example^\n"};
    struct gate_report report = check(texts, 2);
    assert_int_equal(report.per_source[0], 1);
    assert_int_equal(report.per_source[1], 1);
    assert_string_equal(report.hits[0].name, "school.example");
    assert_string_equal(report.hits[1].name, "www.school.example");
    gate_clear(&report);
}

static void entries_that_do_not_cover_the_name_are_no_hit(void **state)
{
    (void)state;
    static const char *const texts[] = {"|ntp.org^\n||*.time.apple.com^\n||sub.github.com^\n"};
    struct gate_report report = check(texts, 1);
    assert_int_equal(report.total, 0);
    gate_clear(&report);
}

static void a_source_that_hits_many_is_held(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "||apple.com^\n||microsoft.com^\n||google.com^\n||debian.org^\n||ubuntu.com^\n"
        "||naver.com^\n||wikipedia.org^\n||go.kr^\n||github.com^\n||gstatic.com^\n||time.kriss.re.kr^\n",
        "||x.example^\n"};
    struct gate_report report = check(texts, 2);
    assert_true(report.per_source[0] > GATE_PROTECTED_MAX);
    assert_true(report.held[0]);
    assert_false(report.held[1]);
    assert_int_equal(report.held_count, 1);
    gate_clear(&report);
}

static void collapse_and_explosion_are_held(void **state)
{
    (void)state;
    static const struct {
        uint64_t before, now;
        int64_t shrink;
        int want;
    } rows[] = {
        {0, 5, 50, 0},           {100, 50, 50, 0},
        {100, 49, 50, -ERANGE},  {100, 300, 50, 0},
        {100, 301, 50, -ERANGE}, {5, 90, 50, 0},
        {1000, 0, 99, -ERANGE},  {1000, 0, 100, 0},
        {10, 2, 50, -ERANGE},    {1000000, 2999999, 50, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct diag diag = {0};
        assert_int_equal(gate_size(rows[i].before, rows[i].now, rows[i].shrink, &diag),
                         rows[i].want);
        assert_int_equal(rows[i].want != 0, diag.text[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protected_names_are_reported_with_list_and_entry),
        cmocka_unit_test(a_name_and_its_www_twin_count_once),
        cmocka_unit_test(entries_that_do_not_cover_the_name_are_no_hit),
        cmocka_unit_test(a_source_that_hits_many_is_held),
        cmocka_unit_test(collapse_and_explosion_are_held),
    };
    close(mkstemp(out));
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(out);
    return failed;
}
