// SPDX-License-Identifier: Apache-2.0
#include "web/parts.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "web/escape.h"

const char *parts_say(const struct page *page, enum text_id id)
{
    return texts_get(page->texts, id, page->language);
}

/* A text with its {word} filled in; both are escaped. */
void parts_filled(struct text *text, const char *words, const struct fill *fill)
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

void parts_line(struct text *text, const char *tag, const char *words)
{
    text_printf(text, "<%s>", tag);
    escape_html(text, words);
    text_printf(text, "</%s>\n", tag);
}

/* Configured text, not longer than what leaves room for the rest; cut between
 * characters. */
void parts_configured(const char *configured, char out[PARTS_CONFIGURED_MAX + 1])
{
    size_t len = strlen(configured);
    if (len > PARTS_CONFIGURED_MAX) {
        len = PARTS_CONFIGURED_MAX;
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
        escape_html(text, parts_say(page, TEXT_exit_link));
        text_add(text, "</a></p>\n");
    }
}

void parts_time(int64_t at, int64_t now, char out[32])
{
    time_t then = (time_t)at, today = (time_t)now;
    struct tm tm, day;
    localtime_r(&then, &tm);
    localtime_r(&today, &day);
    bool same = tm.tm_yday == day.tm_yday && tm.tm_year == day.tm_year;
    strftime(out, 32, same ? "%H:%M" : "%Y-%m-%d %H:%M", &tm);
}

/* A heading may name whose filter it is. */
static void add_heading(struct text *text, const struct page *page, enum text_id heading)
{
    char whose[PARTS_CONFIGURED_MAX + 1];
    const struct fill fill = {"{organisation}", whose, "", ""};
    parts_configured(page->config->web.organisation, whose);
    if (heading == TEXT_own_heading && !whose[0]) {
        heading = TEXT_own_network;
    }
    parts_filled(text, parts_say(page, heading), &fill);
}

void parts_head(struct text *text, const struct page *page, enum text_id title,
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
        parts_filled(text, parts_say(page, title), &host);
    } else {
        add_heading(text, page, heading);
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
    text_add(text, "<h1>");
    add_heading(text, page, heading);
    text_add(text, "</h1>\n");
}

void parts_term(struct text *text, const char *label)
{
    parts_line(text, "dt", label);
    text_add(text, "<dd>");
}

void parts_address(struct text *text, const struct page *page)
{
    if (page->host[0]) {
        parts_line(text, "dt", parts_say(page, TEXT_address_label));
        text_add(text, "<dd class=\"host\">");
        escape_html(text, page->host);
        text_add(text, "</dd>\n");
    }
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
void parts_number(const char *from, char *out, size_t cap)
{
    size_t len = 0;
    for (; *from && len + 1 < cap; from++) {
        if ((*from >= '0' && *from <= '9') || *from == '+') {
            out[len++] = *from;
        }
    }
    out[len] = '\0';
}

void parts_contact(struct text *text, const struct page *page)
{
    char contact[PARTS_CONFIGURED_MAX + 1], number[40] = "", before[PARTS_CONFIGURED_MAX + 32] = "";
    parts_configured(page->config->web.contact, contact);
    struct fill fill = {"{contact}", contact, "<b>", "</b>"};
    if (is_mail(contact)) {
        snprintf(before, sizeof(before), "<a class=\"site\" href=\"mailto:%s\">", contact);
    } else if (is_telephone(contact)) {
        parts_number(contact, number, sizeof(number));
        snprintf(before, sizeof(before), "<a class=\"site\" href=\"tel:%s\">", number);
    }
    if (before[0]) {
        fill.before = before;
        fill.after = "</a>";
    }
    text_add(text, "<p>");
    parts_filled(text, parts_say(page, contact[0] ? TEXT_ask_contact : TEXT_ask_nobody), &fill);
    text_add(text, "</p>\n");
}
