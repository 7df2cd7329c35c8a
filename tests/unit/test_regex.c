// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/literal.h"
#include "policy/regex.h"
#include "zonelist.h"

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
/* Counts what this program and its libraries allocate. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
static unsigned allocations;

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    allocations++;
    return __libc_realloc(old, size);
}
#else
static unsigned allocations;
#endif

/* The compiled database of one list of these lines. */
static struct blockdb *compile(const char *lines)
{
    char path[] = "/tmp/greengate-test-regex-XXXXXX";
    const struct world_list list = {"kinds", "adult", FORMAT_ZONELIST, 0, lines};
    struct blockdb *db = NULL;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    zonelist_write(fd, &list, 1, 1000);
    close(fd);
    assert_int_equal(blockdb_open(path, &db, NULL), 0);
    unlink(path);
    return db;
}

/* Which pattern matches first; candidates alone when `tried` is not NULL. */
static int match(const struct regex_set *set, const char *text, unsigned *tried)
{
    struct dname name;
    struct regex_name prepared;
    assert_int_equal(dname_parse(text, &name), 0);
    bool some = regex_prepare(set, &name, &prepared);
    for (int k = some ? regex_next(&prepared, 0) : -1; k >= 0;
         k = regex_next(&prepared, (uint32_t)k + 1)) {
        *tried += 1;
        if (regex_matches(set, (uint32_t)k, &prepared)) {
            return k;
        }
    }
    return -1;
}

static void literals_are_what_a_pattern_needs(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *literals; /* "|" between; "" = none known */
    } rows[] = {
        {"casino", "casino"},
        {"^casino\\.example$", "casino.example"},
        {"CaSino", "casino"},
        {"(casino|poker)", "casino|poker"},
        {"(?:casino|poker)[0-9]+", "casino|poker"},
        {"casino|poker", "casino|poker"},
        {"casino|[0-9]", ""},
        {"casino|no", ""},
        {"ad[0-9]server", "server"},
        {"casin?o", "casi"},
        {"casino*", "casin"},
        {"casino+x", "casino"},
        {"casino{2,}", "casino"},
        {"casino{0,3}", "casin"},
        {"(casino)?poker", "poker"},
        {"(casino)*", ""},
        {"(casino)+", "casino"},
        {"a(b(cdef|ghij)k)l", "cdef|ghij"},
        {"[abc]", ""},
        {"[]abc]defg", "defg"},
        {"[[:digit:]]defg", "defg"},
        {"\\d{3}defg", "defg"},
        {"\\bdefg\\b", "defg"},
        {".*", ""},
        {"ab", ""},
        {"(?i)casino", ""},
        {"(?=casino)", ""},
        {"casino\\1", ""},
        {"\\x63asino", ""},
        {"(casino", ""},
        {"casino)", ""},
        {"[casino", ""},
        {"casino{x}", ""},
        {"", ""},
        {"abcdefghijklmnopqrstuvwxyz", "abcdefghijklmno"},
        {"aaa1|aaa2|aaa3|aaa4|aaa5|aaa6|aaa7|aaa8", "aaa1|aaa2|aaa3|aaa4|aaa5|aaa6|aaa7|aaa8"},
        {"aaa1|aaa2|aaa3|aaa4|aaa5|aaa6|aaa7|aaa8|aaa9", ""},
        {"((((((((((((((((((casino))))))))))))))))))", ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct literals literals;
        char all[LITERALS_MAX * (LITERAL_MAX + 2)] = "";
        literal_require(rows[i].pattern, &literals);
        for (unsigned k = 0; k < literals.count; k++) {
            strcat(strcat(all, k ? "|" : ""), literals.text[k]);
        }
        print_message("%s\n", rows[i].pattern);
        assert_string_equal(all, rows[i].literals);
    }
}

static void patterns_match_names(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool matches;
    } rows[] = {
        {"^ad[0-9]+\\.", "ad7.example", true},
        {"^ad[0-9]+\\.", "AD7.Example", true},
        {"^AD[0-9]+\\.", "ad7.example", true},
        {"^ad[0-9]+\\.", "bad7.example", false},
        {"example$", "a.example", true},
        {"example$", "example.a", false},
        {"(^|\\.)track(er|ing)?\\.", "x.tracking.example", true},
        {"(^|\\.)track(er|ing)?\\.", "x.attracking.example", false},
        {"(a)\\1\\.", "aa.example", true},
        {"^(?!www\\.)casino", "casino.example", true},
        {"^(?!www\\.)casino", "www.casino.example", false},
        {"aa\\.casino\\.b", "xaa.casino.bx", true},
        {"a\\.b\\.c", "a.b.c", true},
        {"^casino$", "casino", true},
        {"asino$", "casino", true},
        {"ino\\.ab", "casino.ab", true},
        {"ino\\.ab", "casino.ac", false},
        {"^\\.$", ".", false},
        {"^$", ".", true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char line[128];
        unsigned tried = 0;
        struct regex_report report;
        struct regex_set *set = NULL;
        snprintf(line, sizeof(line), "/%s/\n", rows[i].pattern);
        struct blockdb *db = compile(line);
        assert_int_equal(regex_set_new(db, &set, &report), 0);
        assert_int_equal(report.left_out, 0);
        print_message("%s %s\n", rows[i].pattern, rows[i].name);
        assert_int_equal(match(set, rows[i].name, &tried), rows[i].matches ? 0 : -1);
        regex_set_free(set);
        blockdb_close(db);
    }
}

static void a_bad_pattern_is_left_out_and_told(void **state)
{
    (void)state;
    unsigned tried = 0;
    struct regex_report report;
    struct regex_set *set = NULL;
    struct blockdb *db = compile("/casi(no/\n/poker/\n/[z-a]/\n");
    assert_int_equal(regex_set_new(db, &set, &report), 0);
    assert_int_equal(report.left_out, 2);
    assert_non_null(strstr(report.diag.text, "kinds"));
    assert_true(match(set, "poker.example", &tried) >= 0);
    assert_int_equal(match(set, "casino.example", &tried), -1);
    regex_set_free(set);
    blockdb_close(db);
    db = compile("plain.example\n");
    assert_int_equal(regex_set_new(db, &set, &report), 0);
    assert_null(set);
    blockdb_close(db);
}

static void letters_spare_the_matching(void **state)
{
    (void)state;
    char lines[8192] = "";
    unsigned tried = 0;
    struct regex_report report;
    struct regex_set *set = NULL;
    for (unsigned i = 0; i < 100; i++) {
        char line[64];
        snprintf(line, sizeof(line), "/(^|\\.)track%02u[a-z]*\\./\n", i);
        strcat(lines, line);
    }
    struct blockdb *db = compile(lines);
    assert_int_equal(regex_set_new(db, &set, &report), 0);
    assert_int_equal(match(set, "www.example.com", &tried), -1);
    assert_int_equal(tried, 0);
    assert_true(match(set, "x.track42y.example", &tried) >= 0);
    assert_int_equal(tried, 1);
    regex_set_free(set);
    blockdb_close(db);
}

/* Each step of a+ may be taken back: without a limit this runs for ages. */
static void a_costly_pattern_ends_without_a_match(void **state)
{
    (void)state;
    unsigned tried = 0;
    struct regex_report report;
    struct regex_set *set = NULL;
    struct blockdb *db = compile("/^(a+)+(b+)+c[0-9]$/\n/^((((((((((a|b)*)*)*)*)*)*)*)*)*)*z$/\n");
    assert_int_equal(regex_set_new(db, &set, &report), 0);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(
            match(set, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbb.example",
                  &tried),
            -1);
    }
    assert_int_equal(match(set, "aaabbc7", &tried), 1); /* within the limit it matches */
    assert_int_equal(tried, 2002);
    regex_set_free(set);
    blockdb_close(db);
}

static void matching_allocates_nothing(void **state)
{
    (void)state;
    unsigned tried = 0;
    struct regex_report report;
    struct regex_set *set = NULL;
    struct blockdb *db = compile("/^(a|b|ab)*c$/\n/^([a-z]+\\.)*x(y|z)+$/\n/casino/\n");
    unsigned before = allocations;
    assert_int_equal(regex_set_new(db, &set, &report), 0);
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
    assert_true(allocations > before); /* else nothing is counted */
#endif
    before = allocations;
    (void)match(set, "abababababababababababababababababababababababababababababababd", &tried);
    (void)match(set, "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.xyzzz", &tried);
    (void)match(set, "www.casino.example", &tried);
    assert_int_equal(allocations, before);
    assert_true(tried >= 5);
    regex_set_free(set);
    blockdb_close(db);
}

static void the_cost_of_a_list_is_measured(void **state)
{
    (void)state;
    struct regex_cost cost;
    struct blockdb *db = compile("/^[a-z0-9]{4}\\./\n/casino/\n/(bad/\n");
    assert_int_equal(regex_measure(db, 0, &cost), 0);
    assert_int_equal(cost.patterns, 2);
    assert_int_equal(cost.always, 1);
    assert_true(cost.ns_per_name > 1 && cost.ns_per_name < 1e6);
    assert_int_equal(regex_measure(db, 9, &cost), 0);
    assert_int_equal(cost.patterns, 0);
    blockdb_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_are_what_a_pattern_needs),
        cmocka_unit_test(patterns_match_names),
        cmocka_unit_test(a_bad_pattern_is_left_out_and_told),
        cmocka_unit_test(letters_spare_the_matching),
        cmocka_unit_test(a_costly_pattern_ends_without_a_match),
        cmocka_unit_test(matching_allocates_nothing),
        cmocka_unit_test(the_cost_of_a_list_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
