// SPDX-License-Identifier: Apache-2.0
#include "web/page.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "web/escape.h"

enum { LINES_MAX = 6, CONFIGURED_MAX = 240 };

/* What a {word} of a text stands for; html is written as it is. */
struct fill {
    const char *word;
    const char *value;
    const char *before, *after; /* html around it */
};

static const char *say(const struct page *page, enum text_id id)
{
    return texts_get(page->texts, id, page->language);
}

/* A text with its {word} filled in; both are escaped. */
static void add_filled(struct text *text, const char *words, const struct fill *fill)
{
    const char *mark = fill ? strstr(words, fill->word) : NULL;
    if (!mark) {
        escape_html(text, words);
        return;
    }
    escape_html_len(text, words, (size_t)(mark - words));
    text_add(text, fill->before);
    escape_html(text, fill->value);
    text_add(text, fill->after);
    escape_html(text, mark + strlen(fill->word));
}

static void add_line(struct text *text, const char *tag, const char *words)
{
    text_printf(text, "<%s>", tag);
    escape_html(text, words);
    text_printf(text, "</%s>\n", tag);
}

/* Configured text, not longer than what leaves room for the rest; cut between
 * characters. */
static void copy_configured(const char *configured, char out[CONFIGURED_MAX + 1])
{
    size_t len = strlen(configured);
    if (len > CONFIGURED_MAX) {
        len = CONFIGURED_MAX;
        while (len > 0 && ((unsigned char)configured[len] & 0xc0) == 0x80) {
            len--;
        }
    }
    memcpy(out, configured, len);
    out[len] = '\0';
}

/* Away from here at once, to a page that nobody minds. */
static void add_exit(struct text *text, const struct page *page)
{
    const char *url = page->config->web.exit_url;
    if (*url) {
        text_add(text, "<p class=\"leave\"><a class=\"site\" rel=\"noreferrer\" href=\"");
        escape_html(text, url);
        text_add(text, "\">");
        escape_html(text, say(page, TEXT_exit_link));
        text_add(text, "</a></p>\n");
    }
}

static void add_head(struct text *text, const struct page *page, enum text_id title,
                     enum text_id heading)
{
    const struct fill host = {"{host}", page->host, "", ""};
    text_add(text, "<!DOCTYPE html>\n<html lang=\"");
    escape_html(text, page->language);
    text_add(text, "\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                   "<meta name=\"color-scheme\" content=\"light dark\">\n"
                   "<meta name=\"robots\" content=\"noindex\">\n<title>");
    if (page->host[0]) {
        add_filled(text, say(page, title), &host);
    } else {
        escape_html(text, say(page, heading));
    }
    text_add(text, "</title>\n<style>");
    text_add(text, page_style);
    text_add(text, "</style>\n</head>\n<body>\n<main>\n");
    if (page->kind == PAGE_BLOCKED) {
        add_exit(text, page);
    }
    text_add(text, "<svg viewBox=\"0 0 48 48\" aria-hidden=\"true\" focusable=\"false\">"
                   "<path d=\"M24 4 8 10v13c0 10 6.8 17 16 21 9.2-4 16-11 16-21V10zM17 24h14\"/>"
                   "</svg>\n");
    add_line(text, "h1", say(page, heading));
}

static void add_term(struct text *text, const char *label)
{
    add_line(text, "dt", label);
    text_add(text, "<dd>");
}

static void add_address(struct text *text, const struct page *page)
{
    if (page->host[0]) {
        add_line(text, "dt", say(page, TEXT_address_label));
        text_add(text, "<dd class=\"host\">");
        escape_html(text, page->host);
        text_add(text, "</dd>\n");
    }
}

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

/* "16:30", with its day when that is another one; local time. */
static void print_opening(int64_t at, int64_t now, char out[32])
{
    time_t then = (time_t)at, today = (time_t)now;
    struct tm tm, day;
    localtime_r(&then, &tm);
    localtime_r(&today, &day);
    bool same = tm.tm_yday == day.tm_yday && tm.tm_year == day.tm_year;
    strftime(out, 32, same ? "%H:%M" : "%Y-%m-%d %H:%M", &tm);
}

static void add_opening(struct text *text, const struct page *page)
{
    char time[32];
    const struct fill fill = {"{time}", time, "<strong>", "</strong>"};
    if (page->reason->opens_at > page->now) {
        print_opening(page->reason->opens_at, page->now, time);
        add_term(text, say(page, TEXT_until_label));
        add_filled(text, say(page, TEXT_until_text), &fill);
        text_add(text, "</dd>\n");
    }
}

static void add_why(struct text *text, const struct page *page,
                    const struct catalog_category *category)
{
    const struct own_words *own = find_words(page->reason->word);
    const char *name = own ? say(page, own->category) : page->reason->category;
    const char *why = say(page, own ? own->why : TEXT_other_why);
    if (category && (!own || is_by_rule(page))) {
        name = catalog_text_in(category->names, category->name_count, page->language);
        if (category->why_count) {
            why = catalog_text_in(category->whys, category->why_count, page->language);
        }
    }
    add_term(text, say(page, TEXT_category_label));
    text_add(text, "<b>");
    escape_html(text, name);
    text_add(text, "</b>\n");
    escape_html(text, why);
    if (strcmp(page->reason->word, "list-address") == 0) {
        text_add(text, "<br>\n");
        escape_html(text, say(page, TEXT_server_why));
    }
    text_add(text, "</dd>\n");
}

static void add_policy(struct text *text, const struct page *page)
{
    char whose[CONFIGURED_MAX + 1];
    copy_configured(page->config->web.organisation, whose);
    if (!whose[0] && page->kind != PAGE_BLOCKED) {
        return;
    }
    add_term(text, say(page, TEXT_policy_label));
    escape_html(text, whose[0] ? whose : say(page, TEXT_policy_network));
    const char *policy_group = "";
    if (page->kind == PAGE_BLOCKED) {
        policy_group = is_by_rule(page) ? page->reason->rule_group : page->reason->group;
    }
    if (policy_group[0]) {
        const struct fill group = {"{group}", policy_group, "", ""};
        text_add(text, "<br>\n");
        add_filled(text, say(page, TEXT_policy_group), &group);
    }
    text_add(text, "</dd>\n");
}

static bool is_mail(const char *contact)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789.!#$*+-=_~@";
    const char *at = strchr(contact, '@');
    return at && at != contact && strchr(at, '.') && !strchr(at + 1, '@') &&
           contact[strspn(contact, plain)] == '\0';
}

static bool is_telephone(const char *contact)
{
    return strlen(contact) >= 3 && strlen(contact) <= 24 &&
           contact[strspn(contact, "+0123456789- ")] == '\0' && strpbrk(contact, "0123456789");
}

/* Only digits and plus, for a tel: link. */
static void copy_number(const char *from, char *out, size_t cap)
{
    size_t len = 0;
    for (; *from && len + 1 < cap; from++) {
        if ((*from >= '0' && *from <= '9') || *from == '+') {
            out[len++] = *from;
        }
    }
    out[len] = '\0';
}

static void add_contact(struct text *text, const struct page *page)
{
    char contact[CONFIGURED_MAX + 1], number[40] = "", before[CONFIGURED_MAX + 32] = "";
    copy_configured(page->config->web.contact, contact);
    struct fill fill = {"{contact}", contact, "<b>", "</b>"};
    if (is_mail(contact)) {
        snprintf(before, sizeof(before), "<a class=\"site\" href=\"mailto:%s\">", contact);
    } else if (is_telephone(contact)) {
        copy_number(contact, number, sizeof(number));
        snprintf(before, sizeof(before), "<a class=\"site\" href=\"tel:%s\">", number);
    }
    if (before[0]) {
        fill.before = before;
        fill.after = "</a>";
    }
    text_add(text, "<p>");
    add_filled(text, say(page, contact[0] ? TEXT_ask_contact : TEXT_ask_nobody), &fill);
    text_add(text, "</p>\n");
}

static void add_ask(struct text *text, const struct page *page)
{
    text_add(text, "<section>\n");
    add_line(text, "h2", say(page, TEXT_ask_heading));
    add_contact(text, page);
    if (page->kind == PAGE_BLOCKED && page->reason->ref[0]) {
        const struct fill ref = {"{ref}", page->reason->ref, "<code>", "</code>"};
        text_add(text, "<p>");
        add_filled(text, say(page, TEXT_ask_reference), &ref);
        text_add(text, "</p>\n");
    }
    text_add(text, "</section>\n");
}

static void add_help_line(struct text *text, const struct page *page,
                          const struct catalog_line *line)
{
    const char *label = catalog_text_in(line->labels, line->label_count, page->language);
    char number[40];
    copy_number(line->number, number, sizeof(number));
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
        escape_html(text, say(page, TEXT_help_site));
        text_add(text, "</a>");
    }
    text_add(text, "</span></li>\n");
}

static void add_help(struct text *text, const struct page *page,
                     const struct catalog_category *category)
{
    if (!category || category->help.count == 0) {
        return;
    }
    text_add(text, "<section>\n");
    add_line(text, "h2", say(page, TEXT_help_heading));
    add_line(text, "p", say(page, TEXT_help_text));
    text_add(text, "<ul>\n");
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
            add_line(text, "h2", say(page, TEXT_removal_heading));
            add_line(text, "p", say(page, TEXT_removal_text));
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
    add_address(text, page);
    add_why(text, page, category);
    add_opening(text, page);
    add_policy(text, page);
    text_add(text, "</dl>\n<p class=\"note\">");
    escape_html(text, say(page, page->reason->watched ? TEXT_watched_text : TEXT_kind_text));
    text_add(text, "</p>\n");
    add_ask(text, page);
    add_help(text, page, category);
    add_removal(text, page, category);
}

static void add_open(struct text *text, const struct page *page)
{
    char seconds[16];
    snprintf(seconds, sizeof(seconds), "%u", page->wait_s);
    const struct fill wait = {"{seconds}", seconds, "", ""};
    text_add(text, "<dl>\n");
    add_address(text, page);
    text_add(text, "</dl>\n<p class=\"note\">");
    add_filled(text, say(page, TEXT_open_text), &wait);
    text_add(text, "</p>\n<p><a class=\"again\" href=\"\">");
    escape_html(text, say(page, TEXT_open_again));
    text_add(text, "</a></p>\n");
}

static void add_neutral(struct text *text, const struct page *page)
{
    text_add(text, "<dl>\n");
    add_address(text, page);
    add_policy(text, page);
    text_add(text, "</dl>\n<p class=\"note\">");
    escape_html(text, say(page, TEXT_neutral_text));
    text_add(text, "</p>\n");
    add_ask(text, page);
}

static const struct {
    enum text_id title, heading;
    void (*add_body)(struct text *text, const struct page *page);
} kinds[] = {
    [PAGE_BLOCKED] = {TEXT_blocked_title, TEXT_blocked_heading, add_blocked},
    [PAGE_OPEN] = {TEXT_open_title, TEXT_open_heading, add_open},
    [PAGE_NEUTRAL] = {TEXT_neutral_title, TEXT_neutral_heading, add_neutral},
};

void page_write(const struct page *page, struct text *text)
{
    add_head(text, page, kinds[page->kind].title, kinds[page->kind].heading);
    kinds[page->kind].add_body(text, page);
    text_add(text, "</main>\n</body>\n</html>\n");
}
