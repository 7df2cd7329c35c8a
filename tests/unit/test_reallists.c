// SPDX-License-Identifier: Apache-2.0
/* Real lists, when they are at hand (GREENGATE_DATA_SHARED or ../shared/data): names
 * and skips as they were counted by hand, and every format of one list agrees. */
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
#include <unistd.h>

#include "base/hash.h"
#include "blocklists/compile.h"
#include "blocklists/scan.h"
#include "blocklists/unpack.h"

static const char *data_folder(void)
{
    const char *folder = getenv("GREENGATE_DATA_SHARED");
    return folder ? folder : "../shared/data";
}

static int open_list(const char *file)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", data_folder(), file);
    return open(path, O_RDONLY | O_CLOEXEC);
}

struct row {
    const char *file;
    int format; /* what sniffing must find */
    uint64_t entries, duplicates;
    int skip; /* one reason worth a look, and how often */
    uint64_t skipped;
};

static const struct row rows[] = {
    {"doh-vpn/hagezi-domains-doh-vpn-proxy-bypass.txt", FORMAT_DOMAINS, 1205, 0, SKIP_NAME, 0},
    {"doh-vpn/hagezi-wildcard-doh-vpn-proxy-bypass.txt", FORMAT_DOMAINS, 714, 0, SKIP_NAME, 0},
    {"doh-vpn/hagezi-adblock-doh-vpn-proxy-bypass.txt", FORMAT_ADBLOCK, 714, 0, SKIP_NAME, 0},
    {"doh-vpn/hagezi-hosts-doh-vpn-proxy-bypass.txt", FORMAT_HOSTS, 1205, 0, SKIP_NAME, 0},
    /* 13 more names stand only in rules with $domain= or $third-party */
    {"korean/youslist.txt.zst", FORMAT_ADBLOCK, 123, 0, SKIP_COSMETIC, 5917},
    {"korean/youslist-hosts.txt", FORMAT_HOSTS, 625, 0, SKIP_LOCAL, 2},
    {"malware/urlhaus-2025/urlhaus-filter-ag.txt.zst", FORMAT_ADBLOCK, 2692 + 23079, 0, SKIP_PATH,
     6051},
    {"malware/urlhaus-2025/urlhaus-filter-agh.txt.zst", FORMAT_ADBLOCK, 2689 + 23079, 0,
     SKIP_ADDRESS, 0},
    {"malware/urlhaus-filter-agh-large.txt.zst", FORMAT_ADBLOCK, 87324 + 138992, 11, SKIP_PRIVATE,
     1},
    {"malware/blp-malware.ip.zst", FORMAT_ADDRESSES, 20906, 0, SKIP_NAME, 0},
    {"malware/urlhaus-2025/urlhaus-filter-dnscrypt-blocked-ips.txt.zst", FORMAT_ADDRESSES, 23079, 0,
     SKIP_NAME, 0},
    {"doh-vpn/dibdot-doh-ipv4.txt.zst", FORMAT_ADDRESSES, 1974, 0, SKIP_PRIVATE, 1},
    {"doh-vpn/dibdot-doh-ipv6.txt.zst", FORMAT_ADDRESSES, 1339, 0, SKIP_PRIVATE, 1},
    {"regex/hagezi-regex_abuse.txt", FORMAT_REGEX, 1, 0, SKIP_WIDE, 0},
    {"regex/hagezi-regex_facebook-instagram.txt", FORMAT_REGEX, 1, 0, SKIP_WIDE, 0},
    {"regex/hagezi-regex_filter.txt", FORMAT_REGEX, 14, 0, SKIP_REGEX, 0},
    {"regex/hagezi-regex_geo.txt", FORMAT_REGEX, 2, 0, SKIP_WIDE, 0},
    {"rpz/urlhaus-filter-rpz.conf.zst", FORMAT_RPZ, 112859, 0, SKIP_RECORD, 0},
    {"ads/stevenblack-hosts-2019.txt.zst", FORMAT_HOSTS, 55981, 0, SKIP_LOCAL, 13},
    {"ads/hagezi-adblock-whitelist-referral.txt", FORMAT_ADBLOCK, 480, 0, SKIP_WILDCARD, 2},
    {"ads/blp-ads-ags.txt.zst", FORMAT_ADBLOCK, 154364, 0, SKIP_NAME, 0},
    {"adult/clefspeare13-hosts-127.zst", FORMAT_HOSTS, 17031, 23244, SKIP_LOCAL, 6},
    {"adult/sinfonietta-pornography-hosts.zst", FORMAT_HOSTS, 116147, 2, SKIP_PORT, 4},
    {"adult/bon-appetit-block.txt.zst", FORMAT_DOMAINS, 228966, 0, SKIP_NAME, 0},
    {"gambling/blp-gambling-hosts.txt.zst", FORMAT_HOSTS, 59784, 0, SKIP_NAME, 0},
    {"social/blp-facebook-dnsmasq.txt.zst", FORMAT_DNSMASQ, 22362, 0, SKIP_NAME, 0},
    {"phishing/blp-phishing-nl.txt.zst", FORMAT_DOMAINS, 190224, 0, SKIP_NAME, 0},
};

static char out[] = "/tmp/greengate-test-reallists-XXXXXX";

static void compile_as(const char *file, enum list_match match, struct source_report *report)
{
    struct diag diag = {0};
    struct build_source source = {.id = "x",
                                  .category = "adult",
                                  .url = "",
                                  .format = FORMAT_AUTO,
                                  .match = match,
                                  .fd = open_list(file)};
    struct build_job job = {.sources = &source, .source_count = 1};
    assert_true(source.fd >= 0);
    assert_int_equal(compile_file(&job, out, report, &diag), 0);
    close(source.fd);
}

static void compile(const char *file, struct source_report *report)
{
    compile_as(file, MATCH_AUTO, report);
}

static void names_and_skips_are_as_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct source_report report;
        print_message("%s\n", rows[i].file);
        compile(rows[i].file, &report);
        assert_string_equal(report.error_text, "");
        assert_int_equal(report.format, rows[i].format);
        assert_int_equal(report.entries + report.folded, rows[i].entries);
        assert_int_equal(report.duplicates, rows[i].duplicates);
        assert_int_equal(report.skipped[rows[i].skip], rows[i].skipped);
    }
}

struct shape {
    const char *file;
    int format;
};

/* What a shape says about names, in no order; its addresses stand apart. */
struct names {
    uint64_t count, sum, squares, addresses;
};

static void add_name(void *arg, const struct scan_entry *entry)
{
    struct names *names = arg;
    if (entry->kind == SCAN_ADDRESS) {
        names->addresses++;
        return;
    }
    assert_int_equal(entry->kind, SCAN_NAME);
    uint64_t hash = hash_seeded(entry->flags, entry->name.wire, entry->name.len);
    names->count++;
    names->sum += hash;
    names->squares += hash * hash;
}

static struct names scan_shape(const struct shape *shape, enum list_match match)
{
    struct names names = {0};
    struct source_report report = {0};
    struct diag diag = {0};
    struct unpack *unpack = NULL;
    struct suffix_set *suffixes = suffix_new();
    struct line_sink *sink = calloc(1, sizeof(*sink));
    const uint8_t *data;
    size_t len;
    int fd = open_list(shape->file);
    print_message("%s\n", shape->file);
    assert_int_equal(unpack_new(fd, &unpack), 0);
    sink->format = format_find((enum list_format)shape->format);
    sink->match = match;
    sink->suffixes = suffixes;
    sink->report = &report;
    sink->on_entry = add_name;
    sink->arg = &names;
    do {
        assert_int_equal(unpack_next(unpack, &data, &len, &diag), 0);
        if (report.bytes == 0) {
            assert_int_equal(sniff_format(data, len, &diag), shape->format);
        }
        scan_feed(sink, data, len);
    } while (len);
    scan_end(sink);
    unpack_free(unpack);
    suffix_free(suffixes);
    free(sink);
    close(fd);
    return names;
}

/* Each shape names the same `count` hosts, and covers the same of them. */
static void assert_same(const struct shape *shapes, enum list_match match, uint64_t count)
{
    struct names first = scan_shape(&shapes[0], match);
    assert_int_equal(first.count, count);
    for (size_t i = 1; shapes[i].file; i++) {
        struct names other = scan_shape(&shapes[i], match);
        assert_int_equal(other.count, count);
        assert_int_equal(other.sum, first.sum);
        assert_int_equal(other.squares, first.squares);
        assert_true(first.addresses == 0 || other.addresses == 0 ||
                    first.addresses == other.addresses);
    }
}

#define URLHAUS "malware/urlhaus-2025/urlhaus-filter-"

static const struct shape urlhaus_exact[] = {
    {URLHAUS "hosts.txt.zst", FORMAT_HOSTS},
    {URLHAUS "domains.txt.zst", FORMAT_DOMAINS},
    {URLHAUS "dnscrypt-blocked-names.txt", FORMAT_DOMAINS},
    {URLHAUS "rpz.conf.zst", FORMAT_RPZ},
    {NULL, 0},
};

static const struct shape urlhaus_below[] = {
    {URLHAUS "wildcard.txt.zst", FORMAT_DOMAINS}, {URLHAUS "agh.txt.zst", FORMAT_ADBLOCK},
    {URLHAUS "dnsmasq.conf.zst", FORMAT_DNSMASQ}, {URLHAUS "unbound.conf.zst", FORMAT_UNBOUND},
    {URLHAUS "bind.conf.zst", FORMAT_BIND},       {NULL, 0},
};

#define HAGEZI(shape, end) "doh-vpn/hagezi-" shape "-doh-vpn-proxy-bypass." end

/* One publisher's list: its forms for subtrees leave out what a parent covers. */
static const struct shape hagezi_exact[] = {
    {HAGEZI("hosts", "txt"), FORMAT_HOSTS},
    {HAGEZI("domains", "txt"), FORMAT_DOMAINS},
    {NULL, 0},
};

static const struct shape hagezi_below[] = {
    {HAGEZI("wildcard", "txt"), FORMAT_DOMAINS},
    {HAGEZI("adblock", "txt"), FORMAT_ADBLOCK},
    {HAGEZI("dnsmasq", "txt"), FORMAT_DNSMASQ},
    {HAGEZI("unbound", "conf"), FORMAT_UNBOUND},
    {NULL, 0},
};

static void shapes_that_mean_the_same_agree(void **state)
{
    (void)state;
    assert_same(urlhaus_exact, MATCH_AUTO, 2689);
    assert_same(urlhaus_below, MATCH_AUTO, 2689);
    assert_same(hagezi_exact, MATCH_AUTO, 1205);
    assert_same(hagezi_below, MATCH_AUTO, 714);
}

/* Under one `match` the names alone count: the nine shapes are one list. Of the eleven the
 * tenth holds addresses alone, and the eleventh has paths and three names more. */
static void shapes_name_the_same_hosts(void **state)
{
    (void)state;
    struct shape all[16] = {{NULL, 0}};
    size_t count = 0;
    for (const struct shape *shape = urlhaus_exact; shape->file; shape++) {
        all[count++] = *shape;
    }
    for (const struct shape *shape = urlhaus_below; shape->file; shape++) {
        all[count++] = *shape;
    }
    assert_int_equal(count, 9);
    assert_same(all, MATCH_EXACT, 2689);
    assert_same(all, MATCH_SUBTREE, 2689);
}

/* The addresses of one list, wherever they stand in its shapes. */
static void shapes_hold_the_same_addresses(void **state)
{
    (void)state;
    static const struct shape shapes[] = {
        {URLHAUS "dnscrypt-blocked-ips.txt.zst", FORMAT_ADDRESSES},
        {URLHAUS "domains.txt.zst", FORMAT_DOMAINS},
        {URLHAUS "wildcard.txt.zst", FORMAT_DOMAINS},
        {URLHAUS "agh.txt.zst", FORMAT_ADBLOCK},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        assert_int_equal(scan_shape(&shapes[i], MATCH_AUTO).addresses, 23079);
    }
}

/* Every record of the two small zones; what is no rule is told. */
static void small_zones_are_read_whole(void **state)
{
    (void)state;
    static const struct shape knot = {"rpz/knot-resolver-policy.test.rpz", FORMAT_RPZ};
    static const struct shape powerdns = {"rpz/powerdns-basic.rpz", FORMAT_RPZ};
    assert_int_equal(scan_shape(&knot, MATCH_AUTO).count, 10);
    assert_int_equal(scan_shape(&powerdns, MATCH_AUTO).count, 11);
    struct source_report report;
    compile(knot.file, &report);
    assert_int_equal(report.entries, 9);            /* two records of one name join */
    assert_int_equal(report.skipped[SKIP_WIDE], 1); /* all below a single label */
    assert_string_equal(report.version, "1");
    compile(powerdns.file, &report);
    assert_int_equal(report.entries, 6);
    assert_int_equal(report.skipped[SKIP_TRIGGER], 5);
    assert_int_equal(report.skipped[SKIP_PRIVATE], 1);
    assert_int_equal(report.skipped[SKIP_RECORD] + report.skipped[SKIP_NAME], 0);
}

static void compile_folders(const char *const *folders, size_t count, struct source_report *report)
{
    struct diag diag = {0};
    const struct text_list list = {(char **)(uintptr_t)folders, count};
    struct build_source source = {.id = "ut1",
                                  .category = "adult",
                                  .url = "",
                                  .folders = &list,
                                  .folders_named = true,
                                  .folders_white = true,
                                  .fd = open_list("ut1/ut1-blacklists.tar.zst")};
    struct build_job job = {.sources = &source, .source_count = 1};
    assert_int_equal(compile_file(&job, out, report, &diag), 0);
    close(source.fd);
}

static void folders_of_ut1_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *folder;
        uint64_t names, addresses, paths;
    } folders[] = {
        {"gambling", 32233, 14, 5},       {"violence", 267, 93, 36},     {"doh", 2996, 19, 1},
        {"malware", 216597, 1844, 19226}, {"proxy", 109793, 22530, 293},
    };
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        struct source_report report;
        compile_folders(&folders[i].folder, 1, &report);
        print_message("%s: %u names, %u addresses, %u paths\n", folders[i].folder,
                      (unsigned)report.names, (unsigned)report.addresses,
                      (unsigned)report.skipped[SKIP_PATH]);
        assert_string_equal(report.error_text, "");
        assert_int_equal(report.format, FORMAT_UT1);
        assert_int_equal(report.names, folders[i].names);
        assert_int_equal(report.addresses, folders[i].addresses);
        assert_int_equal(report.skipped[SKIP_PATH], folders[i].paths);
    }
}

/* The archive's symlinks and usage files are as our table of folders has them. */
static void table_of_folders_fits_the_archive(void **state)
{
    (void)state;
    static const char *const all[] = {
        "agressif",   "drogue",
        "forums",     "publicite",
        "redirector", "aggressive",
        "violence",   "drugs",
        "mail",       "ads",
        "proxy",      "liste_bu",
        "child",      "exceptions_liste_bu",
    };
    struct source_report report;
    compile_folders(all, sizeof(all) / sizeof(all[0]), &report);
    assert_string_equal(report.error_text, "");
}

static void what_is_no_list_of_ours_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *file, *says;
    } files[] = {
        {"malware/urlhaus-filter-snort2-online.rules.zst", "IDS rules"},
        {"ut1/ut1-blacklists.tar.zst", "no folder"},
        {"mmdb/GeoIP2-Country-Test.mmdb", "binary"},
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct source_report report;
        print_message("%s\n", files[i].file);
        compile(files[i].file, &report);
        assert_true(report.error < 0);
        assert_non_null(strstr(report.error_text, files[i].says));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_skips_are_as_counted),
        cmocka_unit_test(shapes_that_mean_the_same_agree),
        cmocka_unit_test(shapes_name_the_same_hosts),
        cmocka_unit_test(shapes_hold_the_same_addresses),
        cmocka_unit_test(small_zones_are_read_whole),
        cmocka_unit_test(folders_of_ut1_are_read),
        cmocka_unit_test(table_of_folders_fits_the_archive),
        cmocka_unit_test(what_is_no_list_of_ours_is_refused),
    };
    if (access(data_folder(), R_OK) < 0) {
        print_message("skipped: no real lists at %s\n", data_folder());
        return 0;
    }
    close(mkstemp(out));
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(out);
    return failed;
}
