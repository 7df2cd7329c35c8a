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
#include "blocklists/difference.h"
#include "blocklists/listtext.h"
#include "blocklists/popular.h"

static char out[] = "/tmp/greengate-test-listtext-XXXXXX";

static struct build_source source_of(const char *id, int format, const char *text)
{
    int fd = memfd_create("list", MFD_CLOEXEC);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    return (struct build_source){
        .id = id, .category = "adult", .url = "", .format = format, .fd = fd};
}

static struct listtext_want name_want(const char *name, bool exception)
{
    struct listtext_want want = {.kind = SCAN_NAME, .exception = exception};
    assert_int_equal(dname_parse(name, &want.name), 0);
    return want;
}

static void the_line_of_an_entry_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *behaviour, *text;
        int format;
        const char *name;
        bool exception;
        uint64_t line;
        const char *want;
    } rows[] = {
        {"a hosts line with comments before", "# head\n\n0.0.0.0 a.example\n0.0.0.0 b.example #c\n",
         FORMAT_HOSTS, "b.example", false, 4, "0.0.0.0 b.example #c"},
        {"upper case and a trailing dot", "x.example\nB.Example.\n", FORMAT_DOMAINS, "b.example",
         false, 2, "B.Example."},
        {"an international name", "a.example\nм\xd0\xb8р.example\n", FORMAT_DOMAINS,
         "xn--h1ahn.example", false, 2, "м\xd0\xb8р.example"},
        {"a rule and not its exception", "@@||b.example^\n||b.example^\n", FORMAT_ADBLOCK,
         "b.example", false, 2, "||b.example^"},
        {"an exception and not the rule", "||b.example^\n@@||b.example^\n", FORMAT_ADBLOCK,
         "b.example", true, 2, "@@||b.example^"},
        {"the first of two", "b.example\nb.example\n", FORMAT_DOMAINS, "b.example", false, 1,
         "b.example"},
        {"several names of a line", "address=/a.example/b.example/#\n", FORMAT_DNSMASQ, "b.example",
         false, 1, "address=/a.example/b.example/#"},
        {"nothing of a name that only ends alike", "ab.example\n", FORMAT_DOMAINS, "b.example",
         false, 0, ""},
        {"an unknown format is found out", "||b.example^\n", FORMAT_AUTO, "b.example", false, 1,
         "||b.example^"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct build_source source = source_of("l", rows[i].format, rows[i].text);
        struct listtext_want want = name_want(rows[i].name, rows[i].exception);
        struct diag diag = {0};
        print_message("%s\n", rows[i].behaviour);
        assert_int_equal(listtext_find(&source, &want, 1, &diag), 0);
        assert_int_equal(want.line, rows[i].line);
        assert_string_equal(want.text, rows[i].want);
        close(source.fd);
    }
}

static void many_are_found_in_one_reading(void **state)
{
    (void)state;
    static char text[LISTTEXT_WANTS_MAX * 20];
    struct listtext_want *wants = calloc(LISTTEXT_WANTS_MAX + 1, sizeof(*wants));
    struct diag diag = {0};
    for (unsigned i = 0; i < LISTTEXT_WANTS_MAX; i++) {
        char name[32];
        snprintf(name, sizeof(name), "n%u.example", i);
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\n", name);
        wants[LISTTEXT_WANTS_MAX - 1 - i] = name_want(name, false);
    }
    struct build_source source = source_of("l", FORMAT_DOMAINS, text);
    assert_int_equal(listtext_find(&source, wants, LISTTEXT_WANTS_MAX, &diag), 0);
    for (unsigned i = 0; i < LISTTEXT_WANTS_MAX; i++) {
        assert_int_equal(wants[i].line, LISTTEXT_WANTS_MAX - i);
    }
    assert_int_equal(listtext_find(&source, wants, LISTTEXT_WANTS_MAX + 1, &diag), -E2BIG);
    close(source.fd);
    free(wants);
}

static void a_damaged_text_is_an_error(void **state)
{
    (void)state;
    struct diag diag = {0};
    struct build_source source = source_of("l", FORMAT_DOMAINS, "\x28\xb5\x2f\xfd broken");
    struct listtext_want want = name_want("b.example", false);
    assert_true(listtext_find(&source, &want, 1, &diag) < 0);
    assert_true(diag.text[0] != '\0');
    assert_int_equal(want.line, 0);
    close(source.fd);
}

static void long_and_odd_lines_are_made_plain(void **state)
{
    (void)state;
    char line[400];
    char printed[LISTTEXT_MAX];
    memset(line, 'a', sizeof(line));
    listtext_print(&(struct span){line, sizeof(line)}, printed);
    assert_int_equal(strlen(printed), LISTTEXT_MAX - 1);
    assert_string_equal(printed + LISTTEXT_MAX - 4, "...");
    listtext_print(&(struct span){"a\x1b[2J\tb", 7}, printed);
    assert_string_equal(printed, "a?[2J?b");
    listtext_print(&(struct span){line, LISTTEXT_MAX - 1}, printed);
    assert_int_equal(strlen(printed), LISTTEXT_MAX - 1);
    assert_int_equal(printed[LISTTEXT_MAX - 2], 'a');
}

/* A database of up to two lists, "one" and "two"; their texts stay open in sources. */
static struct blockdb *compile(struct build_source *sources, size_t count)
{
    struct source_report reports[2];
    struct diag diag = {0};
    struct blockdb *db = NULL;
    struct build_job job = {.sources = sources, .source_count = count};
    assert_int_equal(compile_file(&job, out, reports, &diag), 0);
    assert_int_equal(blockdb_open(out, &db, &diag), 0);
    return db;
}

static int open_text(void *arg, const struct blockdb_source *source,
                     struct build_source *ret_source)
{
    const struct build_source *sources = arg;
    for (size_t i = 0; i < 2; i++) {
        if (sources[i].id && strcmp(sources[i].id, source->id) == 0 && sources[i].fd >= 0) {
            *ret_source = sources[i];
            ret_source->fd = dup(sources[i].fd);
            return 0;
        }
    }
    return -ENOENT;
}

static void differences_are_told_list_by_list(void **state)
{
    (void)state;
    struct build_source old[2] = {
        source_of("one", FORMAT_DOMAINS, "a.example\nb.example\n"),
        source_of("two", FORMAT_ADBLOCK, "||c.example^\n||x.c.example^\n@@||d.example^\n")};
    struct build_source new[2] = {
        source_of("one", FORMAT_DOMAINS, "b.example\nnew.example\nnew.example\nc.example\n"),
        source_of("two", FORMAT_ADBLOCK, "||c.example^\n||y.c.example^\n||d.example^\n")};
    struct blockdb *before = compile(old, 2);
    struct blockdb *after = compile(new, 2);
    struct difference *difference = NULL;
    const struct difference_side sides[] = {{before, open_text, old}, {after, open_text, new}};
    assert_int_equal(difference_run(&sides[0], &sides[1], 2, &difference), 0);
    assert_int_equal(difference->list_count, 2);
    assert_string_equal(difference->lists[0].id, "one");
    assert_int_equal(difference->lists[0].counts[DIFFERENCE_ADDED],
                     2); /* new.example once, c.example */
    assert_int_equal(difference->lists[0].counts[DIFFERENCE_REMOVED], 1);
    assert_int_equal(difference->lists[1].counts[DIFFERENCE_ADDED],
                     1); /* below c.example nothing changes */
    assert_int_equal(difference->lists[1].counts[DIFFERENCE_REMOVED], 0);
    assert_false(difference->lists[0].unread);
    assert_int_equal(difference->name_count, 2);
    assert_string_equal(difference->names[0].name, "new.example");
    assert_int_equal(difference->names[0].change, DIFFERENCE_ADDED);
    difference_free(difference);
    close(old[0].fd);
    old[0].fd = -1;
    assert_int_equal(difference_run(&sides[0], &sides[1], 0, &difference), 0);
    assert_true(difference->lists[0].unread);
    assert_int_equal(difference->name_count, 0);
    difference_free(difference);
    blockdb_close(before);
    blockdb_close(after);
}

static void what_a_list_says_of_an_entry_is_compared(void **state)
{
    (void)state;
    static const struct {
        const char *behaviour;
        int format;
        const char *before, *after;
        unsigned added, removed, changed;
    } rows[] = {
        {"what covers only names below is the same on both sides", FORMAT_ADBLOCK,
         "||*.x.example^\n", "! new\n||*.x.example^\n", 0, 0, 0},
        {"a cancelled rule is none", FORMAT_ADBLOCK, "||x.example^\n||x.example^$badfilter\n",
         "||x.example^\n||x.example^$badfilter\n! new\n", 0, 0, 0},
        {"names below are covered no more", FORMAT_ADBLOCK, "||x.example^\n", "|x.example^\n", 0, 0,
         1},
        {"self and below may be two lines", FORMAT_RPZ,
         "@ SOA a. b. 1 1 1 1 1\nx.example CNAME .\n*.x.example CNAME .\n",
         "@ SOA a. b. 2 1 1 1 1\n*.x.example CNAME .\nx.example CNAME .\n", 0, 0, 0},
        {"another answer", FORMAT_RPZ, "@ SOA a. b. 1 1 1 1 1\nx.example CNAME .\n",
         "@ SOA a. b. 2 1 1 1 1\nx.example CNAME *.\n", 0, 0, 1},
        {"an exception to it", FORMAT_ADBLOCK, "||x.example^\n", "||x.example^\n@@||x.example^\n",
         0, 0, 1},
        {"an exception that goes", FORMAT_ADBLOCK, "||x.example^\n@@||y.x.example^\n",
         "||x.example^\n", 0, 0, 1},
        {"an exception to nothing", FORMAT_ADBLOCK, "||x.example^\n",
         "||x.example^\n@@||y.example^\n", 0, 0, 0},
        {"important", FORMAT_ADBLOCK, "||x.example^\n", "||x.example^$important\n", 0, 0, 1},
        {"addresses", FORMAT_ADDRESSES, "203.0.114.0/24\n203.0.115.1\n",
         "203.0.114.0/24\n203.0.116.1\n203.0.114.7\n", 1, 1, 0},
        {"patterns", FORMAT_REGEX, "^ad[0-9]\nbanner[0-9]\n", "^ad[0-9]\npopup[0-9]\n", 1, 1, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct build_source old[2] = {source_of("one", rows[i].format, rows[i].before), {.fd = -1}};
        struct build_source new[2] = {source_of("one", rows[i].format, rows[i].after), {.fd = -1}};
        struct blockdb *before = compile(old, 1);
        struct blockdb *after = compile(new, 1);
        struct difference *difference = NULL;
        const struct difference_side sides[] = {{before, open_text, old}, {after, open_text, new}};
        print_message("%s\n", rows[i].behaviour);
        assert_int_equal(difference_run(&sides[0], &sides[1], 9, &difference), 0);
        assert_false(difference->lists[0].unread);
        assert_int_equal(difference->lists[0].counts[DIFFERENCE_ADDED], rows[i].added);
        assert_int_equal(difference->lists[0].counts[DIFFERENCE_REMOVED], rows[i].removed);
        assert_int_equal(difference->lists[0].counts[DIFFERENCE_CHANGED], rows[i].changed);
        assert_int_equal(difference->name_count, rows[i].added + rows[i].removed + rows[i].changed);
        difference_free(difference);
        blockdb_close(before);
        blockdb_close(after);
        close(old[0].fd);
        close(new[0].fd);
    }
}

static void popular_names_are_counted_by_list(void **state)
{
    (void)state;
    struct build_source sources[2] = {
        source_of("one", FORMAT_ADBLOCK,
                  "||big.example^\n|www.huge.example^\n||wide.example^\n@@||wide.example^\n"),
        source_of("two", FORMAT_ADBLOCK, "||other.example^\n")};
    struct blockdb *db = compile(sources, 2);
    struct dname items[3];
    const struct name_list names = {items, 3};
    struct popular_source *per_source = NULL;
    assert_int_equal(dname_parse("cdn.big.example", &items[0]), 0);
    assert_int_equal(dname_parse("huge.example", &items[1]), 0);
    assert_int_equal(dname_parse("wide.example", &items[2]), 0);
    assert_int_equal(popular_measure(db, &names, &per_source), 0);
    assert_int_equal(per_source[0].all, 2);
    assert_int_equal(per_source[0].top, 2);
    assert_int_equal(per_source[1].all, 0);
    char text[DNAME_TEXT_MAX];
    assert_string_equal(dname_print(&per_source[0].entries[0], text), "big.example");
    assert_string_equal(dname_print(&per_source[0].entries[1], text), "www.huge.example");
    free(per_source);
    blockdb_close(db);
}

static void patterns_block_popular_names_too(void **state)
{
    (void)state;
    struct build_source sources[2] = {
        source_of("one", FORMAT_REGEX, "(social|video)\\.example$\n^www\\.shop\n"),
        source_of("two", FORMAT_ADBLOCK, "/video/\n@@/^video/\n||other.example^\n")};
    struct blockdb *db = compile(sources, 2);
    static const char *const texts[] = {"social.example", "video.example", "shop.example",
                                        "other.example", "quiet.example"};
    struct dname items[5];
    const struct name_list names = {items, 5};
    struct popular_source *per_source = NULL;
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(dname_parse(texts[i], &items[i]), 0);
    }
    assert_int_equal(popular_measure(db, &names, &per_source), 0);
    assert_int_equal(per_source[0].all, 3);
    assert_int_equal(per_source[0].top, 3);
    assert_int_equal(per_source[0].example_count, 3);
    const struct blockdb_pattern *pattern = blockdb_pattern(db, per_source[0].patterns[2] - 1);
    assert_string_equal(pattern->text, "^www\\.shop");
    assert_int_equal(per_source[1].all, 1); /* by its entry; its pattern has an exception */
    assert_int_equal(per_source[1].patterns[0], 0);
    free(per_source);
    blockdb_close(db);
    close(sources[0].fd);
    close(sources[1].fd);
}

static void a_file_of_names_is_read_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int want;
        size_t count;
        unsigned line;
    } rows[] = {
        {"# head\n\n a.example  # why\nb.example\r\n", 0, 2, 0},
        {"", 0, 0, 0},
        {"a.example\nb..example\n", -EBADMSG, 0, 2},
        {"a.example b.example\n", -EBADMSG, 0, 1},
        {".\n", -EBADMSG, 0, 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct name_list list = {0};
        struct diag diag = {0};
        FILE *file = fopen(out, "w");
        fputs(rows[i].text, file);
        fclose(file);
        assert_int_equal(namefile_load(out, &list, &diag), rows[i].want);
        assert_int_equal(list.count, rows[i].count);
        assert_int_equal(diag.line, rows[i].line);
        name_list_clear(&list);
    }
    struct name_list list = {0};
    struct diag diag = {0};
    assert_int_equal(namefile_load("/nowhere/at.all", &list, &diag), -ENOENT);
    assert_int_equal(namefile_load("blocklists/catalog/popular.txt", &list, &diag), 0);
    assert_in_range(list.count, 200, 1000);
    name_list_clear(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_of_an_entry_is_found),
        cmocka_unit_test(many_are_found_in_one_reading),
        cmocka_unit_test(a_damaged_text_is_an_error),
        cmocka_unit_test(long_and_odd_lines_are_made_plain),
        cmocka_unit_test(differences_are_told_list_by_list),
        cmocka_unit_test(what_a_list_says_of_an_entry_is_compared),
        cmocka_unit_test(popular_names_are_counted_by_list),
        cmocka_unit_test(patterns_block_popular_names_too),
        cmocka_unit_test(a_file_of_names_is_read_or_refused),
    };
    int fd = mkstemp(out);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    close(fd);
    unlink(out);
    return failed;
}
