// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "blocklists/compile.h"
#include "blocklists/record.h"

static char folder[] = "/tmp/greengate-test-compile-XXXXXX";
static char out[PATH_MAX];

static int text_fd(const char *text, size_t len)
{
    int fd = memfd_create("list", MFD_CLOEXEC);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    return fd;
}

static struct build_source source_of(const char *id, int format, const char *text)
{
    return (struct build_source){.id = id,
                                 .category = "adult",
                                 .url = "file:///x",
                                 .format = format,
                                 .fetched_at = 1000,
                                 .fd = text_fd(text, strlen(text))};
}

static int compile_within(struct build_source *sources, size_t count, struct source_report *reports,
                          size_t memory)
{
    struct diag diag = {0};
    struct build_job job = {.sources = sources, .source_count = count, .memory = memory};
    int err = compile_file(&job, out, reports, &diag);
    for (size_t i = 0; i < count; i++) {
        close(sources[i].fd);
    }
    return err;
}

static int compile(struct build_source *sources, size_t count, struct source_report *reports)
{
    return compile_within(sources, count, reports, 0);
}

static struct blockdb *open_out(void)
{
    struct blockdb *db = NULL;
    struct diag diag = {0};
    assert_int_equal(blockdb_open(out, &db, &diag), 0);
    return db;
}

/* What the database says about a name: "skip:source:flags" of each item. */
static const char *verdicts(const struct blockdb *db, const char *text)
{
    static char line[512];
    struct dname name;
    struct blockdb_probe probe;
    struct blockdb_hit hits[DNAME_LABELS_MAX];
    assert_int_equal(dname_parse(text, &name), 0);
    blockdb_probe(db, &name, &probe);
    size_t count = blockdb_find(db, &probe, hits);
    line[0] = '\0';
    for (size_t h = 0; h < count; h++) {
        size_t items;
        const struct blockdb_item *item = blockdb_class(db, hits[h].class_id, &items);
        for (size_t i = 0; i < items; i++) {
            size_t used = strlen(line);
            snprintf(line + used, sizeof(line) - used, "%s%u:%s:%u", used ? " " : "", hits[h].skip,
                     blockdb_source(db, item[i].source)->id, item[i].flags);
        }
    }
    return line;
}

static void exact_and_subtree_of_one_name_stand_side_by_side(void **state)
{
    (void)state;
    struct source_report reports[3];
    struct build_source sources[] = {
        source_of("b-hosts", FORMAT_HOSTS,
                  "0.0.0.0 x.example\n0.0.0.0 x.example\n0.0.0.0 y.example\n"),
        source_of(
            "a-adblock", FORMAT_ADBLOCK,
            "||x.example^\n@@||www.x.example^\n||y.example^$important\n@@||y.example^\n||z.example^\n|z.example^\n"),
        source_of("c-wild", FORMAT_ADBLOCK, "||*.x.example^\n"),
    };
    static const struct {
        const char *name, *want;
    } rows[] = {
        {"x.example", "0:a-adblock:3 0:b-hosts:1 0:c-wild:2"},
        {"www.x.example", "0:a-adblock:7 1:a-adblock:3 1:b-hosts:1 1:c-wild:2"},
        {"a.b.x.example", "2:a-adblock:3 2:b-hosts:1 2:c-wild:2"},
        {"y.example", "0:a-adblock:7 0:a-adblock:11 0:b-hosts:1"},
        {"z.example", "0:a-adblock:3"},
        {"example", ""},
    };
    assert_int_equal(compile(sources, 3, reports), 0);
    struct blockdb *db = open_out();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_string_equal(verdicts(db, rows[i].name), rows[i].want);
    }
    assert_int_equal(blockdb_info(db)->names, 4);
    assert_string_equal(blockdb_source(db, 1)->id, "b-hosts");
    assert_int_equal(blockdb_source(db, 1)->entries, 2);
    assert_string_equal(blockdb_source(db, 1)->version, "1970-01-01T00:16:40Z");
    assert_int_equal(reports[0].duplicates, 1);
    assert_int_equal(reports[1].entries, 5);
    assert_int_equal(reports[1].duplicates, 1);
    assert_int_equal(reports[1].exceptions, 2);
    blockdb_close(db);
}

static void names_below_a_subtree_of_the_same_list_are_folded(void **state)
{
    (void)state;
    static const struct {
        const char *behaviour, *text;
        uint64_t folded;
        const char *name, *want;
    } rows[] = {
        {"a child says nothing new", "||x.example^\n||a.x.example^\n", 1, "a.x.example", "1:l:3"},
        {"in any order", "||b.a.x.example^\n||a.x.example^\n||x.example^\n", 2, "b.a.x.example",
         "2:l:3"},
        {"an exact parent covers no child", "|x.example^\n||a.x.example^\n", 0, "a.x.example",
         "0:l:3 1:l:1"},
        {"an exact child stays", "||x.example^\n|a.x.example^\n", 0, "a.x.example", "0:l:1 1:l:3"},
        {"an exception stays", "||x.example^\n@@||a.x.example^\n", 0, "a.x.example", "0:l:7 1:l:3"},
        {"an important one stays", "||x.example^\n||a.x.example^$important\n", 0, "a.x.example",
         "0:l:11 1:l:3"},
        {"a public suffix is no parent", "||co.kr^\n||x.co.kr^\n", 0, "x.co.kr", "0:l:3 1:l:1"},
        {"a list that cancels is not folded",
         "||x.example^\n||a.x.example^\n||x.example^$badfilter\n", 0, "a.x.example", "0:l:3"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct source_report reports[2];
        struct build_source sources[] = {source_of("l", FORMAT_ADBLOCK, rows[i].text),
                                         source_of("m", FORMAT_ADBLOCK, "||y.example^\n")};
        print_message("%s\n", rows[i].behaviour);
        assert_int_equal(compile(sources, 2, reports), 0);
        struct blockdb *db = open_out();
        assert_int_equal(reports[0].folded, rows[i].folded);
        assert_int_equal(reports[0].duplicates, 0);
        assert_string_equal(verdicts(db, rows[i].name), rows[i].want);
        assert_int_equal(blockdb_source(db, 0)->format, FORMAT_ADBLOCK);
        blockdb_close(db);
    }
}

static void one_list_never_folds_into_another(void **state)
{
    (void)state;
    struct source_report reports[2];
    struct build_source sources[] = {source_of("l", FORMAT_ADBLOCK, "||x.example^\n"),
                                     source_of("m", FORMAT_ADBLOCK, "||a.x.example^\n")};
    assert_int_equal(compile(sources, 2, reports), 0);
    struct blockdb *db = open_out();
    assert_string_equal(verdicts(db, "a.x.example"), "0:m:3 1:l:3");
    assert_int_equal(reports[1].folded, 0);
    blockdb_close(db);
}

static void exceptions_of_wide_scope_are_marked(void **state)
{
    (void)state;
    struct source_report reports[2];
    struct build_source sources[] = {
        source_of("l", FORMAT_ADBLOCK, "@@||x.example^\n||z.example^\n"),
        source_of("m", FORMAT_ADBLOCK, "@@||x.example^\n||x.example^\n")};
    sources[0].scope_all = true;
    assert_int_equal(compile(sources, 2, reports), 0);
    struct blockdb *db = open_out();
    assert_string_equal(verdicts(db, "x.example"), "0:l:23 0:m:3 0:m:7");
    assert_string_equal(verdicts(db, "z.example"), "0:l:3");
    blockdb_close(db);
}

static void badfilter_cancels_in_its_own_list_only(void **state)
{
    (void)state;
    struct source_report reports[2];
    struct build_source sources[] = {
        source_of("a", FORMAT_ADBLOCK,
                  "||gone.example^$badfilter\n||gone.example^\n||gone.example^\n"
                  "||kept.example^\n||kept.example^$important,badfilter\n|half.example^\n"
                  "||half.example^\n||half.example^$badfilter\n@@||kept.example^\n"
                  "@@||kept.example^$badfilter\n||never.example^$badfilter\n"),
        source_of("b", FORMAT_ADBLOCK, "||gone.example^\n||b.example^$denyallow=c.b.example\n"),
    };
    static const struct {
        const char *name, *want;
    } rows[] = {
        {"gone.example", "0:b:3"}, {"kept.example", "0:a:3"},      {"half.example", "0:a:1"},
        {"never.example", ""},     {"c.b.example", "0:b:7 1:b:3"}, {"b.example", "0:b:3"},
    };
    assert_int_equal(compile(sources, 2, reports), 0);
    struct blockdb *db = open_out();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_string_equal(verdicts(db, rows[i].name), rows[i].want);
    }
    assert_int_equal(blockdb_info(db)->names, 5);
    assert_int_equal(reports[0].names, 6);
    assert_int_equal(reports[0].entries, 2);
    assert_int_equal(reports[0].cancels, 5);
    assert_int_equal(reports[0].cancelled, 3); /* what is said twice counts once */
    assert_int_equal(reports[0].duplicates, 1);
    assert_int_equal(reports[1].cancelled, 0);
    blockdb_close(db);
}

static size_t read_out(char *data, size_t cap)
{
    FILE *file = fopen(out, "rb");
    size_t len = fread(data, 1, cap, file);
    fclose(file);
    return len;
}

/* Lines of one text in an order that depends on `turn`. */
static void shuffled(char *to, size_t cap, unsigned turn)
{
    size_t used = 0;
    for (unsigned i = 0; i < 500; i++) {
        unsigned n = (i * 7 + turn * 13) % 500;
        used += (size_t)snprintf(to + used, cap - used, "%sn%u.x%u.example\n", n % 3 ? "" : "*.", n,
                                 n % 11);
    }
}

static void same_input_in_any_order_gives_the_same_bytes(void **state)
{
    (void)state;
    static char first[65536], other[65536], a[32768], b[32768];
    struct source_report reports[3];
    size_t first_len = 0;
    for (unsigned turn = 0; turn < 3; turn++) {
        shuffled(a, sizeof(a), turn);
        shuffled(b, sizeof(b), turn + 5);
        strcat(b, "only-in-b.example\n");
        struct build_source sources[3];
        sources[turn % 3] = source_of("a", FORMAT_DOMAINS, a);
        sources[(turn + 1) % 3] = source_of("b", FORMAT_DOMAINS, b);
        sources[(turn + 2) % 3] = source_of("broken", FORMAT_DOMAINS, "<html>\n");
        assert_int_equal(compile(sources, 3, reports), 0);
        assert_int_equal(reports[(turn + 2) % 3].error, -EINVAL);
        size_t len = read_out(turn ? other : first, sizeof(first));
        if (turn == 0) {
            first_len = len;
        } else {
            assert_int_equal(len, first_len);
            assert_memory_equal(first, other, len);
        }
    }
    struct build_source changed = source_of("a", FORMAT_DOMAINS, "*.n0.x0.example\n");
    assert_int_equal(compile(&changed, 1, reports), 0);
    assert_true(read_out(other, sizeof(other)) != first_len || memcmp(first, other, first_len));
}

/* 20,000 names in two lists, every third in both, one of them 20,000 times more. */
static void little_memory_gives_the_same_bytes(void **state)
{
    (void)state;
    enum { LINES = 20000, CAP = 1 << 20 };
    static char text[2][CAP], first[CAP], other[CAP];
    static const size_t memories[] = {0, 256 << 10, 64 << 10, 16 << 10};
    struct source_report reports[2];
    size_t used[2] = {0}, first_len = 0;
    for (unsigned i = 0; i < 2 * LINES; i++) {
        char *to = text[i & 1];
        unsigned name = i % 3 == 0 ? i / 6 : i;
        used[i & 1] += (size_t)sprintf(to + used[i & 1], "n%u.example\nsame.example\n", name);
    }
    for (size_t i = 0; i < sizeof(memories) / sizeof(memories[0]); i++) {
        struct build_source sources[] = {source_of("a", FORMAT_DOMAINS, text[0]),
                                         source_of("b", FORMAT_DOMAINS, text[1])};
        assert_int_equal(compile_within(sources, 2, reports, memories[i]), 0);
        size_t len = read_out(i ? other : first, CAP);
        first_len = i ? first_len : len;
        assert_int_equal(len, first_len);
        assert_true(i == 0 || memcmp(first, other, len) == 0);
        assert_int_equal(reports[0].names, 2 * LINES);
        assert_true(reports[0].duplicates > LINES);
    }
    struct build_source source = source_of("a", FORMAT_DOMAINS, text[0]);
    assert_int_equal(compile_within(&source, 1, reports, 64), -EINVAL);
}

static void bad_sources_are_left_out_with_their_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int format;
        const char *says;
    } rows[] = {
        {"", FORMAT_AUTO, "empty"},
        {"<!doctype html><html></html>", FORMAT_HOSTS, "HTML"},
        {"||a.example^\n||b.example^\n0.0.0.0 c.example\n", FORMAT_HOSTS, "only 33 %"},
        {"127.0.0.1\n192.168.0.0/16\n", FORMAT_DOMAINS, "holds nothing"},
        {"(\n.*\n", FORMAT_REGEX, "holds nothing"},
        {"x CNAME\ny CNAME .\n z\n", FORMAT_RPZ, "only 33 %"},
        {"x.example\n", FORMAT_UT1, "not a tar archive"},
        {"\x1f\x8b\x08 broken", FORMAT_AUTO, "damaged or truncated"},
        {"\x28\xb5\x2f\xfd broken", FORMAT_AUTO, "damaged or truncated"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct source_report reports[2];
        struct build_source sources[] = {source_of("bad", rows[i].format, rows[i].text),
                                         source_of("good", FORMAT_AUTO, "x.example\n")};
        assert_int_equal(compile(sources, 2, reports), 0);
        print_message("%s\n", reports[0].error_text);
        assert_true(reports[0].error < 0);
        assert_non_null(strstr(reports[0].error_text, rows[i].says));
        assert_int_equal(reports[1].error, 0);
        struct blockdb *db = open_out();
        assert_int_equal(blockdb_info(db)->sources, 1);
        assert_string_equal(verdicts(db, "x.example"), "0:good:1");
        blockdb_close(db);
    }
}

static int gzip_fd(size_t zeros, const char *tail, size_t cut)
{
    char path[PATH_MAX];
    char block[4096];
    snprintf(path, sizeof(path), "%s/x.gz", folder);
    gzFile gz = gzopen(path, "wb9");
    memset(block, '\n', sizeof(block));
    for (size_t i = 0; i < zeros; i += sizeof(block)) {
        gzwrite(gz, block, sizeof(block));
    }
    gzwrite(gz, tail, (unsigned)strlen(tail));
    gzclose(gz);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(ftruncate(fd, lseek(fd, 0, SEEK_END) - (off_t)cut), 0);
    unlink(path);
    return fd;
}

static void gzip_is_unpacked_bounded_and_never_cut_short(void **state)
{
    (void)state;
    static const struct {
        size_t zeros, cut;
        const char *says; /* NULL: works */
    } rows[] = {
        {0, 0, NULL},
        {0, 9, "damaged or truncated"},
        {64 << 20, 0, "grows more than"},
    };
    for (size_t i = 0; i < 3; i++) {
        struct source_report report;
        struct build_source source = source_of("gz", FORMAT_DOMAINS, "");
        close(source.fd);
        source.fd = gzip_fd(rows[i].zeros, "x.example\ny.example\n", rows[i].cut);
        assert_int_equal(compile(&source, 1, &report), 0);
        print_message("%s\n", report.error_text);
        assert_int_equal(report.error == 0, rows[i].says == NULL);
        assert_int_equal(report.entries, rows[i].says ? 0 : 2);
        assert_true(!rows[i].says || strstr(report.error_text, rows[i].says));
    }
}

static void steps_are_told_in_order(void *arg, const struct build_step *step)
{
    unsigned *seen = arg;
    *seen |= 1U << step->phase;
}

static void the_child_tells_its_steps(void **state)
{
    (void)state;
    unsigned seen = 0;
    struct source_report report;
    struct diag diag = {0};
    struct build_source source = source_of("a", FORMAT_AUTO, "x.example\n");
    struct build_job job = {&source, 1, -1, steps_are_told_in_order, &seen};
    assert_int_equal(compile_run(&job, &report, &diag), 0);
    assert_int_equal(seen, 1U << BUILD_COUNT); /* count only */
    assert_int_equal(report.names, 1);
    assert_int_equal(compile_file(&job, out, &report, &diag), 0);
    assert_int_equal(seen, 0xf);
    close(source.fd);
}

static void failures_leave_no_file_behind(void **state)
{
    (void)state;
    struct source_report report;
    struct diag diag = {0};
    struct build_source source = source_of("a", FORMAT_AUTO, "x.example\n");
    struct build_job job = {.sources = &source, .source_count = 1};
    assert_int_equal(compile_file(&job, "/nonexistent/x.ggdb", &report, &diag), -ENOENT);
    assert_non_null(strstr(diag.file, "/nonexistent/x.ggdb"));
    close(source.fd);
}

static void two_names_with_one_hash_are_noticed(void **state)
{
    (void)state;
    struct record records[] = {{5, 2, 0, 1, 0}, {5, 1, 1, 1, 0}, {4, 9, 0, 3, 0}, {4, 9, 0, 1, 0}};
    record_sort(records, 4);
    assert_int_equal(record_group(records, 4), 2);
    assert_int_equal(record_group(records + 2, 2), -EEXIST);
}

static void large_arrays_sort_like_small_ones(void **state)
{
    (void)state;
    enum { COUNT = 50000 };
    struct record *records = calloc(COUNT, sizeof(*records));
    for (unsigned i = 0; i < COUNT; i++) {
        uint64_t x = (i % 20000 + 1) * 0x9e3779b97f4a7c15ULL;
        records[i] = (struct record){i % 5 ? x ^ x >> 29 : 77, i % 7, (uint16_t)(i % 3), 1, 0};
    }
    record_sort(records, COUNT);
    for (unsigned i = 1; i < COUNT; i++) {
        const struct record *a = &records[i - 1], *b = &records[i];
        assert_true(a->hash < b->hash || (a->hash == b->hash && a->check <= b->check));
    }
    free(records);
}

static void the_starter_list_compiles(void **state)
{
    (void)state;
    struct diag diag = {0};
    assert_int_equal(compile_starter("blocklists/catalog", out, &diag), 0);
    struct blockdb *db = open_out();
    assert_true(blockdb_info(db)->names >= 50);
    assert_true(blockdb_info(db)->sources >= 3);
    assert_string_equal(verdicts(db, "m.pornhub.com"), "1:starter-adult:3");
    assert_string_equal(verdicts(db, "www.google.com"), "");
    blockdb_close(db);
    assert_int_equal(compile_starter("/nonexistent", out, &diag), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_and_subtree_of_one_name_stand_side_by_side),
        cmocka_unit_test(names_below_a_subtree_of_the_same_list_are_folded),
        cmocka_unit_test(one_list_never_folds_into_another),
        cmocka_unit_test(exceptions_of_wide_scope_are_marked),
        cmocka_unit_test(badfilter_cancels_in_its_own_list_only),
        cmocka_unit_test(same_input_in_any_order_gives_the_same_bytes),
        cmocka_unit_test(little_memory_gives_the_same_bytes),
        cmocka_unit_test(bad_sources_are_left_out_with_their_reason),
        cmocka_unit_test(gzip_is_unpacked_bounded_and_never_cut_short),
        cmocka_unit_test(the_child_tells_its_steps),
        cmocka_unit_test(failures_leave_no_file_behind),
        cmocka_unit_test(two_names_with_one_hash_are_noticed),
        cmocka_unit_test(large_arrays_sort_like_small_ones),
        cmocka_unit_test(the_starter_list_compiles),
    };
    assert_non_null(mkdtemp(folder));
    snprintf(out, sizeof(out), "%s/out.ggdb", folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(out);
    rmdir(folder);
    return failed;
}
