// SPDX-License-Identifier: Apache-2.0
/* parts: what the pages have in common, as HTML. */
#pragma once
#include "web/page.h"

enum { PARTS_CONFIGURED_MAX = 240 };

/* What a {word} of a text stands for; html is written as it is. */
struct fill {
    const char *word;
    const char *value;
    const char *before, *after; /* html around it */
};

/* A text in the page's language. */
const char *parts_say(const struct page *page, enum text_id id);

/* A text with its {word} filled in; both are escaped. */
void parts_filled(struct text *text, const char *words, const struct fill *fill);

/* Escaped words within a tag. */
void parts_line(struct text *text, const char *tag, const char *words);

/* Configured text, not longer than what leaves room for the rest; cut between characters. */
void parts_configured(const char *configured, char out[PARTS_CONFIGURED_MAX + 1]);

/* Only digits and plus, for a tel: link. */
void parts_number(const char *from, char *out, size_t cap);

/* "16:30", with its day when that is another one; local time. */
void parts_time(int64_t at, int64_t now, char out[32]);

/* Everything up to the heading. */
void parts_head(struct text *text, const struct page *page, enum text_id title,
                enum text_id heading);

/* A term of a list, and the beginning of what stands there. */
void parts_term(struct text *text, const char *label);
void parts_address(struct text *text, const struct page *page);

/* Whom to ask. */
void parts_contact(struct text *text, const struct page *page);
