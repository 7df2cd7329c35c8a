// SPDX-License-Identifier: Apache-2.0
/* The UT1 archive: members of a tar in any dialect, and which folders are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blocklists/folders.h"
#include "blocklists/tar.h"
#include "blocklists/ut1.h"

/* An archive that is written member by member. */
static char *octets;
static size_t octets_len;
static FILE *out;

static void begin(void)
{
    free(octets);
    octets = NULL;
    out = open_memstream(&octets, &octets_len);
}

static void put_header(char type, const char *name, const char *link, size_t size)
{
    char header[TAR_BLOCK] = {0};
    unsigned sum = 0;
    snprintf(header, 100, "%s", name);
    snprintf(header + 124, 12, "%011o", (unsigned)(size & 0xffffff));
    memset(header + 148, ' ', 8);
    header[156] = type;
    snprintf(header + 157, 100, "%s", link);
    memcpy(header + 257,
           "ustar\0"
           "00",
           8);
    for (unsigned i = 0; i < TAR_BLOCK; i++) {
        sum += (unsigned char)header[i];
    }
    snprintf(header + 148, 8, "%06o", sum);
    fwrite(header, 1, sizeof(header), out);
}

static void put(char type, const char *name, const char *text)
{
    static const char zeros[TAR_BLOCK];
    bool link = type == '2';
    size_t len = link ? 0 : strlen(text);
    put_header(type, name, link ? text : "", len);
    fwrite(link ? "" : text, 1, len, out);
    fwrite(zeros, 1, -len & (TAR_BLOCK - 1), out);
}

static void put_file(const char *name, const char *text)
{
    put('0', name, text);
}

static void finish(void)
{
    static const char zeros[2 * TAR_BLOCK];
    fwrite(zeros, 1, sizeof(zeros), out);
    fclose(out);
}

struct seen {
    char names[1024];
};

static struct seen seen;
static struct source_report report;
static struct diag diag;

static void note(void *arg, const struct scan_entry *entry)
{
    (void)arg;
    char text[DNAME_TEXT_MAX];
    char *end = seen.names + strlen(seen.names);
    if (entry->kind == SCAN_NAME) {
        dname_print(&entry->name, text);
    } else {
        addr_print(&entry->prefix.addr, text);
    }
    assert_in_range(strlen(text), 1, sizeof(seen.names) - 3 - (size_t)(end - seen.names));
    end = stpcpy(end, end > seen.names ? " " : "");
    end = stpcpy(end, text);
    stpcpy(end, entry->flags & BLOCKDB_BELOW ? "+" : "");
}

/* Read what was written, in pieces of `step` octets. */
static int read_archive(const char *folders, bool named, size_t step)
{
    char words[8][64];
    char *items[8];
    struct text_list list = {items, 0};
    char *copy = strdup(folders);
    char *rest = copy;
    for (char *word = strsep(&rest, " "); word && *word; word = strsep(&rest, " ")) {
        snprintf(words[list.count], sizeof(words[0]), "%s", word);
        items[list.count] = words[list.count];
        list.count++;
    }
    free(copy);
    const struct ut1_wish wish = {&list, named, named};
    struct ut1 *ut1 = NULL;
    FILE *file = tmpfile();
    assert_int_equal(fwrite(octets, 1, octets_len, file), octets_len);
    fflush(file);
    diag = (struct diag){0};
    seen = (struct seen){""};
    report = (struct source_report){0};
    int err = ut1_open(fileno(file), &wish, &ut1, &diag);
    fclose(file);
    struct line_sink *sink = calloc(1, sizeof(*sink));
    sink->format = format_find(FORMAT_UT1);
    sink->report = &report;
    sink->on_entry = note;
    for (size_t at = 0; err == 0 && at < octets_len; at += step) {
        size_t left = octets_len - at;
        err = ut1_feed(ut1, sink, &(struct span){octets + at, left < step ? left : step});
    }
    err = err < 0 ? err : ut1_end(ut1);
    ut1_close(ut1);
    free(sink);
    return err;
}

static void put_usual(void)
{
    put('2', "blacklists/porn", "adult");
    put('5', "blacklists/adult/", "");
    put_file("blacklists/adult/domains.0", "a.example\nB.Example\n192.0.2.1\n10.0.0.1");
    put_file("blacklists/adult/domains.1", "c.example\n");
    put_file("blacklists/adult/domains.bak", "never.example\n");
    put_file("blacklists/adult/expressions", "(sex|xxx)\n.*/x\n");
    put_file("blacklists/adult/urls", "d.example/a\n192.0.2.9/24\nd.example\n");
    put_file("blacklists/adult/usage", "# text\nblack\nporn\n");
    put_file("blacklists/bank/domains", "bank.example\n");
    put_file("blacklists/bank/usage", "white\nblack\n");
    put_file("blacklists/empty/domains", "");
    put_file("blacklists/empty/usage", "black\n");
    put('2', "blacklists/mail", "forums");
    put_file("blacklists/forums/domains", "f.example\n");
    finish();
}

#define ADULT "a.example+ b.example+ 192.0.2.1 c.example+ d.example"

static void lines_of_the_wanted_folders_are_read(void **state)
{
    (void)state;
    static const size_t steps[] = {1, 7, 511, 512, 513, 1 << 20};
    begin();
    put_usual();
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        assert_int_equal(read_archive("adult", false, steps[i]), 0);
        assert_string_equal(seen.names, ADULT);
        assert_int_equal(report.skipped[SKIP_PATH], 2);
        assert_int_equal(report.skipped[SKIP_REGEX], 2);
        assert_int_equal(report.skipped[SKIP_PRIVATE], 1);
    }
    assert_string_equal(report.quotes[0].file, "adult/domains.0");
    assert_int_equal(report.quotes[0].line, 4);
    assert_string_equal(report.quotes[0].text, "10.0.0.1");
    assert_string_equal(report.quotes[1].file, "adult/expressions");
    assert_int_equal(report.quotes[1].line, 1);
}

static void symlinks_are_other_names(void **state)
{
    (void)state;
    begin();
    put_usual();
    assert_int_equal(read_archive("porn", true, 4096), 0);
    assert_string_equal(seen.names, ADULT);
    assert_int_equal(read_archive("mail", true, 4096), 0);
    assert_string_equal(seen.names, "f.example+");
}

/* A list of what is good must not be blocked unless somebody asks for that folder. */
static void white_folders_must_be_named(void **state)
{
    (void)state;
    begin();
    put_usual();
    assert_int_equal(read_archive("bank", false, 4096), -EINVAL);
    assert_non_null(strstr(diag.text, "no folder"));
    assert_int_equal(read_archive("bank forums", false, 4096), 0);
    assert_string_equal(seen.names, "f.example+");
    assert_int_equal(read_archive("bank", true, 4096), 0);
    assert_string_equal(seen.names, "bank.example+");
}

static void folders_that_are_not_there_are_told(void **state)
{
    (void)state;
    begin();
    put_usual();
    assert_int_equal(read_archive("adult advlt", true, 4096), -EINVAL);
    assert_non_null(strstr(diag.text, "advlt"));
    assert_int_equal(read_archive("adult advlt", false, 4096), 0);
    assert_int_equal(read_archive("", false, 4096), -EINVAL);
    assert_int_equal(read_archive("empty", true, 4096), 0);
    assert_string_equal(seen.names, "");
}

static void loops_of_symlinks_end(void **state)
{
    (void)state;
    begin();
    put('2', "b/one", "two");
    put('2', "b/two", "one");
    put_file("b/adult/domains", "a.example\n");
    finish();
    assert_int_equal(read_archive("one", true, 4096), -EINVAL);
    assert_int_equal(read_archive("one adult", false, 4096), 0);
    assert_string_equal(seen.names, "a.example+");
}

static void odd_names_are_ignored(void **state)
{
    (void)state;
    begin();
    put_file("../adult/domains", "a.example\n");
    put_file("/etc/adult/domains", "b.example\n");
    put_file("b/adult/../x/domains", "c.example\n");
    put_file("domains", "d.example\n");
    put_file("b/.hidden/domains", "e.example\n");
    put_file("b/ad\nult/domains", "f.example\n");
    put('1', "b/adult/domains", "g.example\n");
    put('3', "b/adult/domains", "");
    put_file("./adult/domains", "good.example\n");
    put_file("adult/urls", "also.example\n");
    finish();
    assert_int_equal(read_archive("adult", true, 4096), 0);
    assert_string_equal(seen.names, "good.example+ also.example");
}

static void long_names_of_gnu_and_pax(void **state)
{
    (void)state;
    begin();
    put('L', "././@LongLink", "blacklists/adult/domains");
    put_file("cut", "a.example\n");
    put('x', "PaxHeaders/x", "32 path=blacklists/adult/domains\n12 mtime=1.5\n");
    put_file("cut", "never.example\n"); /* its length is wrong: 33 octets */
    put('x', "PaxHeaders/x", "33 path=blacklists/adult/domains\n");
    put_file("cut", "b.example\n");
    put('g', "pax_global_header", "14 comment=xy\n");
    put_file("blacklists/adult/urls", "c.example\n");
    put('x', "PaxHeaders/x", "22 linkpath=blacklist\n");
    put('2', "blacklists/porn", "x");
    finish();
    assert_int_equal(read_archive("adult", true, 100), 0);
    assert_string_equal(seen.names, "a.example+ b.example+ c.example");
}

static void damaged_archives_are_refused(void **state)
{
    (void)state;
    begin();
    put_usual();
    assert_true(tar_is_archive((uint8_t *)octets, octets_len));
    assert_false(tar_is_archive((uint8_t *)octets, TAR_BLOCK - 1));
    size_t whole = octets_len;
    octets_len = 3 * TAR_BLOCK + 10; /* inside of the third member */
    assert_int_equal(read_archive("adult", true, 4096), -EBADMSG);
    octets_len = 2 * TAR_BLOCK; /* between members, without the end */
    assert_int_equal(read_archive("porn", true, 4096), -EINVAL);
    octets_len = whole;
    octets[2 * TAR_BLOCK + 3] ^= 1; /* a header that its checksum does not fit */
    assert_int_equal(read_archive("adult", true, 4096), -EBADMSG);
}

static void numbers_of_folders_are_bounded(void **state)
{
    (void)state;
    for (unsigned over = 0; over < 2; over++) {
        begin();
        for (unsigned i = 0; i < UT1_FOLDERS_MAX - 1 + over; i++) {
            char name[32];
            snprintf(name, sizeof(name), "b/f%u/usage", i);
            put_file(name, "black\n");
        }
        put_file("b/last/domains", "a.example\n");
        finish();
        assert_int_equal(read_archive("last", true, 1 << 20), over ? -EINVAL : 0);
    }
}

static void the_catalogue_says_what_a_folder_is_for(void **state)
{
    (void)state;
    struct text_list list = {0};
    assert_int_equal(folders_of_category("blocklists/catalog", "adult", &list, &diag), 0);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[0], "adult");
    assert_string_equal(list.items[1], "mixed_adult");
    folders_clear(&list);
    assert_int_equal(folders_of_category("blocklists/catalog", "unrated", &list, &diag), 0);
    assert_int_equal(list.count, 0);
    folders_clear(&list);
    assert_int_equal(folders_of_category("/nonexistent", "adult", &list, &diag), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_the_wanted_folders_are_read),
        cmocka_unit_test(symlinks_are_other_names),
        cmocka_unit_test(white_folders_must_be_named),
        cmocka_unit_test(folders_that_are_not_there_are_told),
        cmocka_unit_test(loops_of_symlinks_end),
        cmocka_unit_test(odd_names_are_ignored),
        cmocka_unit_test(long_names_of_gnu_and_pax),
        cmocka_unit_test(damaged_archives_are_refused),
        cmocka_unit_test(numbers_of_folders_are_bounded),
        cmocka_unit_test(the_catalogue_says_what_a_folder_is_for),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(octets);
    return failed;
}
