// SPDX-License-Identifier: Apache-2.0
#include "web/page.h"

#include <stdio.h>
#include <string.h>

#include "web/escape.h"
#include "web/parts.h"
#include "web/reviewpage.h"

enum { LINES_MAX = 6, ALL_LINES_MAX = 9 };

/* A local rule blocks without a category, though a list may know one for the name. */
static bool is_by_rule(const struct page *page)
{
    return strcmp(page->reason->word, "block-rule") == 0;
}

/* Reasons that say more than a category does. */
struct own_words {
    const char *word; /* of verdict.def */
    enum text_id category, why;
};

static const struct own_words *find_words(const char *word)
{
    static const struct own_words rows[] = {
        {"block-rule", TEXT_rule_category, TEXT_rule_why},
        {"service", TEXT_service_category, TEXT_service_why},
        {"schedule", TEXT_time_category, TEXT_time_why},
        {"not-chosen", TEXT_chosen_category, TEXT_chosen_why},
        {"no-safe-search", TEXT_search_category, TEXT_search_why},
        {"place", TEXT_place_category, TEXT_place_why},
        {"look-alike", TEXT_lookalike_category, TEXT_lookalike_why},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].word, word) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

static void add_opening(struct text *text, const struct page *page)
{
    char time[32];
    const struct fill fill = {"{time}", time, "<strong>", "</strong>"};
    if (page->reason->opens_at > page->now) {
        parts_time(page->reason->opens_at, page->now, time);
        parts_term(text, parts_say(page, TEXT_until_label));
        parts_filled(text, parts_say(page, TEXT_until_text), &fill);
        text_add(text, "</dd>\n");
    }
}

static void add_why(struct text *text, const struct page *page,
                    const struct catalog_category *category)
{
    const struct own_words *own = find_words(page->reason->word);
    const char *name = own ? parts_say(page, own->category) : page->reason->category;
    const char *why = parts_say(page, own ? own->why : TEXT_other_why);
    if (category && (!own || is_by_rule(page))) {
        name = catalog_text_in(category->names, category->name_count, page->language);
        if (category->why_count) {
            why = catalog_text_in(category->whys, category->why_count, page->language);
        }
    }
    parts_term(text, parts_say(page, TEXT_category_label));
    text_add(text, "<b>");
    escape_html(text, name);
    text_add(text, "</b>\n");
    escape_html(text, why);
    if (strcmp(page->reason->word, "list-address") == 0) {
        text_add(text, "<br>\n");
        escape_html(text, parts_say(page, TEXT_server_why));
    }
    text_add(text, "</dd>\n");
}

static void add_policy(struct text *text, const struct page *page)
{
    char whose[PARTS_CONFIGURED_MAX + 1];
    parts_configured(page->config->web.organisation, whose);
    if (!whose[0] && page->kind != PAGE_BLOCKED) {
        return;
    }
    parts_term(text, parts_say(page, TEXT_policy_label));
    escape_html(text, whose[0] ? whose : parts_say(page, TEXT_policy_network));
    const char *policy_group = "";
    if (page->kind == PAGE_BLOCKED) {
        policy_group = is_by_rule(page) ? page->reason->rule_group : page->reason->group;
    }
    if (policy_group[0]) {
        const struct fill group = {"{group}", policy_group, "", ""};
        text_add(text, "<br>\n");
        parts_filled(text, parts_say(page, TEXT_policy_group), &group);
    }
    text_add(text, "</dd>\n");
}

static void add_ask(struct text *text, const struct page *page)
{
    text_add(text, "<section>\n");
    parts_line(text, "h2", parts_say(page, TEXT_ask_heading));
    parts_contact(text, page);
    if (page->kind == PAGE_BLOCKED && page->reason->ref[0]) {
        const struct fill ref = {"{ref}", page->reason->ref, "<code>", "</code>"};
        text_add(text, "<p>");
        parts_filled(text, parts_say(page, TEXT_ask_reference), &ref);
        text_add(text, "</p>\n");
    }
    text_add(text, "</section>\n");
}

static void add_help_line(struct text *text, const struct page *page,
                          const struct catalog_line *line)
{
    const char *label = catalog_text_in(line->labels, line->label_count, page->language);
    char number[40];
    parts_number(line->number, number, sizeof(number));
    text_add(text, "<li><span class=\"number\">");
    if (number[0]) {
        text_printf(text, "<a class=\"call\" href=\"tel:%s\">", number);
        escape_html(text, line->number);
        text_add(text, "</a>");
    }
    text_add(text, "</span> <span>");
    escape_html(text, label);
    if (strncmp(line->url, "https://", 8) == 0) {
        text_add(text, " <a class=\"site\" rel=\"noreferrer\" href=\"");
        escape_html(text, line->url);
        text_add(text, "\">");
        escape_html(text, parts_say(page, TEXT_help_site));
        text_add(text, "</a>");
    }
    text_add(text, "</span></li>\n");
}

static void begin_help(struct text *text, const struct page *page)
{
    text_add(text, "<section>\n");
    parts_line(text, "h2", parts_say(page, TEXT_help_heading));
    parts_line(text, "p", parts_say(page, TEXT_help_text));
    text_add(text, "<ul>\n");
}

static void add_help(struct text *text, const struct page *page,
                     const struct catalog_category *category)
{
    if (!category || category->help.count == 0) {
        return;
    }
    begin_help(text, page);
    for (size_t i = 0; i < category->help.count && i < LINES_MAX; i++) {
        const struct catalog_line *line = catalog_find_line(page->catalog, category->help.items[i]);
        if (line) {
            add_help_line(text, page, line);
        }
    }
    text_add(text, "</ul>\n</section>\n");
}

/* What somebody can do whose pictures were spread: where the help lines name who removes
 * them. */
static void add_removal(struct text *text, const struct page *page,
                        const struct catalog_category *category)
{
    for (size_t i = 0; category && i < category->help.count; i++) {
        if (strcmp(category->help.items[i], "d4u") == 0) {
            text_add(text, "<section>\n");
            parts_line(text, "h2", parts_say(page, TEXT_removal_heading));
            parts_line(text, "p", parts_say(page, TEXT_removal_text));
            text_add(text, "</section>\n");
            return;
        }
    }
}

static void add_blocked(struct text *text, const struct page *page)
{
    const struct catalog_category *category =
        is_by_rule(page) ? NULL : catalog_find(page->catalog, page->reason->category);
    text_add(text, "<dl>\n");
    parts_address(text, page);
    add_why(text, page, category);
    add_opening(text, page);
    add_policy(text, page);
    text_add(text, "</dl>\n<p class=\"note\">");
    escape_html(text, parts_say(page, page->reason->watched ? TEXT_watched_text : TEXT_kind_text));
    text_add(text, "</p>\n");
    add_ask(text, page);
    add_help(text, page, category);
    add_removal(text, page, category);
    if (*page->origin) {
        reviewpage_add_form(text, page);
    }
}

static void add_open(struct text *text, const struct page *page)
{
    char seconds[16];
    snprintf(seconds, sizeof(seconds), "%u", page->wait_s);
    const struct fill wait = {"{seconds}", seconds, "", ""};
    text_add(text, "<dl>\n");
    parts_address(text, page);
    text_add(text, "</dl>\n<p class=\"note\">");
    parts_filled(text, parts_say(page, TEXT_open_text), &wait);
    text_add(text, "</p>\n<p><a class=\"again\" href=\"\">");
    escape_html(text, parts_say(page, TEXT_open_again));
    text_add(text, "</a></p>\n");
}

static void add_neutral(struct text *text, const struct page *page)
{
    text_add(text, "<dl>\n");
    parts_address(text, page);
    add_policy(text, page);
    text_add(text, "</dl>\n<p class=\"note\">");
    escape_html(text, parts_say(page, TEXT_neutral_text));
    text_add(text, "</p>\n");
    add_ask(text, page);
}

/* Nobody knows what brought somebody here: all help lines stand there. */
static void add_own(struct text *text, const struct page *page)
{
    text_add(text, "<p class=\"note\">");
    escape_html(text, parts_say(page, TEXT_own_text));
    text_add(text, "</p>\n<section>\n");
    parts_line(text, "h2", parts_say(page, TEXT_own_ask));
    parts_contact(text, page);
    text_add(text, "</section>\n");
    if (page->catalog->line_count) {
        begin_help(text, page);
        for (size_t i = 0; i < page->catalog->line_count && i < ALL_LINES_MAX; i++) {
            add_help_line(text, page, &page->catalog->lines[i]);
        }
        text_add(text, "</ul>\n</section>\n");
    }
    if (*page->desk) {
        text_add(text, "<section>\n<a class=\"site\" href=\"");
        escape_html(text, page->desk);
        text_add(text, "\">");
        escape_html(text, parts_say(page, TEXT_own_desk));
        text_add(text, "</a>\n</section>\n");
    }
}

static const struct {
    enum text_id title, heading;
    void (*add_body)(struct text *text, const struct page *page);
} kinds[] = {
    [PAGE_BLOCKED] = {TEXT_blocked_title, TEXT_blocked_heading, add_blocked},
    [PAGE_OPEN] = {TEXT_open_title, TEXT_open_heading, add_open},
    [PAGE_REVIEW] = {0, 0, reviewpage_add}, /* each has its own heading */
    [PAGE_OWN] = {TEXT_own_heading, TEXT_own_heading, add_own},
    [PAGE_NEUTRAL] = {TEXT_neutral_title, TEXT_neutral_heading, add_neutral},
};

void page_write(const struct page *page, struct text *text)
{
    bool review = page->kind == PAGE_REVIEW;
    enum text_id title = review ? page->review->heading : kinds[page->kind].title;
    parts_head(text, page, title, review ? title : kinds[page->kind].heading);
    kinds[page->kind].add_body(text, page);
    text_add(text, "</main>\n</body>\n</html>\n");
}
