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

#include "blocklists/blockdb_layout.h"
#include "blocklists/compile.h"
#include "blocklists/format.h"

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
    {"malware/urlhaus-2025/urlhaus-filter-ag.txt.zst", FORMAT_ADBLOCK, 2692, 0, SKIP_PATH, 6051},
    {"malware/urlhaus-2025/urlhaus-filter-agh.txt.zst", FORMAT_ADBLOCK, 2689, 0, SKIP_ADDRESS,
     23079},
    {"malware/urlhaus-filter-agh-large.txt.zst", FORMAT_ADBLOCK, 87324, 11, SKIP_ADDRESS, 138993},
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

/* The octet that says what the list was read as is the one thing that may differ. */
static void forget_format(char *data)
{
    uint64_t at = le64_load((const uint8_t *)data + BLOCKDB_AT_SOURCE_TABLE);
    memset(data + BLOCKDB_AT_CHECKSUM, 0, 8);
    data[at + BLOCKDB_SOURCE_FORMAT] = 0;
}

static size_t read_out(char *data, size_t cap)
{
    FILE *file = fopen(out, "rb");
    size_t len = fread(data, 1, cap, file);
    fclose(file);
    return len;
}

struct shape {
    const char *file;
    int format;
};

/* Each shape gives `entries` names, and all of them the same bytes. */
static void assert_same(const struct shape *shapes, enum list_match match, uint64_t entries)
{
    static char first[1 << 17], other[1 << 17];
    size_t first_len = 0;
    for (size_t i = 0; shapes[i].file; i++) {
        struct source_report report;
        print_message("%s\n", shapes[i].file);
        compile_as(shapes[i].file, match, &report);
        assert_int_equal(report.format, shapes[i].format);
        assert_int_equal(report.entries + report.folded, entries);
        size_t len = read_out(i ? other : first, sizeof(first));
        first_len = i ? first_len : len;
        assert_in_range(len, BLOCKDB_HEADER, sizeof(first) - 1);
        forget_format(i ? other : first);
        assert_int_equal(len, first_len);
        assert_true(i == 0 || memcmp(first, other, len) == 0);
    }
}

#define URLHAUS "malware/urlhaus-2025/urlhaus-filter-"

static const struct shape urlhaus_exact[] = {
    {URLHAUS "hosts.txt.zst", FORMAT_HOSTS},
    {URLHAUS "domains.txt.zst", FORMAT_DOMAINS},
    {URLHAUS "dnscrypt-blocked-names.txt", FORMAT_DOMAINS},
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

/* Under one `match` the names alone count: the eight shapes are one list. */
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
    assert_int_equal(count, 8);
    assert_same(all, MATCH_EXACT, 2689);
    assert_same(all, MATCH_SUBTREE, 2689);
}

static void what_is_no_list_of_ours_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *file, *says;
    } files[] = {
        {"malware/urlhaus-filter-snort2-online.rules.zst", "IDS rules"},
        {"rpz/urlhaus-filter-rpz.conf.zst", "RPZ"},
        {"doh-vpn/dibdot-doh-ipv4.txt.zst", "holds nothing"},
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
