// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "web/page.h"
#include "web/parts.h"
#include "web/reviewpage.h"

static const char data_dir[] = "blocklists/catalog";

struct parts {
    struct config *config;
    struct catalog *catalog;
    struct texts *texts;
};

static int set_up(void **state)
{
    struct diag diag = {0};
    struct parts *parts = calloc(1, sizeof(*parts));
    parts->config = config_new();
    assert_non_null(parts->config);
    if (catalog_load(data_dir, &parts->catalog, &diag) < 0 ||
        texts_load(data_dir, &parts->texts, &diag) < 0) {
        fail_msg("%s:%u: %s", diag.file, diag.line, diag.text);
    }
    *state = parts;
    return 0;
}

static int tear_down(void **state)
{
    struct parts *parts = *state;
    config_free(parts->config);
    catalog_free(parts->catalog);
    texts_free(parts->texts);
    free(parts);
    return 0;
}

static void set(char **text, const char *value)
{
    free(*text);
    *text = strdup(value);
}

static const struct reason usual = {
    .known = true,
    .blocked = true,
    .word = "list",
    .category = "adult",
    .group = "pupils",
    .list = "starter",
    .ref = "A1B2C3D4",
};

static const struct review_view usual_review = {
    .heading = TEXT_review_waiting_heading,
    .words = TEXT_review_waiting,
    .code = "K7QD2M9P",
    .answer = "",
};

static struct page usual_page(const struct parts *parts)
{
    return (struct page){
        .kind = PAGE_BLOCKED,
        .config = parts->config,
        .catalog = parts->catalog,
        .texts = parts->texts,
        .language = "en",
        .host = "bad.example",
        .reason = &usual,
        .wait_s = 10,
        .now = 1795324426,
        .origin = "http://greengate.lan",
        .token = "0123456789abcdef",
        .review = &usual_review,
        .desk = "",
    };
}

/* The page as a string; it must fit. */
static const char *render(const struct page *page)
{
    static char out[PAGE_MAX + 1];
    struct text text = {out, 0, PAGE_MAX, false};
    page_write(page, &text);
    assert_false(text.full);
    out[text.len] = '\0';
    return out;
}

#define assert_says(html, words)   assert_non_null(strstr(html, words))
#define assert_silent(html, words) assert_null(strstr(html, words))

static void blocked_page_tells_all(void **state)
{
    struct parts *parts = *state;
    set(&parts->config->web.organisation, "Green School");
    set(&parts->config->web.contact, "office@school.example");
    struct page page = usual_page(parts);
    const char *html = render(&page);
    static const char *const said[] = {
        "<!DOCTYPE html>",   "<html lang=\"en\">",
        "bad.example",       "adult content",
        "Green School",      "pupils",
        "A1B2C3D4",          "href=\"mailto:office@school.example\"",
        "href=\"tel:1366\"", "not a punishment",
        "name=\"viewport\"",
    };
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        assert_says(html, said[i]);
    }
    page.language = "ko";
    html = render(&page);
    assert_says(html, "<html lang=\"ko\">");
    assert_says(html, "성인물");
    assert_silent(html, "adult content");
}

/* The form leads to our own name alone, and carries the site and the token. */
static void a_review_can_be_asked_for(void **state)
{
    struct page page = usual_page(*state);
    const char *html = render(&page);
    assert_says(html, "<form method=\"post\" action=\"http://greengate.lan/review\">");
    assert_says(html, "<input type=\"hidden\" name=\"name\" value=\"bad.example\">");
    assert_says(html, "<input type=\"hidden\" name=\"token\" value=\"0123456789abcdef\">");
    assert_says(html, "<label for=\"text\">");
    page.origin = "";
    assert_silent(render(&page), "<form");
    page.kind = PAGE_NEUTRAL; /* nobody can judge what nobody knows */
    page.origin = "http://greengate.lan";
    assert_silent(render(&page), "<form");
}

static void a_request_shows_how_it_stands(void **state)
{
    struct page page = usual_page(*state);
    struct review_view view = usual_review;
    page.kind = PAGE_REVIEW;
    page.review = &view;
    const char *html = render(&page);
    assert_says(html, "Your request has arrived");
    assert_says(html, "<code>K7QD2M9P</code>");
    assert_silent(html, "Answer");
    view.answer = "see <b>this</b>";
    view.until = page.now + 400 * 86400;
    html = render(&page);
    assert_says(html, "see &lt;b&gt;this&lt;/b&gt;");
    assert_says(html, "It is open until <strong>2027-");
    view.until = page.now - 1;
    assert_silent(render(&page), "open until");
}

/* When a schedule opens the site again, and only when that is known and to come. */
static void the_time_of_opening_is_told(void **state)
{
    struct page page = usual_page(*state);
    struct reason reason = usual;
    setenv("TZ", "Asia/Seoul", 1);
    tzset();
    snprintf(reason.word, sizeof(reason.word), "schedule");
    page.reason = &reason;
    page.now = 1796083200; /* Tuesday 2026-12-01 09:00 there */
    assert_silent(render(&page), "Until when");
    reason.opens_at = page.now + 27000;
    assert_says(render(&page), "It opens again at <strong>16:30</strong>.");
    reason.opens_at = page.now + 86400;
    assert_says(render(&page), "It opens again at <strong>2026-12-02 09:00</strong>.");
    reason.opens_at = page.now - 60;
    assert_silent(render(&page), "Until when");
}

/* How pictures get removed stands where help lines name who does it. */
static void victims_are_told_what_to_do(void **state)
{
    struct page page = usual_page(*state);
    struct reason reason = usual;
    page.reason = &reason;
    snprintf(reason.category, sizeof(reason.category), "deepfake");
    assert_says(render(&page), "If pictures of you were spread");
    page.language = "ko";
    assert_says(render(&page), "당신의 잘못이 아닙니다");
    snprintf(reason.category, sizeof(reason.category), "games");
    assert_silent(render(&page), "당신의 잘못이 아닙니다");
}

static const char *const spoken[] = {"ko", "en", "zh", "vi", "ja"};

/* Nothing is left in a language that comes before it. */
static void is_told_in(const struct page *page, const struct catalog_category *category,
                       size_t language)
{
    const char *html = render(page);
    assert_says(html, catalog_text_in(category->names, category->name_count, spoken[language]));
    for (size_t k = 0; k < language; k++) {
        if (strstr(html, catalog_text_in(category->whys, category->why_count, spoken[k]))) {
            fail_msg("%s in %s tells why in %s", category->id, page->language, spoken[k]);
        }
    }
}

/* Each category in each language, within the size. */
static void every_category_is_told_in_every_language(void **state)
{
    const struct parts *parts = *state;
    struct page page = usual_page(parts);
    struct reason reason = usual;
    page.reason = &reason;
    for (size_t l = 0; l < sizeof(spoken) / sizeof(spoken[0]); l++) {
        page.language = spoken[l];
        for (size_t i = 0; i < parts->catalog->category_count; i++) {
            const struct catalog_category *category = &parts->catalog->categories[i];
            snprintf(reason.category, sizeof(reason.category), "%s", category->id);
            is_told_in(&page, category, l);
        }
    }
}

static void there_is_a_way_out(void **state)
{
    struct parts *parts = *state;
    struct page page = usual_page(parts);
    assert_says(render(&page), "href=\"https://www.weather.go.kr/\">Leave this page now</a>");
    set(&parts->config->web.exit_url, "");
    assert_silent(render(&page), "Leave this page now");
    set(&parts->config->web.exit_url, "https://school.example/?a=1&b=2");
    assert_says(render(&page), "href=\"https://school.example/?a=1&amp;b=2\"");
}

static void help_lines_keep_their_order(void **state)
{
    struct page page = usual_page(*state);
    const char *html = render(&page);
    const char *first = strstr(html, "tel:1366");
    const char *second = strstr(html, "tel:1377");
    const char *third = strstr(html, "tel:112");
    assert_non_null(first);
    assert_true(first < second);
    assert_true(second < third);
}

static void contact_links_as_what_it_is(void **state)
{
    struct parts *parts = *state;
    static const struct {
        const char *contact, *html;
    } rows[] = {
        {"it@school.kr", "<a class=\"site\" href=\"mailto:it@school.kr\">it@school.kr</a>"},
        {"02-123 4567", "<a class=\"site\" href=\"tel:021234567\">02-123 4567</a>"},
        {"+82 2 123", "<a class=\"site\" href=\"tel:+822123\">+82 2 123</a>"},
        {"Room 12, Mr Kim", "<b>Room 12, Mr Kim</b>"},
        {"\"><script>@x.y", "<b>&quot;&gt;&lt;script&gt;@x.y</b>"},
        {"a@b.c?bcc=x", "<b>a@b.c?bcc=x</b>"},
    };
    struct page page = usual_page(parts);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        set(&parts->config->web.contact, rows[i].contact);
        if (!strstr(render(&page), rows[i].html)) {
            fail_msg("%s", rows[i].contact);
        }
    }
}

static void nothing_is_invented(void **state)
{
    struct page page = usual_page(*state);
    page.kind = PAGE_NEUTRAL;
    const char *html = render(&page);
    assert_says(html, "bad.example");
    assert_says(html, "cannot say why");
    assert_silent(html, "adult");
    assert_silent(html, "A1B2C3D4");
    assert_silent(html, "pupils");
    assert_silent(html, "blocked:");
    page.kind = PAGE_OPEN;
    html = render(&page);
    assert_says(html, "not blocked any more");
    assert_says(html, "Wait 10 seconds");
    assert_silent(html, "adult");
    assert_silent(html, "pupils");
}

static void rule_of_a_person_names_no_category(void **state)
{
    struct page page = usual_page(*state);
    struct reason reason = usual;
    snprintf(reason.word, sizeof(reason.word), "%s", "block-rule");
    page.reason = &reason; /* a list knows the name too, as adult with help lines */
    const char *html = render(&page);
    assert_says(html, "Blocked by hand");
    assert_silent(html, "adult");
    assert_silent(html, "tel:");
    assert_silent(html, "pupils"); /* the rule is for all, not for the asker's group */
    snprintf(reason.rule_group, sizeof(reason.rule_group), "%s", "pupils");
    assert_says(render(&page), "for the group “pupils”");
}

static void unknown_category_is_shown_by_its_id(void **state)
{
    struct page page = usual_page(*state);
    struct reason reason = usual;
    snprintf(reason.category, sizeof(reason.category), "%s", "our-own");
    page.reason = &reason;
    const char *html = render(&page);
    assert_says(html, "our-own");
    assert_silent(html, "tel:");
}

static void hostile_words_stay_words(void **state)
{
    struct parts *parts = *state;
    struct page page = usual_page(parts);
    struct reason reason = usual;
    static const char evil[] = "<script>x</script>\"'";
    snprintf(reason.category, sizeof(reason.category), "%s", evil);
    snprintf(reason.group, sizeof(reason.group), "%s", evil);
    snprintf(reason.ref, sizeof(reason.ref), "%s", evil);
    set(&parts->config->web.organisation, evil);
    set(&parts->config->web.contact, evil);
    page.reason = &reason;
    page.host = evil;
    const char *html = render(&page);
    assert_silent(html, "<script");
    assert_silent(html, "\"'<");
    assert_says(html, "&lt;script&gt;");
}

static void the_filter_tells_whose_it_is(void **state)
{
    struct parts *parts = *state;
    struct page page = usual_page(parts);
    page.kind = PAGE_OWN;
    page.host = "";
    set(&parts->config->web.organisation, "");
    const char *html = render(&page);
    assert_says(html, "<title>This is the filter of this network</title>");
    assert_says(html, "does not store who asked");
    assert_says(html, "tel:1366");
    assert_silent(html, "Dashboard");
    set(&parts->config->web.organisation, "Green <School>");
    page.desk = "https://10.0.0.1:8953/";
    html = render(&page);
    assert_says(html, "<h1>This is the filter of Green &lt;School&gt;</h1>");
    assert_says(html, "<title>This is the filter of Green &lt;School&gt;</title>");
    assert_says(html, "href=\"https://10.0.0.1:8953/\">Dashboard");
    char wide[PARTS_CONFIGURED_MAX + 1] = "";
    memset(wide, '"', PARTS_CONFIGURED_MAX); /* each is six octets in html */
    set(&parts->config->web.organisation, wide);
    set(&parts->config->web.contact, wide);
    static const char *const languages[] = {"ko", "en", "zh", "vi", "ja"};
    for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++) {
        page.language = languages[i];
        assert_silent(strstr(render(&page), "</style>"), "{");
    }
}

static void host_can_be_missing(void **state)
{
    struct page page = usual_page(*state);
    page.kind = PAGE_NEUTRAL;
    page.host = "";
    const char *html = render(&page);
    assert_silent(html, "{host}");
    assert_silent(html, "class=\"host\"");
}

static void every_category_fits_in_every_language(void **state)
{
    struct parts *parts = *state;
    static const char *const languages[] = {"ko", "en"};
    char host[254];
    memset(host, 'h', sizeof(host) - 1);
    host[253] = '\0';
    char *much = malloc(1000);
    memset(much, '&', 999);
    much[999] = '\0';
    set(&parts->config->web.organisation, much);
    set(&parts->config->web.contact, much);
    free(much);
    for (size_t i = 0; i < parts->catalog->category_count; i++) {
        struct reason reason = usual;
        struct page page = usual_page(parts);
        snprintf(reason.category, sizeof(reason.category), "%s", parts->catalog->categories[i].id);
        page.reason = &reason;
        page.host = host;
        for (size_t n = 0; n < 2; n++) {
            page.language = languages[n];
            assert_silent(strstr(render(&page), "</style>"), "{");
        }
    }
}

/* No address of anybody else, nothing that runs, nothing that is stored. */
static void page_needs_nobody_else(void **state)
{
    struct page page = usual_page(*state);
    for (int kind = PAGE_BLOCKED; kind <= PAGE_NEUTRAL; kind++) {
        page.kind = (enum page_kind)kind;
        const char *html = render(&page);
        static const char *const never[] = {"<script", "<img",      "<link",   "<input type=\"text",
                                            "<iframe", "url(",      "@import", " on",
                                            "style=",  "http-equiv"};
        for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
            if (i == 7) { /* words such as " one": only the attribute is meant */
                assert_silent(html, " onload");
                assert_silent(html, " onclick");
                continue;
            }
            assert_silent(html, never[i]);
        }
    }
}

static double linear(unsigned value)
{
    double v = value / 255.0;
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

static double luminance(unsigned colour)
{
    return 0.2126 * linear(colour >> 16 & 255) + 0.7152 * linear(colour >> 8 & 255) +
           0.0722 * linear(colour & 255);
}

/* The pairs that style.c sets, in both schemes (WCAG 2.2, 1.4.3). */
static void contrast_is_enough(void **state)
{
    (void)state;
    static const struct {
        unsigned text, ground;
    } pairs[] = {
        {0x1c2a24, 0xffffff}, {0x4c5f56, 0xffffff}, {0x1c2a24, 0xedf5f0}, {0x14633f, 0xffffff},
        {0xffffff, 0x1f6b49}, {0xe3ece7, 0x19211d}, {0xa9bbb1, 0x19211d}, {0xe3ece7, 0x223029},
        {0x86dbb0, 0x19211d}, {0x0e2018, 0x86dbb0},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char name[8];
        double a = luminance(pairs[i].text) + 0.05, b = luminance(pairs[i].ground) + 0.05;
        assert_true((a > b ? a / b : b / a) >= 4.5);
        snprintf(name, sizeof(name), "%06x", pairs[i].text);
        assert_true(strstr(page_style, name) || pairs[i].text == 0xffffff);
    }
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(blocked_page_tells_all),
        ROW(help_lines_keep_their_order),
        ROW(the_time_of_opening_is_told),
        ROW(victims_are_told_what_to_do),
        ROW(there_is_a_way_out),
        ROW(a_review_can_be_asked_for),
        ROW(a_request_shows_how_it_stands),
        ROW(every_category_is_told_in_every_language),
        ROW(contact_links_as_what_it_is),
        ROW(nothing_is_invented),
        ROW(rule_of_a_person_names_no_category),
        ROW(unknown_category_is_shown_by_its_id),
        ROW(hostile_words_stay_words),
        ROW(the_filter_tells_whose_it_is),
        ROW(host_can_be_missing),
        ROW(every_category_fits_in_every_language),
        ROW(page_needs_nobody_else),
        cmocka_unit_test(contrast_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
