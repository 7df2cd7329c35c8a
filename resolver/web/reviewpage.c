// SPDX-License-Identifier: Apache-2.0
#include "web/reviewpage.h"

#include "web/escape.h"
#include "web/parts.h"
#include "web/request.h"

enum { TEXTAREA_MAX = 300 }; /* characters: each may take 12 octets of the body */

static void add_hidden(struct text *text, const char *name, const char *value)
{
    text_printf(text, "<input type=\"hidden\" name=\"%s\" value=\"", name);
    escape_html(text, value);
    text_add(text, "\">\n");
}

void reviewpage_add_form(struct text *text, const struct page *page)
{
    text_add(text, "<section>\n");
    parts_line(text, "h2", parts_say(page, TEXT_review_heading));
    parts_line(text, "p", parts_say(page, TEXT_review_text));
    text_add(text, "<form method=\"post\" action=\"");
    escape_html(text, page->origin);
    text_add(text, REQUEST_FORM_PATH "\">\n");
    add_hidden(text, "name", page->host);
    add_hidden(text, "token", page->token);
    text_add(text, "<label for=\"text\">");
    escape_html(text, parts_say(page, TEXT_review_label));
    text_printf(text,
                "</label>\n<textarea id=\"text\" name=\"text\" rows=\"2\" maxlength=\"%d\">"
                "</textarea>\n<button class=\"again\">",
                TEXTAREA_MAX);
    escape_html(text, parts_say(page, TEXT_review_button));
    text_add(text, "</button>\n</form>\n</section>\n");
}

void reviewpage_add(struct text *text, const struct page *page)
{
    const struct review_view *view = page->review;
    char time[32];
    text_add(text, "<dl>\n");
    parts_address(text, page);
    if (*view->code) {
        parts_term(text, parts_say(page, TEXT_review_code));
        text_add(text, "<code>");
        escape_html(text, view->code);
        text_add(text, "</code></dd>\n");
    }
    if (*view->answer) {
        parts_term(text, parts_say(page, TEXT_review_answer));
        escape_html(text, view->answer);
        text_add(text, "</dd>\n");
    }
    text_add(text, "</dl>\n<p class=\"note\">");
    escape_html(text, parts_say(page, view->words));
    if (view->until > page->now) {
        parts_time(view->until, page->now, time);
        text_add(text, " ");
        parts_filled(text, parts_say(page, TEXT_review_until),
                     &(struct fill){"{time}", time, "<strong>", "</strong>"});
    }
    text_add(text, "</p>\n");
    if (view->ask) {
        text_add(text, "<section>\n");
        parts_line(text, "h2", parts_say(page, TEXT_ask_heading));
        parts_contact(text, page);
        text_add(text, "</section>\n");
    }
}
