// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "policy/lookalike.h"

static const char *plain_of(const char *text)
{
    static char out[DNAME_TEXT_MAX];
    struct dname name, plain;
    assert_int_equal(dname_parse(text, &name), 0);
    return lookalike_find(&name, &plain) ? dname_print(&plain, out) : "";
}

static void what_looks_like_a_plain_name_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *name, *plain;
    } rows[] = {
        {"xn--dult-43d.example", "adult.example"},
        {"www.XN--DULT-43D.example", "www.adult.example"},
        {"xn--80ak6aa92e.com", "apple.com"},         /* all Cyrillic */
        {"xn--bcher-kva.example", "bucher.example"}, /* RFC 3492's kind: bücher */
        {"xn--80ak6aa92e.xn--clps-wpa", "apple.clips"},
        {"\\239\\189\\129dult.example", "adult.example"}, /* full width */
        {"plain.example", ""},
        {"xn--3e0b707e.example", ""}, /* Korean */
        {"xn--wgv71a.example", ""},   /* Japanese */
        {"xn--.example", ""},
        {"xn---.example", ""},
        {"xn--99999999.example", ""},
        {"xn--a-.example", "a.example"},
        {"\\255\\255.example", ""},
        {"\\208.example", ""},
        {".", ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(plain_of(rows[i].name), rows[i].plain) != 0) {
            fail_msg("%s: '%s', not '%s'", rows[i].name, plain_of(rows[i].name), rows[i].plain);
        }
    }
}

/* Whatever stands behind xn--, the decoder stays within its room. */
static void any_label_is_survived(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (unsigned round = 0; round < 200000; round++) {
        struct dname name = {.labels = 1}, plain;
        seed = seed * 1664525 + 1013904223;
        unsigned len = 4 + (seed >> 16) % 60;
        name.wire[0] = (uint8_t)len;
        memcpy(name.wire + 1, "xn--", 4);
        for (unsigned i = 5; i <= len; i++) {
            static const char octets[] = "abcdefghijklmnopqrstuvwxyz0123456789---\xc3\xa9\xff";
            seed = seed * 1664525 + 1013904223;
            name.wire[i] = (uint8_t)octets[(seed >> 16) % (sizeof(octets) - 1)];
        }
        name.len = (uint8_t)(len + 2);
        if (lookalike_find(&name, &plain)) {
            assert_true(plain.len >= 3 && plain.labels == 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_looks_like_a_plain_name_is_found),
        cmocka_unit_test(any_label_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
