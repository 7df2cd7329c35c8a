// SPDX-License-Identifier: Apache-2.0
/* Each row of "what a line may hold" as the lists have it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blocklists/entry.h"
#include "rows.h"

static const struct row rows[] = {
    /* comments */
    {"hash, bang and semicolon begin comments", D,
     "# a.example\n! b.example\n; c.example\nd.example\n", "d.example:s", ""},
    {"Adblock header is a comment in every format", D, "[Adblock Plus 2.0]\nx.example\n",
     "x.example:s", ""},
    {"Adblock header in adblock", A, "[Adblock Plus 2.0]\n||x.example^\n", "x.example:sb", ""},
    {"rulers are comments", D, "=====\n-----\n***\nx.example\n", "x.example:s", ""},
    {"inline comment after the name", D, "x.example # text\ny.example\t#z.example\n",
     "x.example:s y.example:s", ""},
    {"inline comment without a blank before it", H, "0.0.0.0 x.example#text\n", "x.example:s", ""},
    {"inline comment without a blank in domains", D, "x.example#text\n", "x.example:s", ""},
    {"inline comment in adblock", A, "||x.example^ # text\n", "x.example:sb", ""},
    {"//host^ is a rule, not a comment", A, "//x.example^\n", "x.example:s", ""},
    {"// with a blank is a comment in domains", D, "// text\nx.example\n", "x.example:s", ""},
    /* IP column */
    {"every sinkhole address of hosts files", H,
     "0.0.0.0 a.example\n127.0.0.1 b.example\n127.0.0.7 c.example\n255.255.255.255 d.example\n"
     ":: e.example\n::1 f.example\nff00::0 g.example\nfe80::1%lo0 h.example\n",
     "a.example:s b.example:s c.example:s d.example:s e.example:s f.example:s g.example:s h.example:s",
     ""},
    {"tab and several blanks after the address", H, "0.0.0.0\ta.example\n0.0.0.0   b.example\n",
     "a.example:s b.example:s", ""},
    {"several names after one address", H, "0.0.0.0 a.example b.example\tc.example # d.example\n",
     "a.example:s b.example:s c.example:s", ""},
    {"a real address is a mapping, not a block", H,
     "192.0.2.1 nas.example\n2001:db8::1 x.example\n", "", "mapping mapping"},
    {"an address alone blocks nothing", H, "0.0.0.0\n", "", "address"},
    /* localhost family */
    {"local names are never blocked", H,
     "127.0.0.1 localhost\n127.0.0.1 localhost.localdomain\n127.0.0.1 local\n"
     "255.255.255.255 broadcasthost\n::1 ip6-localhost\n::1 ip6-loopback\nfe80::1%lo0 localhost\n"
     "ff00::0 ip6-localnet\nff02::1 ip6-allnodes\n0.0.0.0 0.0.0.0\n",
     "", "address local local local local local local local local local"},
    /* IP addresses where names belong */
    {"addresses never become names", D, "1.2.3.4\n2001:db8::1\n*.1.2.3.4\n1.2.3.77/24\nx.example\n",
     "1.2.3.4/32:s 2001:db8::1/128:s 1.2.3.4/32:s 1.2.3.0/24:s x.example:s", ""},
    {"addresses in adblock", A, "||1.2.3.4^\n||x.example^\n@@||1.2.3.5^\n||1.2.3.6^$badfilter\n",
     "1.2.3.4/32:s x.example:sb 1.2.3.5/32:se 1.2.3.6/32:sx", ""},
    {"addresses in hosts and dnsmasq stay out", H, "0.0.0.0 1.2.3.4\n", "", "address"},
    {"a number as last label is no name", D, "a.1\nb.example\n", "b.example:s", "name"},
    /* host:port, paths */
    {"host:port is dropped", D, "x.example:8080\n", "", "port"},
    {"host:port in hosts", H, "0.0.0.0 x.example:443\n", "", "port"},
    {"a path never becomes a whole-site block", D, "x.example/ads\nhttp://y.example/\n", "",
     "path path"},
    {"adblock path rule is skipped", A, "||x.example/ads^\n||y.example^ads\n|http://z.example/a\n",
     "", "path path path"},
    /* non-ASCII */
    {"IDN in UTF-8 becomes A-labels", D,
     "\xd1\x81\xd0\xb2\xd0\xb8\xd0\xbd\xd0\xb3\xd0\xb5\xd1\x80\xd1\x8b.com\nB\xc3\x9c"
     "CHER.example\n",
     "xn--b1acgkzub0g.com:s xn--bcher-kva.example:s", ""},
    {"punycode is kept", D, "xn--bcher-kva.example\n", "xn--bcher-kva.example:s", ""},
    {"broken UTF-8 is skipped", D, "a\xff\xfe.example\nb.example\n", "b.example:s", "idn"},
    /* shapes */
    {"underscores are names", D, "_dmarc.x_y.example\n", "_dmarc.x_y.example:s", ""},
    {"upper case is folded", D, "WWW.Example\n", "www.example:s", ""},
    {"one trailing dot is the root", H, "0.0.0.0 x.example.\n", "x.example:s", ""},
    {"two trailing dots are nonsense", D, "x.example..\na..example\n", "", "name name"},
    {"leading dot means all below too", D, ".x.example\n", "x.example:sb", ""},
    {"leading dot before a TLD is kept exact", D, ".kr\n.info\n", "kr:s info:s", ""},
    {"hyphens at label edges are kept", D, "-a-.b-.example\n", "-a-.b-.example:s", ""},
    {"63 octets in a label are a name", D,
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example\n",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example:s", ""},
    {"64 octets in a label are none", D,
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example\n", "", "name"},
    {"no final newline", D, "a.example\nb.example", "a.example:s b.example:s", ""},
    {"CRLF", D, "a.example\r\nb.example\r\n", "a.example:s b.example:s", ""},
    {"lone CR ends a line", D, "a.example\rb.example\rc.example",
     "a.example:s b.example:s c.example:s", ""},
    {"byte order mark", D, "\xef\xbb\xbf# text\n\xef\xbb\xbf\nx.example\n", "x.example:s", "idn"},
    {"byte order mark before a name", H,
     "\xef\xbb\xbf"
     "0.0.0.0 x.example\n",
     "x.example:s", ""},
    {"two words are no name", D, "x.example y.example\n", "", "name"},
    {"a hosts line without an address is nonsense", H, "x.example\n||x.example^\n", "",
     "name name"},
    /* single labels and public suffixes */
    {"single label is kept exact", D, "ttp\nadserver1.\n", "ttp:s adserver1:s", ""},
    {"single label is never a subtree", A, "||com^\n||bahomacom^\n", "com:s bahomacom:s", ""},
    {"public suffix is kept exact", A, "||blogspot.com^\n||co.kr^\n||x.co.kr^\n",
     "blogspot.com:s co.kr:s x.co.kr:sb", ""},
    {"wildcard below a public suffix is refused", A, "||*.com^\n||*.duckdns.org^\n", "",
     "wide wide"},
    {"wildcard rule of the suffix list", A, "||anything.ck^\n||www.ck^\n",
     "anything.ck:s www.ck:sb", ""},
    /* what a match means */
    {"hosts and plain names are exact, *. is a subtree", D, "x.example\n*.y.example\n",
     "x.example:s y.example:sb", ""},
    {"adblock forms", A,
     "||a.example^\n@@||b.example^\n|c.example^\nd.example\n||*.e.example^\n||f.example\n"
     "||g.example^|\n|h.example|\n@@|i.example^\n*.j.example\n",
     "a.example:sb b.example:sbe c.example:s d.example:s e.example:b f.example:sb g.example:sb "
     "h.example:s i.example:se j.example:sb",
     ""},
    {"adblock $important and $all", A, "||a.example^$important\n||b.example^$all\n",
     "a.example:sbi b.example:sb", ""},
    {"browser-only modifiers do not block the name", A,
     "||a.example^$third-party\n||b.example^$domain=x.example\n||c.example^$script,important\n"
     "||d.example^$popup\n",
     "", "browser browser browser browser"},
    {"@@ with $domain does not allow the name", A, "@@||a.example^$domain=b.example\n", "",
     "browser"},
    {"modifiers that DNS filters know but we do not", A,
     "||*^$denyallow=x.example\n||b.example^$dnstype=AAAA\n||c.example^$client=1.2.3.4\n"
     "||e.example^$ctag=device_tv\n@@||f.example^$dnsrewrite\n@@||g.example^$dnsrewrite=NXDOMAIN;;\n"
     "||h.example^$dnsrewrite=SERVFAIL;;\n||i.example^$dnsrewrite=NOERROR;WKS;x\n",
     "", "modifier modifier modifier modifier modifier modifier modifier modifier"},
    {"$dnsrewrite that an action of ours says", A,
     "||a.example^$dnsrewrite=NXDOMAIN;;\n||b.example^$dnsrewrite=NXDOMAIN\n"
     "||c.example^$dnsrewrite=NOERROR;;\n||d.example^$dnsrewrite=REFUSED\n"
     "||e.example^$important,dnsrewrite=NOERROR\n||f.example^$dnsrewrite=0.0.0.0\n"
     "||g.example^$dnsrewrite=NOERROR;AAAA;::\n",
     "a.example:sbN b.example:sbN c.example:sbO d.example:sb e.example:sbiO f.example:sb g.example:sb",
     ""},
    {"$dnsrewrite to somewhere is a mapping", A,
     "||a.example^$dnsrewrite=192.0.2.1\n||b.example^$dnsrewrite=safe.example\n"
     "||c.example^$dnsrewrite=NOERROR;AAAA;2001:db8::1\n||d.example^$dnsrewrite=NOERROR;TXT;x\n",
     "", "mapping mapping mapping mapping"},
    {"$badfilter cancels the same rule", A,
     "||a.example^$badfilter\n@@||b.example^$badfilter\n||c.example^$important,badfilter\n"
     "|d.example^$badfilter,all\n",
     "a.example:sbx b.example:sbex c.example:sbix d.example:sx", ""},
    {"$badfilter of a rule that no DNS filter has", A, "||a.example^$script,badfilter\n", "",
     "browser"},
    {"$denyallow takes back within the rule", A,
     "||a.example^$denyallow=b.a.example|c.example|xa.example|A.example.\n",
     "a.example:sb b.a.example:sbe a.example:sbe", ""},
    {"$denyallow that exceptions cannot say", A,
     "||a.example^$denyallow=b.a.example,important\n@@||a.example^$denyallow=b.a.example\n"
     "||a.example^$denyallow=b.a.example,badfilter\n||a.example^$denyallow=*.a.example\n"
     "||a.example^$denyallow=\n||1.2.3.4^$denyallow=b.a.example\n",
     "", "modifier modifier modifier modifier modifier modifier"},
    {"cosmetic rules", A,
     "x.example##.ad\n##.ad\nx.example#@#.ad\nx.example#?#.ad\nx.example$$script\n", "",
     "cosmetic cosmetic cosmetic cosmetic cosmetic"},
    {"hash with a blank is a comment in adblock", A, "# ||x.example^\n", "", ""},
    {"regular expressions", A,
     "/^ads[0-9]+\\./\n/^ad.*\\$/$important\n@@/^good[.]/\n/^a(b/c)$/\n/^x[.]/$dnsrewrite=NXDOMAIN;;\n",
     "/^ads[0-9]+\\./:s /^ad.*\\$/:si /^good[.]/:se /^a(b/c)$/:s /^x[.]/:sN", ""},
    {"expressions that are parts of paths", A, "/ads/\n/banner/x\n/a/b^$script\n", "",
     "path path path"},
    {"expressions with what they cannot have", A,
     "/^a[0-9]/$script\n/^a[0-9]/$badfilter\n/^a[0-9]/$denyallow=x.example\n/^a[0-9]/$client=x\n",
     "", "browser modifier modifier modifier"},
    {"damaged and too wide expressions", A, "/(/\n/.*/\n/^(.+)$/\n/[a-z]/\n/\\.com$/\n/(a+)+$/\n",
     "", "regex regex wide wide wide wide"},
    {"an expression of more steps than the resolver takes", A, "/^(a|b)*(a|c)*[yz]/\n", "",
     "regex"},
    {"wildcards inside a name", A, "||ads*.example^\n||x.*^\n", "", "wildcard wildcard"},
    {"a part of an address is for browsers", A,
     "-ad-banner.\n&ad_id=\nads.example^\n.ads.example^\n", "", "browser browser browser browser"},
    {"port behind the mark", A, "||x.example^:8080\n||x.example:8080^\n", "", "port port"},
    {"hosts lines in an adblock list", A, "0.0.0.0 x.example\n", "x.example:s", ""},
    /* dnsmasq */
    {"dnsmasq addresses that lead nowhere", M,
     "address=/a.example/#\naddress=/b.example/0.0.0.0\naddress=/c.example/::\n"
     "address=/d.example/127.0.0.1\naddress=/e.example/\n",
     "a.example:sb b.example:sb c.example:sb d.example:sb e.example:sb", ""},
    {"dnsmasq servers that are none", M, "server=/a.example/\nlocal=/b.example/\n",
     "a.example:sb b.example:sb", ""},
    {"several names in one dnsmasq line", M,
     "address=/a.example/b.example/.c.example/#\nlocal=/d.example/e.example/\n",
     "a.example:sb b.example:sb c.example:sb d.example:sb e.example:sb", ""},
    {"a real address or server in dnsmasq is a mapping", M,
     "address=/nas.example/192.0.2.1\nserver=/a.example/192.0.2.53\nserver=/b.example/#\n"
     "local=/c.example/192.0.2.53#5353\naddress=/d.example/2001:db8::1\n",
     "", "mapping mapping mapping mapping mapping"},
    {"other dnsmasq options are directives", M,
     "no-resolv\nserver=192.0.2.1\nbogus-nxdomain=192.0.2.1\ncname=a.example,b.example\n"
     "conf-dir=/etc/x\nserver=//\naddress=/#\n",
     "", "directive directive directive directive directive directive directive"},
    {"comments in dnsmasq", M,
     "# address=/a.example/#\naddress=/b.example/# # text\n  address = /c.example/# \n",
     "b.example:sb c.example:sb", ""},
    {"a dnsmasq wildcard is all below", M, "address=/*.a.example/#\naddress=/a*.example/#\n",
     "a.example:b", "wildcard"},
    {"a dnsmasq line for everything is refused", M, "address=/#/0.0.0.0\naddress=/com/#\n", "com:s",
     "wide"},
    {"dnsmasq addresses where names belong", M, "address=/1.2.3.4/0.0.0.0\n", "", "address"},
    {"what is no option is no dnsmasq", M, "a.example\n0.0.0.0 b.example\n||c.example^\n", "",
     "name name name"},
    /* unbound */
    {"unbound zones that refuse", U,
     "server:\n    local-zone: \"a.example.\" always_null\n"
     "local-zone: \"b.example\" always_nxdomain\nlocal-zone: 'c.example' redirect\n"
     "local-zone: d.example static\nlocal-zone: \"e.example\" refuse # text\n"
     "local-zone: \"f.example\" deny\nlocal-zone:\"g.example\" always_refuse\n",
     "a.example:sb b.example:sb c.example:sb d.example:sb e.example:sb f.example:sb g.example:sb",
     ""},
    {"unbound zones that refuse nothing", U,
     "local-zone: \"a.example\" transparent\nlocal-zone: \"b.example\" typetransparent\n"
     "local-zone: \"c.example\" nodefault\n",
     "", "directive directive directive"},
    {"unbound data is a mapping", U,
     "local-data: \"a.example A 0.0.0.0\"\nlocal-data: 'b.example TXT \"local-zone: c\"'\n"
     "local-data-ptr: \"192.0.2.1 d.example\"\n",
     "", "mapping mapping mapping"},
    {"several unbound keywords in one line", U,
     "server: local-zone: \"a.example\" static local-zone: \"b.example\" static\n",
     "a.example:sb b.example:sb", ""},
    {"other unbound keywords are directives", U, "verbosity: 1\ninclude: \"x\"\nforward-zone:\n",
     "", "directive directive directive"},
    {"what is no keyword is no unbound", U, "a.example\nlocal-zone: \"b.example\"\n", "",
     "name name"},
    /* BIND */
    {"BIND zones in one line", B,
     "zone \"a.example\" { type master; notify no; file \"null.zone.file\"; };\n"
     "zone \"b.example.\" IN {type primary;file \"x\";}; zone c.example { };\n",
     "a.example:sb b.example:sb c.example:sb", ""},
    {"BIND zones over several lines, with comments", B,
     "# zone \"x.example\" { type master; };\n// text\n/* zone \"y.example\"\n { }; */\n"
     "zone \"a.example\"\n{\n  type master; # text\n  allow-query { any; };\n"
     "  file \"}; zone\";\n};\nzone \"b.example\" { /* type\nforward; */ type master; };\n",
     "a.example:sb b.example:sb", ""},
    {"BIND zones of other servers are directives", B,
     "zone \".\" { type hint; file \"root\"; };\nzone \"a.example\" { type forward; "
     "forwarders { 192.0.2.1; }; };\nzone \"b.example\" {\n type slave;\n};\n",
     "", "directive directive directive"},
    {"other BIND statements are directives", B, "options {\n  recursion no;\n};\n", "",
     "directive directive"},
    {"a BIND zone left open does not swallow the next", B,
     "zone \"a.example\" { type master;\nzone \"b.example\" { type master; };\n"
     "zone \"c.example { type master; };\nzone \"d.example\" { type master; };\n",
     "b.example:sb d.example:sb", "name name"},
    {"a BIND zone without a body or a name is nonsense", B, "zone \"a.example\";\nzone { };\n", "",
     "name name"},
    {"what is no statement is no BIND", B, "a.example\n0.0.0.0 b.example\n", "", "name name"},
    /* dnscrypt */
    {"dnscrypt names are subtrees, = is exact", C,
     "# text\na.example\n=b.example\n*.c.example\n.d.example # text\n",
     "a.example:sb b.example:s c.example:sb d.example:sb", ""},
    {"dnscrypt patterns and schedules are counted", C,
     "ads.*\n*ads*\nad[0-9].example\nad?.example\na.example @work\n", "",
     "modifier wildcard wildcard wildcard wildcard"},
};

static void lines_hold_what_lists_hold(void **state)
{
    (void)state;
    rows_check(rows, sizeof(rows) / sizeof(rows[0]));
}

/* However the octets arrive, the lines are the same. */
static void pieces_of_any_size_give_the_same(void **state)
{
    (void)state;
    static const char text[] =
        "a.example\r\nb.example\rc.example\n\r\nd.example\r\n1.2.3.4\ne.example";
    for (size_t step = 1; step < sizeof(text); step++) {
        struct seen seen = {""};
        struct source_report report = {0};
        struct line_sink *sink = calloc(1, sizeof(*sink));
        *sink = (struct line_sink){.format = format_find(FORMAT_DOMAINS),
                                   .report = &report,
                                   .on_entry = rows_note,
                                   .arg = &seen};
        for (size_t at = 0; at < sizeof(text) - 1; at += step) {
            size_t left = sizeof(text) - 1 - at;
            scan_feed(sink, (const uint8_t *)text + at, left < step ? left : step);
        }
        scan_end(sink);
        free(sink);
        assert_string_equal(
            seen.names, "a.example:s b.example:s c.example:s d.example:s 1.2.3.4/32:s e.example:s");
        assert_int_equal(report.addresses, 1);
        assert_int_equal(report.bytes, sizeof(text) - 1);
    }
}

static void nul_octets_do_not_end_a_line(void **state)
{
    (void)state;
    static const uint8_t text[] = "a.example\0.evil\nb.example\n";
    struct seen seen = {""};
    struct source_report report = {0};
    struct line_sink *sink = calloc(1, sizeof(*sink));
    *sink = (struct line_sink){.format = format_find(FORMAT_DOMAINS),
                               .report = &report,
                               .on_entry = rows_note,
                               .arg = &seen};
    scan_feed(sink, text, sizeof(text) - 1);
    scan_end(sink);
    free(sink);
    assert_string_equal(seen.names, "b.example:s");
    assert_int_equal(report.skipped[SKIP_NAME], 1);
}

/* 11,782 octets were seen; the limit is 4,096, and the next line is whole again. */
static void long_lines_are_counted_and_left(void **state)
{
    (void)state;
    static const size_t sizes[] = {4096, 4097, 11782, 1 << 20};
    for (size_t i = 0; i < 4; i++) {
        struct seen seen = {""};
        struct source_report report = {0};
        char *text = malloc(sizes[i] + 32);
        memset(text, 'a', sizes[i]);
        strcpy(text + sizes[i], "\nx.example\n");
        struct row row = {"", FORMAT_DOMAINS, text, "", ""};
        rows_scan(&row, MATCH_AUTO, &seen, &report);
        free(text);
        assert_string_equal(seen.names, "x.example:s");
        assert_int_equal(report.skipped[SKIP_LENGTH], sizes[i] > 4096);
        assert_int_equal(report.skipped[SKIP_NAME], sizes[i] <= 4096);
        assert_int_equal(report.lines, 2);
    }
}

static void match_overrides_but_never_across_a_suffix(void **state)
{
    (void)state;
    static const struct {
        enum list_match match;
        struct row row;
    } cases[] = {
        {MATCH_EXACT,
         {"", A, "||a.example^\n||*.b.example^\n@@||c.example^\n",
          "a.example:s b.example:s c.example:sbe", ""}},
        {MATCH_SUBTREE,
         {"", H, "0.0.0.0 a.example\n0.0.0.0 blogspot.com\n0.0.0.0 com\n",
          "a.example:sb blogspot.com:s com:s", ""}},
        {MATCH_SUBTREE, {"", D, "a.example\n*.b.example\n", "a.example:sb b.example:sb", ""}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct seen seen = {""};
        struct source_report report = {0};
        rows_scan(&cases[i].row, cases[i].match, &seen, &report);
        assert_string_equal(seen.names, cases[i].row.names);
        assert_int_equal(report.narrowed, i == 1 ? 2 : 0);
    }
}

static void first_skipped_lines_are_quoted(void **state)
{
    (void)state;
    struct seen seen = {""};
    struct source_report report = {0};
    struct row row = {"", D, "# Version: 2026.11\nlocalhost\nx y\n127.0.0.1\n\x01<b>.z\na/b\n", "",
                      ""};
    rows_scan(&row, MATCH_AUTO, &seen, &report);
    assert_string_equal(report.version, "2026.11");
    assert_int_equal(report.quote_count, 3);
    assert_int_equal(report.quotes[0].line, 3);
    assert_string_equal(report.quotes[0].text, "x y");
    assert_int_equal(report.quotes[1].reason, SKIP_PRIVATE);
    assert_string_equal(report.quotes[2].text, "?<b>.z");
    assert_int_equal(report.skipped[SKIP_LOCAL], 1);
}

static void yield_counts_nonsense_only(void **state)
{
    (void)state;
    struct source_report report = {.names = 10};
    assert_int_equal(report_yield(&report), 100);
    report.skipped[SKIP_COSMETIC] = 1000;
    assert_int_equal(report_yield(&report), 100);
    report.skipped[SKIP_NAME] = 1010;
    assert_int_equal(report_yield(&report), 50);
    report = (struct source_report){0};
    assert_int_equal(report_yield(&report), 100);
}

/* Tokens end where their length says, whatever octet follows. */
static void tokens_are_not_strings(void **state)
{
    (void)state;
    assert_true(entry_is_address("1.2.3.0/24", 9));
    assert_false(entry_is_address("1.2.3.0/24x", 11));
    assert_false(entry_is_address("1.2.3.0/", 8));
    assert_false(entry_is_address("1.2.3.0/1234", 12));
    char *exact = malloc(9);
    memcpy(exact, "1.2.3.0/2", 9);
    assert_true(entry_is_address(exact, 9)); /* nothing may be read behind it */
    free(exact);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_hold_what_lists_hold),
        cmocka_unit_test(pieces_of_any_size_give_the_same),
        cmocka_unit_test(nul_octets_do_not_end_a_line),
        cmocka_unit_test(long_lines_are_counted_and_left),
        cmocka_unit_test(match_overrides_but_never_across_a_suffix),
        cmocka_unit_test(first_skipped_lines_are_quoted),
        cmocka_unit_test(tokens_are_not_strings),
        cmocka_unit_test(yield_counts_nonsense_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
