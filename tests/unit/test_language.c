// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "web/language.h"

static const struct row {
    const char *behaviour, *offered[3], *accept, *chosen;
} rows[] = {
    {"nothing asked gives the first", {"ko", "en"}, "", "ko"},
    {"what is asked for is given", {"ko", "en"}, "en", "en"},
    {"region is no obstacle", {"ko", "en"}, "en-GB", "en"},
    {"case is no obstacle", {"ko", "en"}, "EN-us", "en"},
    {"usual header of a Korean browser", {"ko", "en"}, "ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", "ko"},
    {"usual header of an English browser", {"ko", "en"}, "en-US,en;q=0.9,ko;q=0.8", "en"},
    {"the heavier wins, not the first", {"ko", "en"}, "en;q=0.3, ko;q=0.8", "ko"},
    {"of equals the first named wins", {"ko", "en"}, "en, ko", "en"},
    {"unknown language is passed over", {"ko", "en"}, "fr, de;q=0.9, en;q=0.1", "en"},
    {"nothing known gives the first", {"ko", "en"}, "fr, de", "ko"},
    {"star gives the first", {"ko", "en"}, "fr, *;q=0.5", "ko"},
    {"star does not revive what is refused", {"ko", "en"}, "ko;q=0, *;q=0.5", "en"},
    {"zero refuses", {"ko", "en"}, "ko;q=0, en;q=0.001", "en"},
    {"blanks are allowed", {"ko", "en"}, " en ; q=0.9 , ko ; q=0.2", "en"},
    {"empty items are allowed", {"ko", "en"}, ",, ,en,,", "en"},
    {"bad weight is no wish", {"ko", "en"}, "en;q=x, ko;q=0.1", "ko"},
    {"a longer word is another language", {"ko", "en"}, "eng, kok", "ko"},
    {"a prefix is another language", {"ko", "en"}, "e", "ko"},
    {"exact variant beats its language", {"zh", "zh-tw"}, "zh-TW", "zh-tw"},
    {"weight above one counts as one", {"ko", "en"}, "en;q=1.9, ko;q=0.99", "en"},
    {"markup is no language", {"ko", "en"}, "<script>", "ko"},
};

static void chooses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t at = language_choose(rows[i].offered, 2, rows[i].accept);
        assert_true(at < 2);
        if (strcmp(rows[i].offered[at], rows[i].chosen) != 0) {
            fail_msg("%s: got %s", rows[i].behaviour, rows[i].offered[at]);
        }
    }
}

static void many_wishes_are_cut(void **state)
{
    (void)state;
    const char *const offered[] = {"ko", "en"};
    char accept[1024];
    char *at = accept;
    for (int i = 0; i < 200; i++) {
        at = stpcpy(at, "fr, ");
    }
    memcpy(at, "en", 3);
    assert_int_equal(language_choose(offered, 2, accept), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses),
        cmocka_unit_test(many_wishes_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
