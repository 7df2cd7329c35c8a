// SPDX-License-Identifier: Apache-2.0
/* What the beginning of a download says about its format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "blocklists/format.h"

static void sniffing_tells_what_a_file_is(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int want; /* a format or -EINVAL */
        const char *says;
    } cases[] = {
        {"# hosts\n127.0.0.1 localhost\n0.0.0.0 a.example\n", FORMAT_HOSTS, ""},
        {"! Title\n||a.example^\n||b.example^\n", FORMAT_ADBLOCK, ""},
        {"a.example\nb.example\n", FORMAT_DOMAINS, ""},
        {"*.a.example\n*.b.example\n", FORMAT_DOMAINS, ""},
        {".a.example\n.b.example\n", FORMAT_DOMAINS, ""},
        {"1.2.3.4\n5.6.7.8\na.example\n", FORMAT_DOMAINS, ""},
        {"a.example\n||b.example^\n@@||c.example^\n", FORMAT_ADBLOCK, ""},
        {"a.example\r\nb.example\r\n", FORMAT_DOMAINS, ""},
        {"a.example\rb.example\r", FORMAT_DOMAINS, ""},
        {"\xef\xbb\xbf"
         "0.0.0.0 a.example\n",
         FORMAT_HOSTS, ""},
        {"##.ad\nx.example##.ad\n||x.example/a^$script\n", FORMAT_ADBLOCK, ""},
        {"", -EINVAL, "empty"},
        {"# only\n! comments\n", -EINVAL, "empty"},
        {"\n <!DOCTYPE html><html><head>", -EINVAL, "HTML"},
        {"<html><body>404 Not Found</body></html>", -EINVAL, "HTML"},
        {"\xff\xfe"
         "a",
         -EINVAL, "UTF-16"},
        {"PK\x03\x04zip", -EINVAL, "zip"},
        {"\x01\x02\x03\x04\x05\x06", -EINVAL, "binary"},
        {"alert tls any any -> any any (msg:\"x\"; sid:1;)\n", -EINVAL, "IDS"},
        {"address=/a.example/#\n", FORMAT_DNSMASQ, ""},
        {"# x\nserver=/a.example/\nlocal=/b.example/\n", FORMAT_DNSMASQ, ""},
        {"server:\nlocal-zone: \"a.example.\" always_null\n", FORMAT_UNBOUND, ""},
        {"zone \"a.example\" { type master; };\n", FORMAT_BIND, ""},
        {"// x\nzone \"a.example\" {\n  type master;\n  file \"x\";\n};\n", FORMAT_BIND, ""},
        {"function a() {\n  return 1;\n}\n", -EINVAL, "not a known list"},
        {"a.example\n=b.example\n*.c.example\n", FORMAT_DNSCRYPT, ""},
        {"=====\na.example\n=-=\n= b\n", FORMAT_DOMAINS, ""},
        {"$TTL 60\n@ SOA a b 1 1 1 1 1\n", FORMAT_RPZ, ""},
        {"a.example CNAME .\nb.example\t60\tIN\tCNAME\t.\n", FORMAT_RPZ, ""},
        {"a.example A 192.0.2.1\n; x\n  AAAA 2001:db8::1\n", FORMAT_RPZ, ""},
        {"# x\n192.0.2.1\n2001:db8::/32 # y\n*.192.0.2.2\n", FORMAT_ADDRESSES, ""},
        {"^ads?[0-9]*\\.\n(\\.top$|\\.xyz$)\n", FORMAT_REGEX, ""},
        {"/^ads[0-9]/\n/x[.]y$/\n", FORMAT_REGEX, ""},
        {"/^ads[0-9]/\n||a.example^\n||b.example^\n", FORMAT_ADBLOCK, ""},
        {"*.1.2.3.4\n*.a.example\n", FORMAT_DOMAINS, ""},
        {"{\"error\": \"rate limited\"}\n", -EINVAL, "not a known list"},
        {"Please log in to the network first.\nThank you very much.\n", -EINVAL,
         "not a known list"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct diag diag = {0};
        print_message("%.40s\n", cases[i].text);
        assert_int_equal(sniff_format((const uint8_t *)cases[i].text, strlen(cases[i].text), &diag),
                         cases[i].want);
        assert_true(cases[i].want >= 0 || strstr(diag.text, cases[i].says));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sniffing_tells_what_a_file_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
