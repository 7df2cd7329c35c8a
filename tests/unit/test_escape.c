// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdint.h>
#include <string.h>

#include "web/escape.h"

#define BAD "\xef\xbf\xbd"

static const struct row {
    const char *behaviour, *input, *output;
} rows[] = {
    {"plain text stays", "a site.example, 1-2", "a site.example, 1-2"},
    {"Korean stays", "\xea\xb0\x80\xeb\x82\x98", "\xea\xb0\x80\xeb\x82\x98"},
    {"four-octet character stays", "\xf0\x9f\x8c\xb1", "\xf0\x9f\x8c\xb1"},
    {"markup is text", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"},
    {"attribute cannot be left", "\" onload='x'", "&quot; onload=&#39;x&#39;"},
    {"entity is not decoded", "&lt;b&gt;", "&amp;lt;b&amp;gt;"},
    {"tab and line end stay", "a\tb\nc", "a\tb\nc"},
    {"control octets are shown", "a\x01\x1b[31m\x7f", "a" BAD BAD "[31m" BAD},
    {"carriage return is shown", "a\rb", "a" BAD "b"},
    {"C1 control is shown", "a\xc2\x9b", "a" BAD},
    {"override of direction is shown",
     "a\xe2\x80\xae"
     "cod.exe",
     "a" BAD "cod.exe"},
    {"isolate of direction is shown", "a\xe2\x81\xa6z", "a" BAD "z"},
    {"right-to-left mark is shown", "\xe2\x80\x8f", BAD},
    {"Arabic letter mark is shown", "\xd8\x9c", BAD},
    {"zero width space is shown", "go\xe2\x80\x8bogle", "go" BAD "ogle"},
    {"byte order mark is shown", "\xef\xbb\xbf", BAD},
    {"Hangul filler is shown", "\xe3\x85\xa4", BAD},
    {"tag character is shown", "\xf3\xa0\x80\xa1", BAD},
    {"overlong slash is broken", "\xc0\xaf", BAD BAD},
    {"surrogate is broken", "\xed\xa0\x80", BAD},
    {"stray continuation is broken", "\x80x", BAD "x"},
    {"cut character is broken", "x\xe2\x82", "x" BAD BAD},
    {"cut character does not eat markup", "\xe2<b>", BAD "&lt;b&gt;"},
    {"beyond Unicode is broken", "\xf4\x90\x80\x80", BAD BAD BAD BAD},
};

static void escapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[256];
        struct text text = {out, 0, sizeof(out) - 1, false};
        escape_html(&text, rows[i].input);
        out[text.len] = '\0';
        assert_false(text.full);
        if (strcmp(out, rows[i].output) != 0) {
            fail_msg("%s: got \"%s\"", rows[i].behaviour, out);
        }
    }
}

static void every_octet_is_safe(void **state)
{
    (void)state;
    for (unsigned octet = 0; octet < 256; octet++) {
        char in = (char)octet, out[16];
        struct text text = {out, 0, sizeof(out), false};
        escape_html_len(&text, &in, 1);
        assert_null(memchr(out, '<', text.len));
        assert_null(memchr(out, '>', text.len));
        assert_null(memchr(out, '"', text.len));
        assert_true(text.len > 0);
    }
}

static void what_does_not_fit_is_said(void **state)
{
    (void)state;
    char out[8] = "#######";
    struct text text = {out, 0, 6, false};
    escape_html(&text, "ab<<");
    assert_true(text.full);
    assert_true(text.len <= 6);
    assert_int_equal(out[6], '#');
    text_add(&text, "x");
    assert_true(text.full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes),
        cmocka_unit_test(every_octet_is_safe),
        cmocka_unit_test(what_does_not_fit_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
