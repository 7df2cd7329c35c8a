// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "dns/name.h"

static void text_becomes_wire_and_text_again(void **state)
{
    (void)state;
    static const struct {
        const char *behaviour, *text, *printed;
        int labels;
    } rows[] = {
        {"a plain name", "www.example.com", "www.example.com", 3},
        {"a trailing dot means the same", "example.com.", "example.com", 2},
        {"case is folded", "WWW.Example.COM", "www.example.com", 3},
        {"the root", ".", ".", 0},
        {"underscores", "_dmarc.x.example", "_dmarc.x.example", 3},
        {"an escaped dot stays in its label", "a\\.b.example", "a\\046b.example", 2},
        {"a decimal escape", "\\000\\255.example", "\\000\\255.example", 2},
        {"an empty label is refused", "a..b", NULL, 0},
        {"a leading dot is refused", ".a", NULL, 0},
        {"nothing is refused", "", NULL, 0},
        {"raw UTF-8 is refused", "\xed\x95\x9c.kr", NULL, 0},
        {"a bad escape is refused", "a\\25.b", NULL, 0},
        {"an escape over 255 is refused", "a\\256.b", NULL, 0},
        {"an escape at the end is refused", "a\\", NULL, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dname name;
        char text[DNAME_TEXT_MAX];
        print_message("%s\n", rows[i].behaviour);
        int err = dname_parse(rows[i].text, &name);
        if (!rows[i].printed) {
            assert_int_equal(err, -EINVAL);
            continue;
        }
        assert_int_equal(err, 0);
        assert_int_equal(name.labels, rows[i].labels);
        assert_string_equal(dname_print(&name, text), rows[i].printed);
    }
}

static void limits_of_rfc_1035_hold(void **state)
{
    (void)state;
    struct dname name;
    char text[600];
    memset(text, 'a', 63);
    text[63] = '\0';
    assert_int_equal(dname_parse(text, &name), 0);
    text[63] = 'a';
    text[64] = '\0';
    assert_int_equal(dname_parse(text, &name), -EINVAL);
    /* 127 labels of one octet fill 255 octets exactly. */
    for (int i = 0; i < 127; i++) {
        memcpy(text + 2 * i, "a.", 2);
    }
    text[254] = '\0';
    assert_int_equal(dname_parse(text, &name), 0);
    assert_int_equal(name.len, 255);
    assert_int_equal(name.labels, 127);
    memcpy(text + 254, "a.", 3);
    assert_int_equal(dname_parse(text, &name), -EINVAL);
}

static void suffixes_and_parents(void **state)
{
    (void)state;
    struct dname name, parent, other, root;
    size_t len;
    assert_int_equal(dname_parse("a.b.example.com", &name), 0);
    assert_int_equal(dname_parse("example.com", &parent), 0);
    assert_int_equal(dname_parse("ample.com", &other), 0);
    assert_int_equal(dname_parse(".", &root), 0);
    assert_true(dname_is_below(&name, &parent));
    assert_true(dname_is_below(&parent, &parent));
    assert_true(dname_is_below(&name, &root));
    assert_false(dname_is_below(&parent, &name));
    assert_false(dname_is_below(&name, &other));
    const uint8_t *suffix = dname_suffix(&name, 2, &len);
    assert_int_equal(len, parent.len);
    assert_memory_equal(suffix, parent.wire, len);
    (void)dname_suffix(&name, 4, &len);
    assert_int_equal(len, 1);
    volatile unsigned far = 200;
    (void)dname_suffix(&name, far, &len);
    assert_int_equal(len, 1);
}

static void compression_goes_strictly_back(void **state)
{
    (void)state;
    static const struct {
        const char *behaviour;
        uint8_t packet[40];
        size_t len, start, end; /* end 0: refused */
        const char *name;
    } rows[] = {
        {"a pointer to an earlier name", "\3com\0\3www\xc0\0", 11, 5, 11, "www.com"},
        {"a pointer to itself", "\3com\0\xc0\5", 7, 5, 0, NULL},
        {"a pointer forwards", "\xc0\2\3com\0", 7, 0, 0, NULL},
        {"two pointers in a circle", "\xc0\2\xc0\0", 4, 2, 0, NULL},
        {"a label past the end", "\7com", 4, 0, 0, NULL},
        {"no end", "\3com", 4, 0, 0, NULL},
        {"a reserved label type", "\x80\0", 2, 0, 0, NULL},
        {"a pointer cut in half", "\3com\0\xc0", 6, 5, 0, NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dname name;
        char text[DNAME_TEXT_MAX];
        size_t pos = rows[i].start;
        print_message("%s\n", rows[i].behaviour);
        int err = dname_read(rows[i].packet, rows[i].len, &pos, &name);
        assert_int_equal(err, rows[i].end ? 0 : -EBADMSG);
        if (rows[i].end) {
            assert_int_equal(pos, rows[i].end);
            assert_string_equal(dname_print(&name, text), rows[i].name);
        }
    }
}

static void every_octet_folds_wherever_it_stands(void **state)
{
    (void)state;
    for (unsigned len = 0; len < 20; len++) {
        for (unsigned octet = 0; octet < 256; octet++) {
            uint8_t from[20], to[21];
            memset(from, (int)octet, len);
            from[len / 2] = 'Q';
            memset(to, '#', sizeof(to));
            octets_fold(to, from, len);
            for (unsigned i = 0; i < len; i++) {
                assert_int_equal(to[i], i == len / 2 ? 'q' : octet_fold((uint8_t)octet));
            }
            assert_int_equal(to[len], '#');
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_becomes_wire_and_text_again),
        cmocka_unit_test(limits_of_rfc_1035_hold),
        cmocka_unit_test(suffixes_and_parents),
        cmocka_unit_test(compression_goes_strictly_back),
        cmocka_unit_test(every_octet_folds_wherever_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
