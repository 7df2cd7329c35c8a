// SPDX-License-Identifier: Apache-2.0
/* What RPZ zones, lists of addresses and lists of expressions may hold, row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rows.h"

static const struct row rows[] = {
    /* addresses */
    {"addresses and prefixes", I,
     "# text\n192.0.2.1\n198.51.100.0/24 # text\n*.203.0.113.5\n||203.0.113.6^\n2001:db8::/32\n"
     "2001:0DB8::0001\n192.0.2.77/24\n",
     "192.0.2.1/32:s 198.51.100.0/24:s 203.0.113.5/32:s 203.0.113.6/32:s 2001:db8::/32:s "
     "2001:db8::1/128:s 192.0.2.0/24:s",
     ""},
    {"addresses that no list may block", I,
     "127.0.0.1\n0.0.0.0\n10.1.2.3\n192.168.0.0/16\n172.20.0.1\n169.254.1.1\n100.64.0.1\n"
     "255.255.255.255\n::1\n::\nfe80::1\nfd00::/8\nff02::1\n192.0.0.0/8\n224.0.0.1\n",
     "",
     "wide private private private private private private private private private private private "
     "private private private"},
    {"the neighbours of local networks are no local ones", I,
     "9.255.255.255\n11.0.0.0\n172.15.0.1\n172.32.0.1\n192.167.0.1\n100.128.0.1\n126.0.0.1\n"
     "223.255.255.1\n2001:db8::ff00\n",
     "9.255.255.255/32:s 11.0.0.0/32:s 172.15.0.1/32:s 172.32.0.1/32:s 192.167.0.1/32:s "
     "100.128.0.1/32:s 126.0.0.1/32:s 223.255.255.1/32:s 2001:db8::ff00/128:s",
     ""},
    {"too wide prefixes", I, "0.0.0.0/0\n8.0.0.0/7\n8.0.0.0/8\n2000::/3\n2001::/16\n",
     "8.0.0.0/8:s 2001::/16:s", "wide wide wide"},
    {"what is no address", I,
     "x.example\n1.2.3.4 x\n1.2.3\n1.2.3.4/33\n1.2.3.4/\n1.2.3.4-1.2.3.9\n", "",
     "name name name name name name"},
    {"an address of a zone of this machine", I, "2001:db8::1%eth0\n", "", "name"},
    {"local addresses in lists of names", D, "127.0.0.1\n192.168.1.0/24\n0.0.0.0\nx.example\n",
     "x.example:s", "private private private"},
    /* regex */
    {"expressions", X, "# text\n^ads?[0-9]*\\.\n/^x[.]y$/\n^[0-9]+\\.\n",
     "/^ads?[0-9]*\\./:s /^x[.]y$/:s /^[0-9]+\\./:s", ""},
    {"expressions that cannot be used", X, ".*\n.\n\n[\n(?<!a\n\\C\na{1,2\n", "/a{1,2/:s",
     "regex regex regex wide wide"},
    /* RPZ */
    {"RPZ actions", Z,
     "a.example CNAME .\nb.example CNAME *.\nc.example CNAME rpz-passthru.\n"
     "d.example CNAME rpz-drop.\ne.example CNAME rpz-tcp-only.\nf.example CNAME f.example.\n"
     "g.example A 192.0.2.1\nh.example CNAME garden.example.\n",
     "a.example:sN b.example:sO c.example:sec d.example:sD e.example:sT f.example:sec g.example:s "
     "h.example:s",
     ""},
    {"RPZ wildcards", Z,
     "*.a.example CNAME .\n*.b.example CNAME rpz-passthru.\n* CNAME .\n*.com CNAME .\n",
     "a.example:bN b.example:bec", "wide wide"},
    {"RPZ records in any form", Z,
     "a.example 60 IN CNAME .\nb.example IN 60 CNAME .\nc.example\t1h30m\tcname\t.\n"
     "d.example in CnAmE . ; text\nE.Example (\n 60 ; text )\n CNAME ) .\n",
     "a.example:sN b.example:sN c.example:sN d.example:sN e.example:sN", ""},
    {"RPZ owners below the origin", Z,
     "$ORIGIN rpz.test.\n@ SOA a. b. ( 2026112501\n 1 2 3 4 )\n NS a.\na.example CNAME .\n"
     "b.example.rpz.test. CNAME .\nC.Example.RPZ.Test. CNAME .\n$ORIGIN example.rpz.test.\nd CNAME .\n"
     "$ORIGIN deep\ne CNAME .\n$ORIGIN rpz.test.\nf.example CNAME .\n",
     "a.example:sN b.example:sN c.example:sN d.example:sN e.deep.example:sN f.example:sN", ""},
    {"RPZ records out of the zone", Z,
     "$ORIGIN rpz.test.\n@ SOA a. b. 1 2 3 4 5\nx.example. CNAME .\n CNAME *.\nxrpz.test. CNAME .\n"
     "$ORIGIN other.test.\ny CNAME .\n$ORIGIN rpz.test.\nz.example CNAME .\n",
     "z.example:sN", "zone zone zone zone"},
    {"RPZ zone as a server writes it", Z,
     "$ORIGIN .\n$TTL 300\nrpz.test IN SOA a. b. 7 2 3 4 5\n\t\tNS a.\n$ORIGIN rpz.test.\n"
     "a.example CNAME .\n\t\tTXT \"x ; ) y\"\n*.a.example CNAME .\n",
     "a.example:sN a.example:s a.example:bN", ""},
    {"RPZ owner of the line before", Z,
     "a.example A 192.0.2.1\n  A 192.0.2.2\n\tAAAA 2001:db8::1\n",
     "a.example:s a.example:s a.example:s", ""},
    {"RPZ zone without an origin has relative owners alone", Z,
     "@ IN SOA a. b. 1 2 3 4 5\n NS a.\na.example CNAME .\nb.example. CNAME .\n", "a.example:sN",
     "zone"},
    {"RPZ answers", Z,
     "32.1.2.0.192.rpz-ip CNAME .\n24.0.2.0.192.rpz-ip CNAME rpz-drop.\n"
     "128.1.zz.db8.2001.rpz-ip CNAME .\n48.zz.2.db8.2001.RPZ-IP CNAME rpz-passthru.\n"
     "128.8.7.6.5.4.3.db8.2001.rpz-ip CNAME .\n",
     "192.0.2.1/32:sN 192.0.2.0/24:sD 2001:db8::1/128:sN 2001:db8:2::/48:sec "
     "2001:db8:3:4:5:6:7:8/128:sN",
     ""},
    {"RPZ answers that are refused", Z,
     "8.0.0.0.10.rpz-ip CNAME .\n4.0.0.0.16.rpz-ip CNAME .\n33.1.2.0.192.rpz-ip CNAME .\nrpz-ip CNAME .\n"
     "32.rpz-ip CNAME .\n32.1.zz.zz.2001.rpz-ip CNAME .\n",
     "", "address address wide private record record"},
    {"RPZ triggers that are not supported", Z,
     "24.0.2.0.192.rpz-client-ip CNAME .\nns.example.rpz-nsdname CNAME .\n"
     "32.1.2.0.192.rpz-nsip CNAME .\n*.example.rpz-nsdname CNAME .\n",
     "", "trigger trigger trigger trigger"},
    {"RPZ lines that are no records", Z,
     "a.example CNAME\nb.example CNAME . .\nc.example A 1.2.3\nd.example WKS x\ne.example TXT \"x\n"
     "f.example )\n$TTL x\nx y CNAME .\na..example CNAME .\ng.example CNAME .\n",
     "g.example:sN", "record record record record record record record record name"},
    {"RPZ directives and records of the zone itself", Z,
     "$INCLUDE /etc/passwd\n$GENERATE 1-9 a$ CNAME .\na.example NS b.\na.example RRSIG x\n", "",
     "directive directive directive directive"},
    {"an open parenthesis of RPZ does not swallow the zone", Z,
     "a.example CNAME .\nb.example ( CNAME .\nc.example CNAME .\n\td.example\ne.example CNAME .\n",
     "a.example:sN c.example:sN e.example:sN", "record record"},
    {"a closing parenthesis too many of RPZ", Z,
     "a.example ( CNAME .\nb.example CNAME . ))\nc.example CNAME .\n", "c.example:sN",
     "record record"},
    {"RPZ names of all kinds", Z,
     "_x.example CNAME .\n127.0.0.1 CNAME .\nlocalhost CNAME .\na\\.b.example CNAME .\n"
     "\xd1\x84.example CNAME .\ncom CNAME .\n",
     "_x.example:sN xn--t1a.example:sN com:sN", "address local name"},
};

static void lines_hold_what_lists_hold(void **state)
{
    (void)state;
    rows_check(rows, sizeof(rows) / sizeof(rows[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_hold_what_lists_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
